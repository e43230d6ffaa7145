"""Documents against their JSON Schemas: values typed as the schema says, violations as problems with their place."""

from __future__ import annotations

import re
import unicodedata
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from jsonschema import Draft202012Validator, ValidationError, validators

from gitupd.config.yaml_tree import Mapping, Node, Place, Scalar, Sequence
from gitupd.core.names import fold
from gitupd.core.words import counted
from gitupd.errors import Problem
from gitupd.resources import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"
Schema: TypeAlias = "Any"


def _pattern(_validator: object, pattern: str, instance: object, _schema: object) -> Iterator[ValidationError]:
    """Yield an error unless *instance* fits *pattern*, in which ``$`` is the end as schemas mean it.

    Python's ``$`` also stands in front of a last line feed, which would let one through into a command.
    """
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator: Any = validators.extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call] # the stubs forgot it


@cache
def _validator(name: str) -> Any:
    return _Validator(schema(name))


def conform(path: str, name: str, root: Node) -> tuple[Json, list[Problem]]:
    """Return the values of the document *root*, and how they violate the schema called *name*."""
    value = _typed(root, schema(name))
    errors = _validator(name).iter_errors(value)
    problems = list(
        islice((problem for error in errors for problem in _as_problems(path, root, error)), _MOST_VIOLATIONS)
    )
    if len(problems) == _MOST_VIOLATIONS:
        problems.append(Problem(path, 0, 0, f"{_MOST_VIOLATIONS:,} problems or more", "the others are not told"))
    return value, problems


def _typed(node: Node, rules: Schema) -> Json:
    """Return the node's value: where the schema asks for text a scalar stays what was written, quoted or not."""
    match node:
        case Mapping(entries):
            properties = rules.get("properties", {})
            others = rules.get("additionalProperties", {})
            others = others if isinstance(others, dict) else {}
            return {key: _typed(value, properties.get(key, others)) for key, value in entries.items()}
        case Sequence(items):
            return [_typed(item, _branch(item, rules.get("items", {}))) for item in items]
        case Scalar(text):
            return text if _wants_text(rules, node) else node.value


def _branch(node: Node, rules: Schema) -> Schema:
    if "if" not in rules:
        return rules
    return rules["then"] if isinstance(node, Scalar) else rules["else"]


def _wants_text(rules: Schema, node: Scalar) -> bool:
    kinds = rules.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "null" in kinds and node.value is None:
        return False
    return "string" in kinds or "enum" in rules or "const" in rules


def find(root: Node, path: Iterable[str | int]) -> Node:
    """Return the node at *path*, or the innermost on the way to it that exists."""
    node = root
    for step in path:
        if isinstance(node, Mapping) and step in node.entries:
            node = node.entries[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            break
    return node


def key_place(root: Node, path: Iterable[str | int]) -> Place:
    """Return where the key at the end of *path* stands, or the value if it is an item of a list."""
    *parents, last = path
    parent = find(root, parents)
    if isinstance(parent, Mapping) and last in parent.key_places:
        return parent.key_places[str(last)]
    return find(root, [*parents, last]).place


def _as_problems(path: str, root: Node, error: Any) -> Iterator[Problem]:
    """Yield *error* as problems; one that the schema finds at a parent is reported at the child that causes it."""
    at = list(error.absolute_path)
    rules: Any = error.schema
    match error.validator:
        case "additionalProperties":
            keys = [*rules.get("properties", {})]
            for key in error.instance:
                if key not in keys:
                    place = key_place(root, [*at, key])
                    yield Problem(path, place.line, place.column, f"unknown key {excerpt(key)}", suggestion(key, keys))
        case "const":
            place = find(root, at).place
            yield Problem(
                path,
                place.line,
                place.column,
                "neither 'all' nor a condition",
                "write all, {class: NAME} or {environment: NAME}",
            )
        case _ if "propertyNames" in error.absolute_schema_path:
            place = key_place(root, [*at, str(error.instance)])
            yield Problem(
                path,
                place.line,
                place.column,
                f"{excerpt(error.instance)} can't be a name here",
                _name_hint(at, str(error.instance)),
            )
        case _:
            place = find(root, at).place
            name = f"{at[-1]!r}: " if at and isinstance(at[-1], str) else ""
            yield Problem(path, place.line, place.column, name + _message(error), _hint(rules, error))


def _name_hint(at: list[str | int], name: str) -> str:
    if at == ["devices"]:
        return "write a serial number, such as 00-90-33-30-00-af"
    if at == ["queries"]:
        return "use letters, digits, dashes, underscores and dots, and begin with a letter"
    if at not in (["phases"], ["environments"], ["classes"]):
        return "use letters, digits and underscores"
    if name == "all":
        return "'all' is the wild card"
    if name.startswith("_first_"):
        return "names that start with _first_ are gitupd's own"
    if "-" in name:
        return "a dash separates the parts of a snippet's name; use an underscore"
    return "use letters, digits and underscores"


def _message(error: Any) -> str:
    """Return what is wrong in words; jsonschema's own are for those who read schemas."""
    value = "nothing" if error.instance is None else excerpt(error.instance)
    limit = error.validator_value
    match error.validator:
        case "type":
            return f"{value} is not {_kinds(limit)}"
        case "enum":
            return f"{value} is none of {', '.join(map(str, limit))}"
        case "pattern":
            return f"{value} is not understood"
        case "required":
            missing = [name for name in limit if name not in error.instance]
            return f"{', '.join(map(repr, missing))} is missing"
        case "minimum":
            return f"{value} is less than {limit}"
        case "maximum":
            return f"{value} is more than {limit}"
        case "minLength" | "minItems" | "minProperties":  # of all of these, one is the least
            return f"{value} is empty"
        case _:
            return f"{value} has more than {counted(limit, *_NOUNS[error.validator])}"


def excerpt(value: Any) -> str:
    """Return *value* as a part of a sentence, never more than a few words of it."""
    if isinstance(value, dict | list):
        return "this"
    text = repr(value)
    return text if len(text) <= _LONGEST_EXCERPT else f"{text[:_LONGEST_EXCERPT]}…"


_LONGEST_EXCERPT = 80
_MOST_VIOLATIONS = 1000
_MOST_SUGGESTIONS = 100
_MOST_GUESSES = 1000
_NOUNS = {"maxLength": ("character",), "maxItems": ("entry", "entries"), "maxProperties": ("key",)}
_WORDS = {
    "integer": "a whole number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


def _kinds(kinds: str | list[str]) -> str:
    return " or ".join(_WORDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _hint(rules: Schema, error: Any) -> str:
    if error.validator == "enum":
        return suggestion(str(error.instance), [str(value) for value in error.validator_value])
    return as_hint(rules.get("description", "")) if isinstance(rules, dict) else ""


def as_hint(description: str) -> str:
    """Return the *description* of what a schema allows as it stands behind what is wrong."""
    begins = description[:1] if description[1:2].isupper() else description[:1].lower()
    return begins + description[1:].rstrip(".")


def alike(name: str) -> str:
    """Return what is the same for all names that look the same: letters with their accents composed, ASCII folded."""
    return fold(unicodedata.normalize("NFC", name))


def _twin(word: str, names: Iterable[str]) -> str | None:
    """Return the one of *names* that looks the same as *word* and is another one, None if there is none."""
    look, folded = alike(word), fold(word)
    # Of two names in ASCII alone, which almost all are, none is the other's twin: the rest is normalised.
    unlike = names if not word.isascii() else (name for name in names if not name.isascii())
    return next((name for name in unlike if fold(name) != folded and alike(name) == look), None)


def suggestion(word: str, candidates: Iterable[str], *, told: int = 0) -> str:
    """Return "did you mean …?" for a *word* that is close to one of *candidates*, else which ones there are.

    Guessing takes its time, so there is none any more once *told* problems are more than anybody reads.
    """
    if told > _MOST_SUGGESTIONS:
        return ""
    names = list(candidates)
    twin = _twin(word, names)
    if twin is not None:
        return f"did you mean {twin!r}? It looks the same, but its accents are written otherwise (Unicode NFC and NFD)"
    guesses = [name.lower() for name in names] if len(names) <= _MOST_GUESSES else []
    close = get_close_matches(word.lower(), guesses, n=1, cutoff=0.55)
    if close:
        return f"did you mean {next(name for name in names if name.lower() == close[0])!r}?"
    few = ", ".join(names[:12])
    return f"known: {few}{', …' if len(names) > 12 else ''}" if names else ""  # noqa: PLR2004 - a line on a terminal
