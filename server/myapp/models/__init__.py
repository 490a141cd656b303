"""The database's tables."""

from myapp.models.executions import Attempt, Execution, InvocationStarts, Status
from myapp.models.templates import Script, ScriptTemplate, TemplateVersion

__all__ = ["Attempt", "Execution", "InvocationStarts", "Script", "ScriptTemplate", "Status", "TemplateVersion"]
