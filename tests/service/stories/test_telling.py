"""The story of a device, from a real site."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gitupd.core.backups.change import Delta, Fingerprint
from gitupd.core.backups.restore import RestoreState
from gitupd.core.backups.version import BackupVersion
from gitupd.core.caller import parse_serial
from gitupd.core.concealing import Values, Veil
from gitupd.core.device import Device, Message
from gitupd.core.people.audit import Event, Kind
from gitupd.core.snapshot import CommitId
from gitupd.core.stories.happening import StoryTopic
from gitupd.service.site import Site
from gitupd.service.stories.telling import Story
from gitupd.store.restores import Wish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
SERIAL = parse_serial("00-90-33-30-00-af")
A, VERSION = CommitId("a" * 40), CommitId("c" * 40)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site.create(tmp_path / "site")
    yield made
    made.close()


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def lived(site: Site) -> Device:
    """Have the device live for half an hour, and return what is remembered of it."""
    first = Device(SERIAL, first_seen=NOON, last_seen=NOON, address="10.0.0.7", environments=("berlin",))
    site.inventory.save_sightings([first])
    site.inventory.save_sightings(
        [Device(SERIAL, first_seen=NOON, last_seen=at(1), environments=("munich",), sent=A, sent_at=at(1))]
    )
    site.inventory.save_sightings(
        [
            Device(SERIAL, first_seen=NOON, last_seen=at(2), environments=("munich",), confirmed=A, confirmed_at=at(2)),
            Device(
                SERIAL,
                first_seen=NOON,
                last_seen=at(3),
                environments=("munich",),
                messages=(Message(at(3), "pw geheim is odd"),),
            ),
        ]
    )
    print_ = Fingerprint("f" * 64)
    site.backup_index.add([BackupVersion(SERIAL, at(4), VERSION, "b" * 40, print_, 9, 9, Delta(3, 1), {})])
    wish = Wish(SERIAL, VERSION, "token", print_, at(5), "otto")
    restore = site.restores.ask(wish, Event(at(5), "otto", Kind.RESTORE, str(SERIAL)))
    site.restores.note_sent([(restore.id, at(6))])
    site.restores.fetch(restore.id, at(7))
    site.restores.close(restore.id, at(8), RestoreState.RESTORED, "all lines are there")
    site.inventory.touch([SERIAL], Event(at(9), "otto", Kind.DEVICE_TOUCH))
    return site.inventory.device(SERIAL)


def story(site: Site, device: Device, veil: Veil | None = None, *, with_deeds: bool = True) -> Story:
    return Story(site, device, veil or Veil(lifted=True), with_deeds=with_deeds)


def test_all_that_anybody_remembers_is_one_list(site: Site) -> None:
    device = lived(site)
    page = story(site, device).page(100)
    assert [(each.at, each.text, each.commit or each.version) for each in page.happenings] == [
        (at(9), "Called last", None),
        (at(9), "otto let it count as seen", None),
        (at(8), "Is back at an earlier version: all lines are there", VERSION),
        (at(7), "Fetched an earlier version", VERSION),
        (at(6), "Was told to fetch an earlier version", VERSION),
        (at(5), "otto asked that it goes back to an earlier version", VERSION),
        (at(4), "Uploaded its configuration: 3 lines added, 1 line removed", VERSION),
        (at(3), "Pw geheim is odd", None),
        (at(2), "Confirmed that it executed", A),
        (at(1), "Was sent 0 snippets of", A),
        (at(1), "Moved to munich from berlin", None),
        (NOON, "Known since then", None),
    ]
    assert page.earlier is None


def test_pages_follow_each_other_and_part_nothing_that_happened_at_one_time(site: Site) -> None:
    device = lived(site)
    whole = story(site, device).page(100).happenings
    for size in (1, 2, 3, 5, 11, 12):
        before, told = None, []
        for _ in range(20):
            page = story(site, device).page(size, before)
            told += page.happenings
            if (before := page.earlier) is None:
                break
        assert tuple(told) == whole


def test_a_story_can_be_about_one_thing(site: Site) -> None:
    device = lived(site)
    whole = story(site, device).page(100).happenings
    for topic in StoryTopic:
        assert story(site, device).page(100, topic=topic).happenings == tuple(
            each for each in whole if each.topic is topic
        )
    assert story(site, device).page(1, topic=StoryTopic.BACKUP).earlier == at(8)


def test_deeds_and_secrets_are_not_for_everybody(site: Site) -> None:
    device = lived(site)
    texts = [
        each.text
        for each in story(site, device, Veil(values=Values(["geheim"])), with_deeds=False).page(100).happenings
    ]
    assert "otto let it count as seen" not in texts
    assert not any("geheim" in text for text in texts)
    assert "Moved to munich from berlin" in texts
