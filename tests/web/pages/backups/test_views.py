"""What readers see of versions whose time nobody knows any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.histories import Upload, keep
from support.offices import LINES, SERIAL, dump
from support.serving import serving
from support.visitors import add_person, logged_in, unveiled

from gitupd.core.backups.change import Volatile
from gitupd.core.people.person import Role
from gitupd.core.snapshot import CommitId
from gitupd.service.clock import now

if TYPE_CHECKING:
    from gitupd.service.site import Site


def test_of_versions_from_a_commit_that_is_gone_only_verbs_are_shown(own_site: Site) -> None:
    secret = "config change REG /text word-that-was-secret-then"
    keep(own_site, [Upload(SERIAL, now(), dump(*LINES, secret))], Volatile(()), CommitId("f" * 40))
    add_person(own_site, "vera", Role.VIEWER)
    add_person(own_site, "olga", Role.OPERATOR)
    pages = [f"/backups/{SERIAL}/latest", f"/backups/{SERIAL}/latest/raw", f"/backups/{SERIAL}/diff"]
    pages.append("/backups/search?q=word-that-was")
    with serving(own_site.path) as server, logged_in(server, "vera") as vera, logged_in(server, "olga") as olga:
        for page in pages[:2]:
            assert "config ***" in vera.get(page).text
            assert "word-that-was-secret-then" in olga.get(unveiled(page)).text
        assert not any("secret-then" in vera.get(page).text for page in pages)
