"""Where everything is: the admin, and the pages and API of `myapp.web`."""

from django.contrib import admin
from django.urls import include, path

# myapp.web comes first: it closes the admin's own login form, which has no limit on guesses.
urlpatterns = [path("", include("myapp.web.urls")), path("admin/", admin.site.urls)]
