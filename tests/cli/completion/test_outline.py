"""What click is told while it completes is what commands say, and no command is imported for it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from docs.generate import OUTLINE
from support.completing import environment, offers

from gitupd.cli.completion.outline import outline_of, outlined, written
from gitupd.cli.main import COMMANDS, cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAVY = {"alembic", "cryptography", "dulwich", "flask", "jinja2", "jsonschema", "lxml", "psycopg", "rich", "sqlalchemy"}
PROGRAM = """
import atexit, sys
atexit.register(lambda: print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr))
from gitupd.cli.main import main
main()
"""


def test_the_outline_is_up_to_date() -> None:
    assert OUTLINE.read_text("utf-8") == written(cli), "run: python tests/docs/generate.py"


def test_commands_that_are_built_of_it_have_the_same_outline() -> None:
    rebuilt = click.Group(commands={name: command for name in COMMANDS if (command := outlined(name)) is not None})
    assert outline_of(rebuilt) == outline_of(cli)


def leaves(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield from leaves(command) if isinstance(command, click.Group) else [command]


def test_whatever_is_completed_does_nothing() -> None:
    program = click.Group(commands={name: command for name in COMMANDS if (command := outlined(name)) is not None})
    assert [command.name for command in leaves(program) if command.callback is not None] == []


def test_there_is_no_command_of_another_name() -> None:
    assert outlined("frobnicate") is None


@pytest.mark.parametrize(
    "words",
    [("",), ("dev",), ("backups", ""), ("devices", "--"), ("users", "role", "x", ""), ("device", "00-90")],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(words: tuple[str, ...], place: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=place,
        env=environment(("gitupd", *words), "bash"),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert ended.stdout.startswith("plain,")
    modules = set(ended.stderr.split())
    assert "click" in modules
    assert modules & HEAVY == set()


def test_names_of_commands_and_options_have_their_summaries(tmp_path: Path) -> None:
    offered = offers("dev", where=tmp_path)
    assert offered.keys() == {"device", "devices"}
    assert all(COMMANDS[name].summary.startswith(said.removesuffix("...")) for name, said in offered.items())
    assert set(offers("backups", "re", where=tmp_path)) == {"restore", "restores"}
    assert offers("devices", "--desc", where=tmp_path) == {"--descending": "Sort the other way round."}
    assert set(offers("devices", "--sort", "na", where=tmp_path)) == {"name"}
    assert set(offers("users", "role", "ada", "adm", where=tmp_path)) == {"administrator"}
    assert set(offers("status", "--site", "", where=tmp_path)) == {"dir"}
    assert set(offers("firmware", "add", "1", "", where=tmp_path)) == {"file"}
    assert set(offers("devices", "--columns", "name,see", where=tmp_path)) == {"name,seen"}
