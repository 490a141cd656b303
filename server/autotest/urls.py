"""Where everything is: the admin, the pages and API of `myapp.web`, and the reports of `reliability`."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("reliability.urls")),  # before myapp.web, whose API answers for every address below /api/
    # Before the admin: it closes the admin's own login form, which has no limit on guesses.
    path("", include("myapp.web.urls")),
    path("admin/", admin.site.urls),
]
