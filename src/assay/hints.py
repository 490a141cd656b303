"""What click refuses, in one line that says what would be right: click's own hints differ from release to release."""

from collections.abc import Sequence

import click

from assay.selection import nearest


def refusal(error: click.ClickException) -> str:
    """The message of what was wrong on the command line, with the nearest right thing and where to read on."""
    context = getattr(error, "ctx", None)
    return _said(error, context) + (f" (see {context.command_path} --help)" if context else "")


def _said(error: click.ClickException, context: click.Context | None) -> str:
    if isinstance(error, click.NoSuchOption):
        return f"no such option {error.option_name}{_option(error.option_name, context)}"
    param, value = getattr(error, "param", None), _value(error)
    if value and param is not None and isinstance(param.type, click.Choice):
        choices = [str(choice) for choice in param.type.choices]
        hint = nearest(value, choices) or f"; there are {', '.join(choices)}"
        return f"{_name(param)} cannot be {value}{hint}"
    if value and param is not None and isinstance(param.type, click.IntRange | click.FloatRange):
        return f"{_name(param)} cannot be {value}: it is {_range(param.type)}"
    message = error.format_message().strip()
    return message[:1].lower() + message[1:].rstrip(".")


def _option(given: str, context: click.Context | None) -> str:
    """ "; did you mean --task?", or where else it means something."""
    if context is None:
        return ""
    mine = _options(context.command)
    if longer := [name for name in mine if name.startswith(given) or given.startswith(name)]:
        return f"; did you mean {min(longer, key=lambda name: abs(len(name) - len(given)))}?"
    root = context.find_root().command
    others = root.commands.items() if isinstance(root, click.Group) else ()
    if having := [name for name, command in others if given in _options(command)]:
        return f"; it is one of assay {', assay '.join(having)}"
    from assay.settings import KEYS

    key = given.strip("-").replace("-", "_")
    if key in KEYS:
        return f"; {key} is set in assay.toml or [tool.assay]"
    return nearest(given, [name for name in mine if name[:3] == given[:3]])


def _options(command: click.Command) -> list[str]:
    named = (param.opts for param in command.params if isinstance(param, click.Option))
    return [name for names in named for name in names if name.startswith("--")]


def _name(param: click.Parameter) -> str:
    if isinstance(param, click.Option):
        return max(param.opts, key=len)
    return str(param.name or "").upper()


def _value(error: click.ClickException) -> str:
    """What was given, which click says in its message alone: "'x' is not one of ...", "0 is not in the range ..."."""
    if not isinstance(error, click.BadParameter):
        return ""
    first = error.message.partition(" is not ")[0]
    return first.strip("'\"") if first != error.message else ""


def _range(kind: click.IntRange | click.FloatRange) -> str:
    what = "a whole number" if isinstance(kind, click.IntRange) else "a number"
    bounds: Sequence[str] = [
        f"{word} {bound:g}" for word, bound in (("from", kind.min), ("to", kind.max)) if bound is not None
    ]
    return " ".join([what, *bounds])
