"""The parts of reference pages that follow from the program itself, and the outline by which shells complete it.

    python tests/docs/generate.py

writes them anew, between ``<!-- generated: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import json
import re
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli import main as program
from gitupd.cli.completion import outline
from gitupd.cli.lazy import LazyGroup
from gitupd.config.builtin import BUILTIN
from gitupd.resources import schema
from gitupd.service.listing.columns import OWN
from gitupd.web.api.description import document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).parents[2]
OUTLINE = ROOT / "gitupd/cli/completion" / outline.FILE_NAME
PAGES = tuple(ROOT / "docs/reference" / name for name in ("api.md", "columns.md", "configuration.md", "cli.md"))
MARKED = re.compile(r"(?P<start><!-- generated: (?P<name>[\w-]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)
_DURATION = " A number with s, m, h, d or w, such as 90s, 15m, 1h30m, 7d."
_DURATION_PATTERN = "[smhdw]"
API = "/api/v1"
_CONDITION = "`{class: NAME}` or `{environment: NAME}`"


def regenerated(page: str) -> str:
    """Return the text of a page with every generated part as it should be."""
    return MARKED.sub(lambda found: f"{found['start']}\n{_part(found['name'])}\n{found['end']}", page)


def _part(name: str) -> str:
    kind, _, rest = name.partition("-")
    match kind, rest:
        case "schema", document:
            return schema_table(document)
        case "builtin", "classes":
            rows = ((f"`{name}`", " ".join(models)) for name, models in BUILTIN.classes.items())
            return _table(("class", "models"), rows)
        case "builtin", "lists":
            return _builtin_lists()
        case "commands", "":
            return commands()
        case "operations", "":
            return operations()
        case "columns", "":
            rows = ((f"`{each.name}`", each.title, f"`{each.key}:`" if each.key else "") for each in OWN)
            return _table(("name", "on pages", "its values are found by"), rows)
    raise ValueError(f"nothing is called {name}")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in lines)


# Documents of the configuration repository


def schema_table(name: str) -> str:
    """Return what the schema called *name* says of each key."""
    return _table(("key", "value", "default", "meaning"), _keys(schema(name), ""))


def _keys(rules: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for key, each in rules.get("properties", {}).items():
        default = _default(each, required=key in rules.get("required", ()))
        meaning = each.get("description", "").removesuffix(_DURATION)
        yield f"`{prefix}{key}`", _kind(each), default, meaning
        yield from _below(each, f"{prefix}{key}")
    others = rules.get("additionalProperties")
    if isinstance(others, dict) and others.get("type") == "object":
        yield from _keys(others, f"{prefix}NAME.")


def _below(rules: Mapping[str, Any], name: str) -> Iterator[tuple[str, str, str, str]]:
    kinds = rules.get("type")
    if kinds == "array" and rules["items"].get("type") == "object" and not _is_condition(rules["items"]):
        yield from _keys(rules["items"], f"{name}[].")
    elif kinds != "array":
        yield from _keys(rules, f"{name}.")


def _default(rules: Mapping[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    if "default" not in rules:
        return ""
    value = rules["default"]
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _is_condition(rules: Mapping[str, Any]) -> bool:
    return set(rules.get("properties", ())) == {"class", "environment"}


def _kind(rules: Mapping[str, Any]) -> str:
    if "enum" in rules:
        return ", ".join(f"`{each}`" for each in rules["enum"])
    if "if" in rules:
        return f"`all`, {_CONDITION}"
    if _is_condition(rules):
        return _CONDITION
    kinds = rules.get("type", "string")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return " or ".join(_one_kind(rules, kind) for kind in kinds)


def _one_kind(rules: Mapping[str, Any], kind: str) -> str:
    match kind:
        case "string":
            return "duration" if _DURATION_PATTERN in rules.get("pattern", "") else "text"
        case "integer":
            return f"whole number{_range(rules.get('minimum'), rules.get('maximum'))}"
        case "boolean":
            return "`true`, `false`"
        case "array":
            return f"list of {_kind(rules['items'])}"
        case "object":
            return "mapping"
    return f"`{kind}`"


def _range(least: object, most: object) -> str:
    if least is None and most is None:
        return ""
    return f", at least {least}" if most is None else f", {least} to {most}"


def _builtin_lists() -> str:
    rows = [
        ("`no_firmware` (firmware.yaml)", " ".join(BUILTIN.no_firmware)),
        ("`no_bootcode` (firmware.yaml)", " ".join(BUILTIN.no_bootcode)),
        ("`file_names` (firmware.yaml)", json.dumps(BUILTIN.file_names).replace('"', "")),
        *(
            (f"query `{name}` (queries.yaml)", f"`{said['command']}`, titled {said['title']}")
            for name, said in BUILTIN.queries.items()
        ),
        ("`ignore` (backup.yaml)", ", ".join(f"`{each}`" for each in BUILTIN.volatile_lines)),
        ("`hide` (backup.yaml)", ", ".join(f"`{each}`" for each in BUILTIN.secret_patterns)),
    ]
    return _table(("list", "built in"), rows)


# The command line


def commands() -> str:
    """Return what each command of the program says of itself."""
    return "\n".join(_command(command, name) for name, command in _all_commands(program.cli, "gitupd"))


def _all_commands(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    names = group.entries if isinstance(group, LazyGroup) else group.commands
    for name in names:
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from _all_commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def _command(command: click.Command, name: str) -> str:
    arguments = [_argument(each) for each in command.params if isinstance(each, click.Argument)]
    options = [each for each in command.params if isinstance(each, click.Option)]
    usage = " ".join([name, *(["[OPTIONS]"] if options else []), *arguments])
    parts = [f"### {name}\n", f"```text\n{usage}\n```\n", *_paragraphs(cleandoc(command.help or ""))]
    if options:
        parts.append(_table(("option", "meaning"), ((_option(each), _meaning(each)) for each in options)))
    return "\n".join(parts)


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    name = name if argument.required else f"[{name}]"
    return f"{name}..." if argument.nargs == -1 else name


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; those that click leaves as they are become blocks of text."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if not paragraph.startswith("\b"):
            yield " ".join(paragraph.split()) + "\n"
            continue
        first, *rest = paragraph.removeprefix("\b").strip("\n").split("\n")
        yield first.strip() + "\n"
        if rest:
            yield "```text\n" + "\n".join(line.removeprefix("  ") for line in rest) + "\n```\n"


def _option(option: click.Option) -> str:
    if option.is_flag:
        return f"`{'/'.join((', '.join(option.opts), *option.secondary_opts))}`"
    value = option.metavar
    if value is None:
        choice = option.type
        value = "|".join(choice.choices) if isinstance(choice, click.Choice) else (option.name or "").upper()
        value = {"place": "DIR", "PLACE": "DIR", "REPORT": "FILE"}.get(value, value)
    return f"`{', '.join(option.opts)} {value}`"


def _meaning(option: click.Option) -> str:
    text = option.help or ""
    if isinstance(option.type, click.IntRange | click.FloatRange):
        text += f" A number{_range(option.type.min, option.type.max)}."
    if option.required:
        text += " Required."
    elif option.show_default and option.default is not None:
        default = ",".join(option.default) if isinstance(option.default, tuple) else str(option.default)
        text += f" Default: `{default}`."
    return text


# The API


def operations() -> str:
    """Return what the description of the API says of each operation."""
    rows = (
        (f"`{method.upper()} {path.removeprefix(API)}`", _parameters(item, each), each["x-role"], each["summary"])
        for path, item in document()["paths"].items()
        for method, each in item.items()
        if method != "parameters"
    )
    return _table((f"below `{API}`", "parameters", "role", "what it does"), rows)


def _parameters(item: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    """Return the query parameters and the keys of the body; what has to be there is followed by a star."""
    found = [_resolved(each) for each in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    names = [_starred(each["name"], required=each.get("required", False)) for each in found if each["in"] == "query"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    names += [_starred(name, required=name in body.get("required", ())) for name in body.get("properties", ())]
    return ", ".join(names)


def _resolved(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    name = parameter.get("$ref", "").rpartition("/")[2]
    return document()["components"]["parameters"][name] if name else parameter


def _starred(name: str, *, required: bool) -> str:
    return f"`{name}`*" if required else f"`{name}`"


def main() -> None:
    """Write every page anew."""
    for page in PAGES:
        page.write_text(regenerated(page.read_text("utf-8")), "utf-8")
    OUTLINE.write_text(outline.written(program.cli), "utf-8")


if __name__ == "__main__":
    main()
