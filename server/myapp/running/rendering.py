"""Parameters into a script, without ever becoming code.

A template is plain Python that reads `PARAMETERS`, a dictionary. The values are put in front of it as one JSON string
literal: whatever they hold, quotes and newlines included, they stay data. Textual substitution (`{{ name }}`) would let
a parameter close its string and go on as code.
"""

from __future__ import annotations

import ast
import json
import math
from typing import Any

import jsonschema
import referencing
from django.core.exceptions import ValidationError

PRELUDE = "import json as _json; PARAMETERS = _json.loads({literal}); del _json"
NO_REMOTE = referencing.Registry()  # type: ignore[var-annotated]  # without it a "$ref" would be fetched over the network


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
        line = f"line {getattr(error, 'lineno', 0)}: " if getattr(error, "lineno", None) else ""
        raise ValidationError({"source": f"is not valid Python: {line}{getattr(error, 'msg', error)}"}) from None


def check_storable(value: Any, name: str) -> None:
    """Raise ValidationError for what JSON can say and PostgreSQL cannot keep: NUL, half a surrogate pair, NaN."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
            raise ValidationError({name: "holds a character that cannot be stored"})
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValidationError({name: f"holds {value}, which is no JSON number"})
    elif isinstance(value, dict):
        for key, each in value.items():
            check_storable(str(key), name)
            check_storable(each, name)
    elif isinstance(value, list | tuple):
        for each in value:
            check_storable(each, name)


def validated(schema: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters with the schema's defaults filled in. Raises ValidationError, a text for each misfit."""
    if not isinstance(parameters, dict):
        raise ValidationError({"parameters": "must be an object"})
    check_storable(parameters, "parameters")
    properties = schema.get("properties", {})
    defaults = {
        name: each["default"] for name, each in properties.items() if isinstance(each, dict) and "default" in each
    }
    whole = defaults | parameters
    strict = {"additionalProperties": False, **schema, "type": "object"}
    errors: dict[str, list[str]] = {}
    try:
        for error in jsonschema.Draft202012Validator(strict, registry=NO_REMOTE).iter_errors(whole):
            name = str(error.path[0]) if error.path else "__all__"
            errors.setdefault(name, []).append(error.message[:300])
    except referencing.exceptions.Unresolvable as error:
        raise ValidationError({"parameter_schema": f"refers to what is not in it: {error.ref}"}) from None
    if errors:
        raise ValidationError(errors)
    return whole


def rendered(source: str, parameters: dict[str, Any]) -> str:
    """The script that is run. A docstring and `from __future__` imports stay first, as Python demands.

    After these the prelude follows on the same line, so that line numbers in a traceback are the template's own; where
    there are none, it is a line of its own and they are one higher.
    """
    source = source.replace("\r\n", "\n").replace("\r", "\n")  # as Python reads it, which counts lines so
    prelude = PRELUDE.format(literal=repr(json.dumps(parameters, ensure_ascii=True)))
    first = None
    for node in ast.parse(source).body:
        docstring = first is None and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        first = node
    if first is None:
        return f"{prelude}\n{source}"
    lines = source.encode().split(b"\n")  # columns are counted in bytes
    line, column = (first.end_lineno or 1) - 1, first.end_col_offset or 0
    lines[line] = lines[line][:column] + f"; {prelude}".encode() + lines[line][column:]
    return b"\n".join(lines).decode()
