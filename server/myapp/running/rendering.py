"""Parameters into a script, without ever becoming code.

A template is plain Python that reads `PARAMETERS`, a dictionary. The values are put in front of it as one JSON string
literal: whatever they hold, quotes and newlines included, they stay data. Textual substitution (`{{ name }}`) would let a
parameter close its string and go on as code.
"""

from __future__ import annotations

import ast
import json
from typing import Any

import jsonschema
from django.core.exceptions import ValidationError

PRELUDE = "import json as _json\nPARAMETERS = _json.loads({literal})\ndel _json\n"


def check_schema(schema: Any) -> None:
    """Raise ValidationError where this is no JSON schema of an object."""
    if not isinstance(schema, dict):
        raise ValidationError({"parameter_schema": "must be a JSON object"})
    if schema.get("type", "object") != "object":
        raise ValidationError({"parameter_schema": "must describe an object: its properties are the parameters"})
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ValidationError({"parameter_schema": f"is not a JSON schema: {error.message}"}) from None


def check_source(source: str) -> None:
    """Raise ValidationError where this is no Python."""
    if not source.strip():
        raise ValidationError({"source": "is empty"})
    try:
        ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = f"line {error.lineno}: " if getattr(error, "lineno", None) else ""
        raise ValidationError({"source": f"is not valid Python: {line}{getattr(error, 'msg', error)}"}) from None


def validated(schema: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters with the schema's defaults filled in. Raises ValidationError, a text for each that does not fit."""
    properties = schema.get("properties", {})
    defaults = {name: each["default"] for name, each in properties.items() if isinstance(each, dict) and "default" in each}
    whole = defaults | parameters
    strict = {"additionalProperties": False, **schema, "type": "object"}
    errors: dict[str, list[str]] = {}
    for error in jsonschema.Draft202012Validator(strict).iter_errors(whole):
        name = str(error.path[0]) if error.path else "__all__"
        errors.setdefault(name, []).append(error.message[:300])
    if errors:
        raise ValidationError(errors)
    return whole


def rendered(source: str, parameters: dict[str, Any]) -> str:
    """The script that is run: `from __future__` imports stay first, as Python demands."""
    prelude = PRELUDE.format(literal=repr(json.dumps(parameters, ensure_ascii=True)))
    future = [node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    if not future:
        return prelude + source
    lines = source.splitlines(keepends=True)
    end = max(node.end_lineno or 0 for node in future)
    return "".join(lines[:end]) + prelude + "".join(lines[end:])
