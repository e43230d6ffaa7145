"""Snippets with variables: parsed by Jinja, held against what is allowed, and filled in by its sandbox.

What is allowed is a list, and all of it ends: a template is refused when its commit is validated, with line and cure,
and not stopped when a device waits for it. For each value that a template makes there is a bound on its length, and so
there is one on how long it takes (docs/decisions/0024-templates.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gitupd.config.template_rules import FILTERS, TESTS, Examination, NotAllowed
from gitupd.core.endpoint import quoted
from gitupd.core.secrets.template import Masked, Unfilled
from gitupd.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_TEMPLATE = 64 * 2**10
_LARGEST_SCRIPT = 256 * 2**10
_LONGEST_LINE = 20_000
_VALUE = re.compile(r"\{\{[^{}\n-][^{}\n]*(?<!-)\}\}")
_EDIT = "gitupd secrets edit says what"
_BRACE = re.compile(r"\{[{%#]")


@dataclass(frozen=True, eq=False)
class CheckedTemplate:
    """A template that is allowed; :class:`~gitupd.core.secrets.template.Template` says what each part is."""

    compiled: Any = field(repr=False)
    lines: Mapping[str, int]
    required: frozenset[str]
    entangled: frozenset[str]
    facts: frozenset[str]
    keeps_lines: bool

    def filled(self, values: Mapping[str, str], device: Mapping[str, object]) -> str:
        """Return the text for a *device* with these *values* of variables; raises Unfilled."""
        parts: list[str] = []
        size = 0
        try:
            for part in self.compiled.generate(values, device=device):
                parts.append(part)
                size += len(part)
                if size > _LARGEST_SCRIPT:
                    raise Unfilled(f"it becomes larger than {_LARGEST_SCRIPT >> 10} KiB")
        except UndefinedError as error:
            raise Unfilled(_undefined(error)) from None
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            # Its words may quote a value.
            raise Unfilled(f"what it does can't be done with these values ({type(error).__name__})") from None
        text = "".join(parts)
        if any(len(line) > _LONGEST_LINE for line in text.split("\n")):
            raise Unfilled(f"a line of it becomes longer than {_LONGEST_LINE:,} characters")
        return text


def read_template(path: str, content: bytes, *, secret: bool = False) -> CheckedTemplate | Problem:
    """Return the template in *content*, or what is wrong with it; of a *secret* one nothing is quoted."""
    if len(content) > LARGEST_TEMPLATE:
        message = f"{len(content):,} bytes, more than {LARGEST_TEMPLATE:,} for a template"
        return Problem(path, 0, 0, message, "divide it, or write what has no variables into another snippet")
    try:
        source = content.decode()
    except UnicodeDecodeError as error:
        return Problem(path, content.count(b"\n", 0, error.start) + 1, 0, "not UTF-8", "save the file as UTF-8")
    try:
        tree = template_environment().parse(source)
        examination = Examination(tree)
        return CheckedTemplate(
            template_environment().from_string(tree),
            examination.lines,
            examination.required,
            frozenset(examination.entangled),
            frozenset(examination.facts),
            not any(map(_BRACE.search, _VALUE.sub("", source).split("\n"))),
        )
    except TemplateSyntaxError as error:
        words = "" if secret else f": {(error.message or '').rstrip('.')}"
        return Problem(path, error.lineno, 0, f"not a template that Jinja reads{words}", _EDIT if secret else "")
    except NotAllowed as error:
        if secret:
            return Problem(path, error.line, 0, "something that is not allowed in a template", _EDIT)
        return Problem(path, error.line, 0, str(error), error.hint)
    except (RecursionError, MemoryError, SyntaxError, ValueError):  # numbers of thousands of digits, depth
        return Problem(path, 0, 0, "not a template that Jinja reads: nested too deeply, or too large a number")


@cache
def template_environment() -> ImmutableSandboxedEnvironment:
    """Return what reads templates, and fills them in; what it reads is still to be held against the rules."""
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        loader=None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        cache_size=0,
        optimized=False,
    )
    own: dict[str, Any] = {"urlencode": _urlencode, "default": _default, "d": _default}
    environment.filters = {name: own.get(name) or environment.filters[name] for name in FILTERS}
    environment.tests = {name: environment.tests[name] for name in TESTS}
    environment.globals = {"range": environment.globals["range"]}
    return environment


def _urlencode(value: object) -> str:
    """Return *value* percent-encoded as devices expect it in commands: all but letters, digits and ``-_.~``."""
    text = value if isinstance(value, Masked) else str(value)
    return text if isinstance(text, Masked) else quoted(text)


def _default(value: object, other: object = "", boolean: object = False) -> object:  # noqa: FBT002 - as Jinja calls it
    """Return *other* for a *value* that is undefined, and with *boolean* for an empty one."""
    return other if isinstance(value, StrictUndefined) or (boolean and not value) else value


def _undefined(error: UndefinedError) -> str:
    """Return which variable is not defined, without what else Jinja says."""
    name = (error.message or "").split("'")[1:2]
    return f"{name[0]!r} is not defined for this device" if name else "a value that is not there"
