"""Every address of the page. `LoginRequiredMiddleware` closes all of them; login and health open themselves."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from .views import dashboard, execution, history, run, session, templates

app_name = "web"

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("login/", session.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/login/", session.admin_login),
    path("health/", session.health, name="health"),
    path("language/", session.language, name="language"),
    path("account/", session.account, name="account"),
    path("account/tokens/<int:pk>/revoke/", session.revoke_token, name="revoke-token"),
    path("run/", run.choose, name="run"),
    path("run/script/", run.script, name="run-script"),
    path("run/templates/<int:pk>/", run.template, name="run-template"),
    path("executions/", history.history, name="history"),
    path("executions/<uuid:pk>/", execution.detail, name="execution"),
    path("executions/<uuid:pk>/live/", execution.live, name="live"),
    path("executions/<uuid:pk>/output.txt", execution.output, name="execution-output"),
    path("executions/<uuid:pk>/cancel/", execution.cancel, name="cancel"),
    path("templates/", templates.every, name="templates"),
    path("templates/new/", templates.new, name="template-new"),
    path("templates/<int:pk>/", templates.detail, name="template"),
    path("templates/<int:pk>/versions/new/", templates.new_version, name="template-version-new"),
    path("templates/<int:pk>/versions/<int:number>/", templates.detail, name="template-version"),
    path("api/", include("myapp.web.api.urls")),
]
