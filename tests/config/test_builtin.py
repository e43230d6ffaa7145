"""The built-in lists hold together."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import gitupd
from gitupd.config.builtin import BUILTIN
from gitupd.config.patterns import compiled


def test_no_model_is_in_a_class_twice() -> None:
    assert BUILTIN.classes
    for name, models in BUILTIN.classes.items():
        assert len({model.lower() for model in models}) == len(models) > 0, name


def test_every_query_has_a_command_and_a_title() -> None:
    assert set(BUILTIN.queries) >= {"admin"}
    for name, query in BUILTIN.queries.items():
        assert query["command"].startswith("mod cmd "), name
        assert query["title"], name


def test_patterns_are_regular_expressions() -> None:
    assert BUILTIN.volatile_lines
    assert BUILTIN.secret_patterns
    for pattern in (*BUILTIN.volatile_lines, *BUILTIN.secret_patterns):
        assert compiled(pattern).search("") is None, pattern


def test_every_list_is_read_by_somebody() -> None:
    sources = "".join(path.read_text("utf-8") for path in Path(gitupd.__file__).parent.rglob("*.py"))
    assert [field.name for field in fields(BUILTIN) if f"BUILTIN.{field.name}" not in sources] == []
