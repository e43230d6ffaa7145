from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.snapshot import CommitId
from gitupd.service.pushing.pushers import PUSHERS, note_pusher, pusher_of, pushers, site_of

if TYPE_CHECKING:
    from pathlib import Path


def commit(number: int) -> CommitId:
    return CommitId(f"{number:040x}")


def test_the_latest_pushers_are_known(tmp_path: Path) -> None:
    assert pusher_of(tmp_path, commit(1)) is None
    note_pusher(tmp_path, [commit(1), commit(2)], "tess")
    note_pusher(tmp_path, [commit(2)], "olga\nand 3 others")
    assert [pusher_of(tmp_path, commit(number)) for number in (1, 2, 3)] == ["tess", "olga and 3 others", None]
    assert pushers(tmp_path) == {commit(2): ["olga and 3 others", "tess"], commit(1): ["tess"]}
    for first in (1_000, 2_000, 3_000):
        note_pusher(tmp_path, [commit(number) for number in range(first, first + 1_000)], "tess")
    assert len((tmp_path / PUSHERS).read_text().splitlines()) == 2_000
    assert pusher_of(tmp_path, commit(2)) is None


def test_nobody_hides_a_push_behind_others(tmp_path: Path) -> None:
    head = commit(16**39)
    note_pusher(tmp_path, [*map(commit, range(999)), head], "eve")
    assert pusher_of(tmp_path, head) == "eve"
    note_pusher(tmp_path, map(commit, range(1_000, 2_000)), "eve")
    assert pusher_of(tmp_path, head) == "eve"
    note_pusher(tmp_path, [commit(1)] * 3_000, "eve")
    assert pusher_of(tmp_path, head) == "eve"


def test_what_can_t_be_read_or_written_keeps_nobody_from_pushing(tmp_path: Path) -> None:
    (tmp_path / PUSHERS).write_bytes(b"\xff\xfe")
    assert pusher_of(tmp_path, commit(1)) is None
    note_pusher(tmp_path, [commit(1)], "tess")
    assert pusher_of(tmp_path, commit(1)) == "tess"
    note_pusher(tmp_path / "gone", [commit(1)], "tess")


def test_only_a_site_s_own_repository_has_a_site(tmp_path: Path) -> None:
    repository = tmp_path / "config.git"
    repository.mkdir()
    assert site_of(repository) is None
    (tmp_path / "gitupd.toml").write_text("")
    assert site_of(repository) == tmp_path
    assert site_of(tmp_path / "backups.git") is None
