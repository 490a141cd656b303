"""Does a task's body call the task's own `retry()`? Read off its bytecode, and that of the helpers that it calls."""

import dis
import inspect
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

from celery import current_task
from celery.app.task import Task as CeleryTask
from celery.local import Proxy

from assay.body import body_of

ATTRIBUTE = ("LOAD_ATTR", "LOAD_METHOD")
LIBRARIES = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))


def retries_by_hand(task: Any, run: Any) -> bool:
    """`.retry` of a parameter, or of a name that is a task, in `run` or in what it calls of the user's own code.

    The `retry` of anything else (a session, a module, a policy) is not the task's.
    """
    body = inspect.unwrap(run)
    functions = [body]
    seen: set[int] = set()
    while functions:
        function = functions.pop()
        unbound = function is body and not isinstance(body_of(task), MethodType)
        function = getattr(function, "__func__", function)
        if not isinstance(function, FunctionType) or id(function.__code__) in seen:
            continue
        seen.add(id(function.__code__))
        for code in _nested(function.__code__):
            if any(_is_task(owner, code, function, unbound) for owner in _owners_of_retry(code)):
                return True
            functions += _called(code, function, task)
    return False


def _nested(code: CodeType) -> Iterator[CodeType]:
    """The code itself and that of what is defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _owners_of_retry(code: CodeType) -> Iterator[str]:
    """`x` of each `x.retry` in it."""
    owner = ""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ATTRIBUTE and instruction.argval == "retry":
            yield owner
        value = instruction.argval
        owner = str(value[-1] if isinstance(value, tuple) and value else value)


def _is_task(owner: str, code: CodeType, function: FunctionType, unbound: bool) -> bool:
    if function.__globals__.get(owner) is current_task:
        return True
    named = _global(owner, function)
    if named is not None:
        return isinstance(named, CeleryTask)
    if unbound:
        return False  # a body that is not bound has no parameter that is its task
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    # a bound task is the first parameter of its body, and any of a helper's; closures see it as a free variable
    return owner in (*parameters, *code.co_freevars)


def _global(name: str, function: FunctionType) -> Any:
    """What the name stands for. Only Celery's own proxies are looked through: others may raise outside of a request."""
    found: Any = function.__globals__.get(name)
    return found._get_current_object() if isinstance(type(found), type) and issubclass(type(found), Proxy) else found


def _called(code: CodeType, function: FunctionType, task: Any) -> list[Any]:
    """Functions and methods of the user's own that this code names."""
    methods = [getattr(type(task), name, None) for name in code.co_names if name not in vars(CeleryTask)]
    found = [*methods, *(_global(name, function) for name in code.co_names)]
    return [each for each in found if inspect.isfunction(each) and _own(each)]


def _own(function: FunctionType) -> bool:
    path = function.__code__.co_filename
    return not path.startswith(LIBRARIES) and Path(__file__).parent not in Path(path).parents
