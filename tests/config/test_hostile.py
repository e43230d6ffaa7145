"""Trees that nobody means are refused, or accepted, in moderate time.

Each takes less than two seconds. The bound is generous, for machines that are busy; what it is there for took minutes.
"""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING

import pytest
from support.pace import slowness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Callable[[Mapping[str, str | bytes]], list[str]]

_SECONDS = 20
_ENVIRONMENTS = "environments.yaml"
_CLASSES = "classes.yaml"
_BACKUP = "policies/backup.yaml"


def _named(kind: str, count: int, value: str = "{}") -> str:
    return f"{kind}:\n" + "".join(f"  a{number}: {value}\n" for number in range(count))


def _devices(environment: str) -> str:
    names = ",".join([environment] * 8)
    return "devices:\n" + "".join(f"  0090333{number:05x}: {{environments: [{names}]}}\n" for number in range(10_000))


SNIPPETS = {f"snippets/nowhen-nobody-nowhere{number}.txt": "" for number in range(19_000)}
MODELS = f"classes: {{a: {{models: [{','.join(f'm{number}' for number in range(100_000))}]}}}}"

LETTERS = f"'(?i){'[a-😀]' * 190}'"
LINES, WARNINGS = b"ab\n" * 1_300_000, b"reset\n" * 600_000

TREES: dict[str, tuple[Mapping[str, str | bytes], str]] = {
    "environments and snippets": (
        {_ENVIRONMENTS: _named("environments", 30_000), **SNIPPETS},
        "environments.yaml:1:1: 30,000 environments, more than 2,000; this is hardly meant",
    ),
    "as many environments as allowed, and snippets": (
        {_ENVIRONMENTS: _named("environments", 2_000), **SNIPPETS},
        "snippets/nowhen-nobody-nowhere0.txt: unknown class or model 'nobody'; known: all, ",
    ),
    "models and snippets": (
        {_CLASSES: MODELS, **SNIPPETS},
        "snippets/nowhen-nobody-nowhere0.txt: unknown class or model 'nobody'; known: a, all, ",
    ),
    "models and conditions": (
        {_CLASSES: MODELS, "policies/firmware.yaml": f"applies: [{','.join(['{class: x}'] * 45_000)}]"},
        "policies/firmware.yaml:1:19: unknown class or model 'x'; known: phone, ",
    ),
    "environments and devices": (
        {_ENVIRONMENTS: _named("environments", 45_000), "devices.yaml": _devices("a44999")},
        "environments.yaml:1:1: 45,000 environments, more than 2,000; this is hardly meant",
    ),
    "as many environments as allowed, and devices": (
        {_ENVIRONMENTS: _named("environments", 2_000), "devices.yaml": _devices("b")},
        "devices.yaml:2:33: unknown environment 'b'; known: a0, a1, ",
    ),
    "classes": (
        {_CLASSES: _named("classes", 40_000, "{snippets: zz}")},
        "classes.yaml:1:1: 40,000 classes, more than 1,000; this is hardly meant",
    ),
    "phases": (
        {"phases.yaml": _named("phases", 40_000, "{order: 1}")},
        "phases.yaml:1:1: 40,000 phases, more than 100; this is hardly meant",
    ),
    "queries": (
        {"queries.yaml": _named("queries", 40_000)},
        "queries.yaml:1:1: 40,000 queries, more than 200; this is hardly meant",
    ),
    "unknown keys": (
        {"policies/delivery.yaml": "".join(f"k{number}: 1\n" for number in range(60_000))},
        "policies/delivery.yaml: 1,000 problems or more; the others are not told",
    ),
    "regular expressions": (
        {_BACKUP: f"hide: [{','.join([LETTERS] * 100)}]"},
        f"{_BACKUP}:1:8: {LETTERS[:80]}… is too large",
    ),
    "snippets of warnings": (
        {f"snippets/all-all-0090333{number:05x}.txt": WARNINGS for number in range(10)},
        "snippets/all-all-009033300000.txt: warning: more than 20 warnings; only the first 20 are told",
    ),
    "large snippets": (
        {f"snippets/all-all-0090333{number:05x}.txt": LINES for number in range(10)},
        "snippets/all-all-009033300008.txt: warning: not looked through for mistakes, as the snippets are more than",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TREES)
def test_takes_moderate_time(told: Told, name: str) -> None:
    files, first = TREES[name]
    started = process_time()
    found = told(files)
    assert process_time() - started < _SECONDS * slowness()
    assert found[0].startswith(first)
