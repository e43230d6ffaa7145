"""The outline of the command line: all commands with their parameters, without what they do.

To import a command takes a second, as it imports what it works with; whoever types can't wait so long for each Tab. So
click is told of ``outline.json`` while it completes, which tests/docs/generate.py writes, and a test holds to the
commands.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.completion.kinds import Completed, SitePath, ValueKind

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAME = "outline.json"
_FREE, _FILE, _FOLDER, _CHOICE = "free", "file", "folder", "choice"


# Reading


def outlined(name: str) -> click.Command | None:
    """Return the command of the program that is called *name*, as far as completion needs it; None if there is none."""
    facts = _outline().get(name)
    return None if facts is None else _built(name, facts)


@cache
def _outline() -> Mapping[str, Any]:
    text = Path(__file__).with_name(FILE_NAME).read_text("utf-8")
    read: Mapping[str, Any] = json.loads(text)
    return read


def _built(name: str, facts: Mapping[str, Any]) -> click.Command:
    if "commands" in facts:
        commands = {each: _built(each, inner) for each, inner in facts["commands"].items()}
        return click.Group(name, commands=commands, help=facts["help"])
    return click.Command(name, params=[_parameter(each) for each in facts["parameters"]], help=facts["help"])


def _parameter(facts: Mapping[str, Any]) -> click.Parameter:
    shared = {"type": _type(facts), "nargs": facts.get("nargs", 1)}
    if "options" not in facts:
        return click.Argument([facts["name"]], required=False, **shared)
    if facts.get("flag"):
        shared = {"is_flag": True}
    declared = "/".join(filter(None, (facts["options"][0], *facts.get("negative", ()))))
    return click.Option(
        [facts["name"], declared, *facts["options"][1:]],
        multiple=facts.get("multiple", False),
        help=facts.get("help"),
        **shared,
    )


def _type(facts: Mapping[str, Any]) -> Any:
    match facts.get("kind", _FREE):
        case "choice":
            return click.Choice(facts["values"], case_sensitive=False)
        case "file":
            return click.Path()
        case "folder":
            return click.Path(file_okay=False)
        case "free":
            return click.STRING
        case kind:
            return Completed(kind, facts.get("values", ()), many=facts.get("many", False))


# Writing


def outline_of(group: click.Group) -> dict[str, Any]:
    """Return the outline of all commands in *group*, each of which is imported for that."""
    context = click.Context(group)
    names = group.list_commands(context)
    return {name: _facts(command) for name in names if (command := group.get_command(context, name)) is not None}


def _facts(command: click.Command) -> dict[str, Any]:
    told: dict[str, Any] = {"help": command.get_short_help_str(limit=200)}
    if isinstance(command, click.Group):
        return {**told, "commands": outline_of(command)}
    return {**told, "parameters": [_parameter_facts(each) for each in command.params]}


def _parameter_facts(parameter: click.Parameter) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": parameter.name}
    if isinstance(parameter, click.Option):
        facts |= {"options": parameter.opts, "negative": parameter.secondary_opts, "help": parameter.help}
        facts |= {"flag": parameter.is_flag, "multiple": parameter.multiple}
    if parameter.nargs != 1:
        facts["nargs"] = parameter.nargs
    if not facts.get("flag"):
        facts |= kind_facts(parameter)
    return {name: value for name, value in facts.items() if value}


def kind_facts(parameter: click.Parameter) -> dict[str, Any]:
    """Return of which ``kind`` a parameter's values are, and all ``values`` if they are known; ``free`` are any."""
    match parameter.type:
        case click.Choice(choices=choices):
            return {"kind": _CHOICE, "values": [str(getattr(each, "value", each)) for each in choices]}
        case click.File():
            return {"kind": _FILE}
        case SitePath():
            return {"kind": _FOLDER}
        case click.Path(file_okay=may_be_file, dir_okay=may_be_folder):
            return {"kind": _FOLDER if may_be_folder and not may_be_file else _FILE}
    kind = getattr(parameter.type, "kind", None)
    if not isinstance(kind, ValueKind):
        return {"kind": _FREE}
    return {"kind": kind.name, "values": list(kind.closed), "many": kind.many}


def written(group: click.Group) -> str:
    """Return the text of the outline of *group*, a line for each parameter so that changes can be read."""
    return f"{{\n{_text(outline_of(group), 1)}\n}}\n"


def _text(told: dict[str, Any], depth: int) -> str:
    """Return commands as JSON, by name, with a line for each of them and for each parameter."""
    indent = " " * depth
    return ",\n".join(f"{indent}{json.dumps(name)}: {_command(facts, indent)}" for name, facts in told.items())


def _command(facts: dict[str, Any], indent: str) -> str:
    said = json.dumps(facts["help"], ensure_ascii=False)
    if "commands" in facts:
        inner = _text(facts["commands"], len(indent) + 1)
        return f'{{"help": {said}, "commands": {{\n{inner}\n{indent}}}}}'
    rows = ",\n".join(f"{indent} {json.dumps(each, ensure_ascii=False)}" for each in facts["parameters"])
    listed = f"[\n{rows}\n{indent}]" if rows else "[]"
    return f'{{"help": {said}, "parameters": {listed}}}'
