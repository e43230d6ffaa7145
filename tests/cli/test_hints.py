"""Hints that can be copied, as the program prints them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.calling import called

from gitupd.cli.lazy import NAMED_SITE, copyable
from gitupd.cli.main import cli


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("see: gitupd devices", "see: gitupd devices --site 'my site'"),
        ("see: gitupd devices unknown", "see: gitupd devices --site 'my site' unknown"),
        (
            "gitupd backups log SN; or gitupd deploy main",
            "gitupd backups log --site 'my site' SN; or gitupd deploy --site 'my site' main",
        ),
        ("(gitupd users list)", "(gitupd users list --site 'my site')"),
        ("gitupd unblock 0123456789ab", "gitupd unblock --site 'my site' 0123456789ab"),
        ("gitupd: site is no gitupd site; create one with: gitupd init site", ""),
        ("gitupd deploy main --site other", ""),
        ("gitupd can't open it, and gitupd serves nothing; gitupd backups", ""),
        ("gitupd hook install", ""),
    ],
)
def test_a_command_names_the_site_that_was_named(said: str, told: str) -> None:
    token = NAMED_SITE.set(None)
    try:
        assert copyable(said, cli) == said
        NAMED_SITE.set(Path("my site"))
        wanted = (
            "gitupd backups log --site 'my site' SN; or gitupd deploy --site 'my site' main" if told is None else told
        )
        assert copyable(said, cli) == (wanted or said)
    finally:
        NAMED_SITE.reset(token)


def test_what_the_program_prints_can_be_copied(tmp_path: Path) -> None:
    place = tmp_path / "a site"
    assert called("init", str(place), cwd=tmp_path).returncode == 0
    named = called("device", "009033000001", "--site", str(place), cwd=tmp_path)
    assert named.stderr == f"gitupd: no device 00-90-33-00-00-01 ever asked; see: gitupd devices --site '{place}'\n"
    assert called("device", "009033000001", cwd=place).stderr.endswith("see: gitupd devices\n")
    frozen = called("freeze", "--reason", "x", "--site", str(place), cwd=tmp_path).stdout.strip()
    command = frozen.partition("until: ")[2]
    assert command == f"gitupd unfreeze --site '{place}'"
    assert called("unfreeze", "--site", str(place), cwd=tmp_path).returncode == 0
