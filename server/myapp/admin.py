"""The admin: templates and scripts are edited here, executions only looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from myapp.models import Attempt, Execution, Script, ScriptTemplate, TemplateVersion


class ByRunners:
    """What is written here is run by others: the admin is no way around the permission to run scripts."""

    def has_add_permission(self, request: HttpRequest, *more: Any) -> bool:
        allowed: bool = super().has_add_permission(request, *more)  # type: ignore[misc]
        return allowed and request.user.has_perm("myapp.run_scripts")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)  # type: ignore[misc]
        return allowed and request.user.has_perm("myapp.run_scripts")


class VersionInline(ByRunners, admin.StackedInline):
    model = TemplateVersion
    extra = 0
    readonly_fields = ("created_at",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a version never changes


@admin.register(ScriptTemplate)
class ScriptTemplateAdmin(ByRunners, admin.ModelAdmin):
    list_display = ("name", "is_active", "created_at")
    search_fields = ("name", "description")
    inlines = [VersionInline]


@admin.register(Script)
class ScriptAdmin(ByRunners, admin.ModelAdmin):
    list_display = ("name", "owner", "updated_at")
    search_fields = ("name",)


class ReadOnly(admin.ModelAdmin):
    """Records of what happened: nobody adds or changes them by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AttemptInline(admin.TabularInline):
    model = Attempt
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Execution)
class ExecutionAdmin(ReadOnly):
    list_display = ("id", "task", "queue", "status", "exit_code", "created_by", "created_at")
    list_filter = ("status", "queue")
    list_select_related = ("created_by",)
    search_fields = ("id", "name")
    inlines = [AttemptInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Execution]:
        return super().get_queryset(request).defer("output", "source")  # megabytes, and not in the list
