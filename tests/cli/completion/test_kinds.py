"""Every argument and option of the program completes something, or is known to take what nobody can foresee."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from gitupd.cli.completion.kinds import Completed, CompletedNumber
from gitupd.cli.completion.outline import kind_facts
from gitupd.cli.completion.values import KINDS
from gitupd.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

FREE = {
    *("--reason", "--title", "--text", "--release", "text"),  # words of people
    *("--since", "--until", "--at", "--before", "--clock"),  # times
    *("--http", "--https", "--mtls", "--host", "--from", "--prove", "--address", "url"),  # places in the network
    *("--check", "--hwid", "--polling", "--answer"),  # what only the device itself says
    *("certificates init --name", "secrets recipients --add", "users add name", "searches rename new"),  # what is new
    *("hook update ref", "hook update old", "hook update new"),  # what Git says
}
"""What takes any text, by its name or with its command."""


def parameters(group: click.Group = cli, path: str = "") -> Iterator[tuple[str, click.Parameter]]:
    """Yield every argument and option that takes a value, each with its command."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from parameters(command, f"{path}{name} ")
        elif command is not None:
            for each in command.params:
                if not (isinstance(each, click.Option) and each.is_flag):
                    yield f"{path}{name}", each


ALL = list(parameters())


def called(parameter: click.Parameter) -> str:
    return parameter.opts[0] if isinstance(parameter, click.Option) else str(parameter.name)


def test_all_that_takes_a_text_completes_it_or_is_free() -> None:
    assert len(ALL) > 200
    number = (click.IntRange, click.FloatRange, type(click.INT), type(click.FLOAT))
    silent = {
        f"{command} {called(each)}"
        for command, each in ALL
        if kind_facts(each)["kind"] == "free" and not isinstance(each.type, number)
        if not {called(each), f"{command} {called(each)}"} & FREE
    }
    assert silent == set()


def test_what_is_free_is_there() -> None:
    names = {name for command, each in ALL for name in (called(each), f"{command} {called(each)}")}
    assert FREE - names == set()


def test_what_takes_a_thing_of_a_kind_completes_that_kind() -> None:
    """By the names that people read, whatever the code calls them."""
    expected = {
        "DEVICE": {"device", "kept-device"},
        "DEVICE...": {"device"},
        "SN...": {"serial"},
        "[DEVICE]": {"kept-device"},
        "DEVICE[@REV]": {"device-and-version"},
        "REV": {"revision", "revision-here", "deployed", "blocked", "version"},
        "COMMIT": {"refused"},
        "[FILTER]...": {"filter"},
        "FILTER...": {"filter"},
        "FILTER": {"filter"},
        "BUILD": {"build"},
        "FIRMWARE,BOOTCODE": {"build"},
        "TYPE[,TYPE…]": {"model"},
        "ENV[,ENV…]": {"environment"},
        "ID": {"token"},
        "ID...": {"code"},
    }
    found = [(each.metavar, kind_facts(each)["kind"]) for _, each in ALL if each.metavar in expected]
    assert {metavar for metavar, _ in found} == set(expected)
    assert [pair for pair in found if pair[1] not in expected[pair[0]]] == []


def test_every_site_is_a_folder() -> None:
    kinds = {command: kind_facts(each)["kind"] for command, each in ALL if called(each) == "--site"}
    assert len(kinds) > 60
    assert set(kinds.values()) == {"folder"}


def test_every_kind_has_its_values() -> None:
    used = {each.type.kind for _, each in ALL if isinstance(each.type, Completed | CompletedNumber)}
    assert {kind.name for kind in used if not kind.closed} == KINDS


@pytest.mark.parametrize("text", ["", "no such thing", "ä"])
def test_a_text_is_taken_as_it_is(text: str) -> None:
    assert Completed("device").convert(text, None, None) == text
