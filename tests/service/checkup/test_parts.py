"""Faults of database, repositories, hooks and disk, each planted at a real site."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from gitupd.service.site import Site
from gitupd.store.tables import REVISION

if TYPE_CHECKING:
    from checkup.conftest import Examined


def test_a_database_that_is_missing_is_not_made(site: Site, examined: Examined) -> None:
    (site.path / "gitupd.db").unlink()
    assert examined()["gitupd.db"].what.startswith("there is no database")
    assert not (site.path / "gitupd.db").exists()


def test_tables_that_are_older_or_newer_stay_as_they_are(site: Site, examined: Examined) -> None:
    for revision, cure in (("0003", "make a copy of the site;"), ("9999", "install the gitupd that was here before")):
        with site.database.connection() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (revision,))
        (finding,) = examined().values()
        assert finding.what == f"its tables are of revision {revision}, and this gitupd has {REVISION}"
        assert finding.cure.startswith(cure)
        assert site.database.revisions() == (revision, REVISION)


def test_a_damaged_database(site: Site, examined: Examined) -> None:
    site.close()
    with (site.path / "gitupd.db").open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 4096 * 8)
    opened = Site(site.path)
    assert any("database" in place or "gitupd.db" in place for place in examined(opened=opened))
    opened.close()


def test_the_followed_branch_is_gone(site: Site, examined: Examined) -> None:
    (site.path / "config.git/refs/heads/main").rename(site.path / "config.git/refs/heads/trunk")
    found = examined()
    assert "no commit is waited for, and none is deployed by itself" in found["config.git"].what


def test_the_repository_is_gone(site: Site, examined: Examined) -> None:
    shutil.rmtree(site.path / "config.git")
    assert "config.git" in examined()


def test_hooks_that_git_passes_over(site: Site, examined: Examined) -> None:
    hook = site.path / "config.git/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    (hook.parent / "update.sample").write_text("#!/bin/sh\n")
    hook.write_text("#!/bin/sh\nexit 0\n")
    hook.chmod(0o644)
    (finding,) = examined().values()
    assert (finding.where, finding.what) == (str(hook), "Git does not run this hook, for it is not executable")
    hook.chmod(0o755)
    assert examined() == {}


def test_the_disk_is_full(site: Site, examined: Examined) -> None:
    (site.path / "gitupd.toml").write_text("disk_reserve = 1073741824\n", "utf-8")
    opened = Site(site.path)
    (finding,) = examined(opened=opened).values()
    assert finding.what.startswith("only ")
    assert "MiB are free on the disk of the site" in finding.what
    opened.close()
