"""The program lists its commands without importing them, and each command imports what it needs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from gitupd.cli.backups import backups
from gitupd.cli.lazy import LazyGroup
from gitupd.cli.main import cli
from gitupd.resources import template_files

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = {"gitupd": cli, "gitupd backups": backups}

# What takes its time to be imported, and no command on a configuration needs.
HEAVY = {
    *("a2wsgi", "alembic", "argon2", "asyncio", "cryptography", "dulwich", "flask", "httptools"),
    *("prometheus_client", "psycopg", "rich", "sqlalchemy", "starlette", "structlog", "uvicorn", "uvloop"),
}

PROGRAM = """
import atexit, sys
atexit.register(lambda: print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr))
from gitupd.cli.main import main
main()
"""


def imported(*arguments: str, where: Path) -> set[str]:
    """Return the packages that the program has imported when it ends."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    ended = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return set(ended.stderr.splitlines()[-1].split())


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A work tree, as a hook finds it."""
    for name, content in template_files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, timeout=60)
    return tmp_path


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["-h"], ["backups", "--help"]], ids=" ".join)
def test_what_needs_no_command_imports_none(arguments: list[str], tmp_path: Path) -> None:
    packages = imported(*arguments, where=tmp_path)
    assert packages & {*HEAVY, "jsonschema", "yaml"} == set()
    assert {"click", "gitupd"} <= packages


@pytest.mark.parametrize(
    "arguments",
    [["validate"], ["validate", "--format", "json"], ["render", "--type", "IP222"], ["test"], ["schema", "phases"]],
    ids=" ".join,
)
def test_commands_on_a_configuration_import_neither_database_nor_web(arguments: list[str], configuration: Path) -> None:
    assert imported(*arguments, where=configuration) & HEAVY == set()


def test_a_repository_is_read_by_dulwich_and_by_nothing_else(configuration: Path) -> None:
    arguments = ("explain", "--type", "IP222")
    assert imported(*arguments, where=configuration) & (HEAVY - {"asyncio", "cryptography"}) == {"dulwich"}


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", GROUPS)
def test_help_is_what_click_would_print_of_the_commands_themselves(name: str, width: int) -> None:
    group = GROUPS[name]
    commands = {name: entry.load() for name, entry in group.entries.items()}
    eager = click.Group(group.name, commands=commands, help=group.help, params=group.params)
    # A group keeps the option for help that it was asked for first: that of the whole program.
    names = {"help_option_names": cli.context_settings["help_option_names"]}
    settings = {
        "info_name": name,
        "terminal_width": width,
        "max_content_width": width,
        **group.context_settings,
        **names,
    }
    context = click.Context(group, **settings)
    assert group.get_help(context) == eager.get_help(click.Context(eager, **settings))
    assert all(command.name == each for each, command in commands.items())


def test_every_group_of_many_rooms_is_lazy() -> None:
    assert GROUPS
    for group in GROUPS.values():
        assert isinstance(group, LazyGroup)
        assert group.commands == {}


def test_a_command_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gitupd", "validat"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "No such command 'validat'" in ended.stderr
