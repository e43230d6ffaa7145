"""Versions are named, compared and shown; what is secret stays so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from support import fleets
from support.offices import LINES, SERIAL, Office, dump

from gitupd.core.caller import Serial, parse_serial
from gitupd.core.concealing import Values, Veil
from gitupd.core.snapshot import CommitId
from gitupd.errors import SiteError
from gitupd.service.backups.history import BackupHistory
from gitupd.service.backups.search import TextQuery
from gitupd.service.clock import now

pytestmark = pytest.mark.usefixtures("sound_afterwards")


def seen(office: Office, serial: Serial, **more: str) -> None:
    """Remember of a device what it told with a poll."""
    known = fleets.device(13, office.live.deployment.commit, now())
    office.site.inventory.save_sightings([replace(known, serial=serial, **more)])


def test_versions_are_named_in_many_ways(office: Office) -> None:
    for number in range(3):
        office.upload(dump(*LINES, f"config {number}"))
        office.commit()
    history = office.history()
    newest, middle, oldest = history.versions(SERIAL)
    assert history.version(SERIAL, "latest") == history.version(SERIAL, "~0") == newest
    assert history.version(SERIAL, "~1") == history.version(SERIAL, middle.commit[:12]) == middle
    assert history.version(SERIAL, oldest.received.isoformat()) == oldest
    assert history.version(SERIAL, oldest.received.astimezone(timezone(timedelta(hours=9))).isoformat()) == oldest
    assert history.version(SERIAL, "2999-01-01") == history.version(SERIAL, "9999-12-31") == newest
    assert history.last_before(SERIAL, newest.received) == middle
    assert [history.at(each.received) for each in (newest, middle)] == [[newest], [middle]]
    assert history.version(SERIAL, f"{newest.received:%Y-%m-%d}") == newest, "a day means its end"
    for wrong in ("~3", "2001-01-01", "abcdef123", "nonsense", "--help", "../x", "0001-01-01T00:00+09:00"):
        with pytest.raises(SiteError):
            history.version(SERIAL, wrong)
    with pytest.raises(SiteError):
        history.version(parse_serial("00-90-33-00-00-0e"), newest.commit)


def test_secrets_stay_hidden_from_those_who_may_not_see_them(office: Office) -> None:
    canary = "canary-47-secret"
    office.upload(dump(*LINES, "config add SIP /pw first-secret /x 1"))
    office.commit()
    office.upload(dump(*LINES, f"config add SIP /pw {canary} /x 1"))
    office.commit()
    history = office.history(secrets=False)
    old, new = history.version(SERIAL, "~1"), history.version(SERIAL)
    rows = tuple(history.comparison(old, new).rows())
    seen = [history.raw(new), *history.raws([old, new]), history.lines(new), rows, history.search(TextQuery("SIP"))]
    assert canary not in repr(seen)
    (row,) = [row for row in history.comparison(old, new).rows() if row.changed]
    assert row.left.text == row.right.text == "config add SIP /pw *** /x 1"
    assert history.search(TextQuery(canary)) == ([], True)
    assert len(office.history().search(TextQuery(canary))[0]) == 1


def test_all_but_secrets_is_byte_for_byte_as_it_came(office: Office) -> None:
    content = (
        b"config change A /name M\xfcller\r\n\nconfig add SIP /pw first-secret /x 1\rconfig \xc3\xbc\r\n\r\nend\xff"
    )
    office.upload(content)
    office.commit()
    history = office.history(secrets=False)
    version = history.version(SERIAL)
    assert history.raw(version) == content.replace(b"first-secret", b"***")
    (line,), count = history.some_lines(version, 3, 1)
    assert (line.text, count) == ("config add SIP /pw *** /x 1", 6)


def test_secrets_are_those_of_what_was_deployed_and_of_what_the_device_had_got(office: Office) -> None:
    deployed, got = office.live.deployment.commit, CommitId("b" * 40)
    words = {deployed: "word-deployed", got: "word-that-it-had"}

    def past(commits: frozenset[CommitId]) -> Veil:
        return Veil(values=Values(words[each] for each in commits))

    seen(office, SERIAL, sent=got)
    office.upload(dump(*LINES, *(f"config change OLD /text {word}" for word in words.values())))
    office.commit()
    seen(office, SERIAL, sent=deployed)
    office.upload(dump(*LINES, "config change NEW /text word-deployed"))
    office.commit()
    history = BackupHistory(office.site, office.live.snapshot.policy.backup, secrets=False, past=past)
    new, old = history.versions(SERIAL)
    told = [f(version) for f in (history.raw, history.lines) for version in (new, old)]
    told += [[*history.comparison(old, new).rows()], [*history.raws([old, new])]]
    told += [history.search(TextQuery("text")), history.search_through(TextQuery("text"))]
    assert "word-" not in repr(told)
    assert "config change OLD /text ***" in repr(told[4])
    assert history.search(TextQuery("word")) == ([], True)
    assert history.search_through(TextQuery("word")).held == ()


def test_not_even_the_end_of_a_search_tells_what_is_hidden(office: Office) -> None:
    office.upload(dump(*LINES, *(f"config change A{number} /text word-{number}" for number in range(3))))
    office.commit()
    veil = Veil(values=Values(f"word-{number}" for number in range(3)))
    history = BackupHistory(
        office.site, office.live.snapshot.policy.backup, secrets=False, veil=veil, past=lambda _: veil
    )
    assert history.search(TextQuery("word-"), 1) == ([], True)
    hits, complete = history.search(TextQuery("/text"), 1)
    assert ([hit.text for hit in hits], complete) == (["config change A0 /text ***"], False)


def test_a_difference_leaves_volatile_lines_out_and_marks_words(office: Office) -> None:
    office.upload(dump("vars create UPDATE/CHECK p 1", *LINES[:3], "config change CMD0 /name Desk%2012 /x y"))
    office.commit()
    office.upload(dump("vars create UPDATE/CHECK p 2", "", *LINES[:3], "  ", "config change CMD0 /name Desk%2013 /x y"))
    office.commit()
    history = office.history()
    rows = list(history.comparison(history.version(SERIAL, "~1"), history.version(SERIAL)).rows())
    (row,) = [row for row in rows if row.changed]
    assert [(piece.text, piece.changed) for piece in row.after] == [
        ("config change CMD0 /name ", False),
        ("Desk%2013", True),
        (" /x y", False),
    ]
    assert not any(row.left.volatile for row in rows)
