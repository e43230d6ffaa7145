"""Since when each line is there: the version that brought it, whatever came and went meanwhile."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support.damaging import damaged
from support.offices import SERIAL, Office, dump, git, opened

from gitupd.store.backups.stream import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gitupd.core.backups.version import BackupVersion


@contextmanager
def told(path: Path, versions: Sequence[Sequence[str]]) -> Iterator[tuple[Office, list[BackupVersion]]]:
    """Give the block an office in which one device has uploaded *versions*, and these, the oldest first."""
    with opened(path) as office:
        for lines in versions:
            office.upload(dump(*lines))
            office.commit()
        yield office, office.history().versions(SERIAL)[::-1]


def brought(office: Office, version: BackupVersion, seconds: float = 5) -> dict[str, str | None]:
    """Return the commit of each line."""
    found = office.history().origins(version, seconds)
    return {each.line.text: each.version and each.version.commit for each in found}


def test_a_line_is_as_old_as_the_change_that_brought_it(tmp_path: Path) -> None:
    versions = [
        ["config a", "config b", "vars create UPDATE/CHECK p 1"],
        ["config a", "config c", "config b", "vars create UPDATE/CHECK p 2"],
        ["config a", "config b"],
        ["config new", "config a", "config c", "config b", "", "vars create UPDATE/CHECK p 4"],
    ]
    with told(tmp_path / "site", versions) as (office, (first, second, third, last)):
        assert brought(office, last) == {
            "config new": last.commit,
            "config a": first.commit,
            "config c": last.commit,
            "config b": first.commit,
            "": None,
            "vars create UPDATE/CHECK p 4": None,
        }
        assert brought(office, second)["config c"] == second.commit
        assert set(brought(office, third).values()) == {first.commit}
        assert not any(each.is_older for each in office.history().origins(last))


def test_what_git_says_is_said_of_every_line(tmp_path: Path) -> None:
    chance, lines, versions = random.Random(1), [f"config line{number}" for number in range(60)], []
    for version in range(25):
        for _ in range(4):
            del lines[chance.randrange(len(lines))]
            lines.insert(chance.randrange(len(lines) + 1), f"config line{chance.random()}")
        versions.append([*lines, f"config change VERSION /number {version}"])
    with told(tmp_path / "site", versions) as (office, found):
        for version in (found[-1], found[12]):
            blamed = git(office.site.path, "blame", "-s", "-l", "--root", version.commit, "--", path_of(SERIAL))
            expected = {line.partition(") ")[2]: line[:40] for line in blamed.splitlines()}
            assert brought(office, version) == expected


def test_what_is_not_found_in_time_is_said_to_be_older(tmp_path: Path) -> None:
    versions = [["config a"], ["config a", "config b"], ["config a", "config b", "config c"], ["config a", "config d"]]
    with told(tmp_path / "site", versions) as (office, found):
        a, d = office.history().origins(found[-1], seconds=0)
        assert (a.version, a.is_older) == (found[2], True)
        assert (d.version, d.is_older) == (found[3], False)


def test_beyond_a_version_that_is_lost_nothing_is_sure(tmp_path: Path) -> None:
    versions = [["config a"], ["config a", "config b"], ["config a", "config b", "config c"]]
    with told(tmp_path / "site", versions) as (office, found):
        with damaged(office.site.backups.path, found[0].blob):
            lines = office.history().origins(found[-1])
        assert [(each.version, each.is_older) for each in lines] == [(found[1], True)] * 2 + [(found[2], False)]


@pytest.mark.parametrize("secrets", [True, False])
def test_secrets_are_hidden_from_who_may_not_see_them(tmp_path: Path, *, secrets: bool) -> None:
    versions = [["config add SIP /pw first-secret"], ["config add SIP /pw second-secret"]]
    with told(tmp_path / "site", versions) as (office, found):
        (line,) = office.history(secrets=secrets).origins(found[-1])
        assert line.version == found[-1]
        assert line.line.text == f"config add SIP /pw {'second-secret' if secrets else '***'}"
