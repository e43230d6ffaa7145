"""The story of one device: one list of all that anybody remembers of it, page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.core.backups.restore import RestoreState
from gitupd.core.people.audit import Kind
from gitupd.core.stories.happening import Happening, StoryTopic, deed_on_it, kinds_of, told
from gitupd.core.words import capital, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from gitupd.core.backups.restore import Restore
    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.concealing import Veil
    from gitupd.core.device import Device
    from gitupd.service.answers import ShownAnswer
    from gitupd.service.site import Site
    from gitupd.store.certificates.issued import IssuedCertificate
    from gitupd.store.certificates.rollouts import RolloutRecord

KEPT = timedelta(days=400)
"""How long is kept what happened to devices; in backups, restores, certificates and the audit it stays longer."""

_SAID = frozenset({StoryTopic.WARNING, StoryTopic.BACKUP, StoryTopic.CERTIFICATE, StoryTopic.DEED})
"""Where texts may be of devices and people, who may have said what is secret."""

_FIRST = "Known since then"
_MOST_RESTORES = 500
_MOST_CERTIFICATES = 200
_TOLD_OTHERWISE = frozenset(
    {Kind.RESTORE, Kind.RESTORE_CANCEL, Kind.CERTIFICATE_SIGN, Kind.CERTIFICATE_REVOKE, Kind.DEVICE_FORGET}
)
"""Deeds of which the restores and certificates themselves tell; what was forgotten begins anew."""


@dataclass(frozen=True, slots=True)
class StoryPage:
    """Some of a story, the latest first; ``earlier`` is the time before which the next page begins, None at the end."""

    happenings: tuple[Happening, ...]
    earlier: datetime | None


class Story:
    """What happened to one device, as one reader may know it."""

    def __init__(
        self,
        site: Site,
        device: Device,
        hide: Veil,
        answers: Sequence[ShownAnswer] = (),
        *,
        with_deeds: bool,
        at_once: bool = False,
    ) -> None:
        """Tell of *device*, of which *answers* are shown; *hide* hides secrets in what it said.

        *with_deeds* tells what the audit has of it, too; *at_once* is whether it runs what is deployed without having
        said so, for nothing changed for it.
        """
        self._site, self._device, self._hide, self._answers = site, device, hide, answers
        self._with_deeds, self._at_once = with_deeds, at_once

    def page(self, limit: int, before: datetime | None = None, topic: StoryTopic | None = None) -> StoryPage:
        """Return the latest *limit* happenings, those earlier than *before*, about *topic*; None means all.

        There may be a few more: what happened at one time is never parted.
        """
        found = self._distinct(self._gathered(limit + 1, before, topic))
        end = limit
        while 0 < end < len(found) and found[end].at == found[end - 1].at:
            end += 1
        some = tuple(found[:end])
        return StoryPage(some, some[-1].at if end < len(found) else None)

    def _gathered(self, limit: int, before: datetime | None, topic: StoryTopic | None) -> Iterator[Happening]:
        """Yield what happened earlier than *before*, of each kind at least the latest *limit*."""
        serial = self._device.serial
        sources: list[Iterable[Happening]] = [self._remembered(), self._changes(limit, before, topic)]
        if topic in (None, StoryTopic.BACKUP):
            sources.append(map(_uploaded, self._site.backup_index.of(serial, limit, before)))
            sources += map(_restored, self._site.restores.of(serial, _MOST_RESTORES))
        if topic in (None, StoryTopic.CERTIFICATE):
            sources.append(self._certificates())
        if topic in (None, StoryTopic.DEED) and self._with_deeds:
            sources.append(self._deeds(limit, before))
        for source in sources:
            for each in source:
                if (before is None or each.at < before) and topic in (None, each.topic):
                    yield replace(each, text=self._hide.line(each.text)) if each.topic in _SAID else each

    def _changes(self, limit: int, before: datetime | None, topic: StoryTopic | None) -> Iterator[Happening]:
        kinds = [kind for each in StoryTopic if topic in (None, each) for kind in kinds_of(each)]
        for change in self._site.device_events.of(self._device.serial, limit, before, kinds):
            happening = told(change)
            if happening.topic is not StoryTopic.DEED or self._with_deeds:
                yield happening

    @staticmethod
    def _distinct(happenings: Iterable[Happening]) -> list[Happening]:
        """Return *happenings*, the latest first; what two remember is told once."""
        once = {(each.at, each.text, each.commit): each for each in happenings}
        return sorted(once.values(), key=lambda each: (each.at, each.text != _FIRST), reverse=True)

    def _remembered(self) -> Iterator[Happening]:
        """Yield what is remembered of the device itself: what happened last of each kind, and first of all."""
        device = self._device
        confirmed = "Nothing changed for it, so it runs" if self._at_once else "Confirmed that it executed"
        returned = device.address_returned if device.address_returned != device.address_changed else None
        load = "Was told to load"
        sent, hardware = f"Was sent {counted(len(device.snippets), 'snippet')} of", device.hardware_id
        moments = (
            (device.last_seen, StoryTopic.CALL, "Called last", None),
            (device.confirmed_at, StoryTopic.SCRIPT, confirmed, device.confirmed),
            (device.sent_at, StoryTopic.SCRIPT, sent, device.sent),
            (device.bootcode_requested, StoryTopic.SOFTWARE, f"{load} boot code {device.bootcode_wanted}", None),
            (device.firmware_requested, StoryTopic.SOFTWARE, f"{load} firmware {device.firmware_wanted}", None),
            (
                *(device.address_changed, StoryTopic.PLACE),
                *(f"Called from {device.address}, before from {device.previous_address}", None),
            ),
            (returned, StoryTopic.PLACE, "Called from an address that it had before", None),
            (device.key_changed, StoryTopic.PLACE, "Showed a certificate with another key than before", None),
            (
                *(device.hardware_changed, StoryTopic.PLACE),
                *(f"Called as {hardware}, before as {device.previous_hardware_id}", None),
            ),
            (device.first_seen, StoryTopic.CALL, _FIRST, None),
        )
        for at, topic, text, commit in moments:
            if at is not None:
                yield Happening(at, topic, text, commit)
        for answer in self._answers:
            if answer.received is not None:
                yield Happening(answer.received, StoryTopic.ANSWER, f"Answered the query {answer.title}")
        latest = {message.text: message.at for message in device.messages}
        for text, at in latest.items():
            yield Happening(at, StoryTopic.WARNING, capital(text))

    def _certificates(self) -> Iterator[Happening]:
        record = self._site.rollouts.of(self._device.serial)
        if record is not None:
            yield from _rolled_out(record)
        for issued in self._site.issued.of(self._device.serial, _MOST_CERTIFICATES):
            yield from _issued(issued)

    def _deeds(self, limit: int, before: datetime | None) -> Iterator[Happening]:
        subject = str(self._device.serial)
        for entry in self._site.audit.on(subject, limit, before, _TOLD_OTHERWISE):
            about = f": {entry.detail}" if entry.detail else ""
            yield Happening(entry.at, StoryTopic.DEED, f"{entry.who} {deed_on_it(entry.kind)}{about}")


def _uploaded(version: BackupVersion) -> Happening:
    delta = version.delta
    parts = [f"{counted(delta.added, 'line')} added"] if delta.added else []
    parts += [f"{counted(delta.removed, 'line')} removed"] if delta.removed else []
    what = f": {', '.join(parts)}" if parts else ""
    return Happening(version.received, StoryTopic.BACKUP, f"Uploaded its configuration{what}", version=version.commit)


def _restored(restore: Restore) -> Iterator[Happening]:
    detail = f": {restore.detail}" if restore.detail else ""
    ends = {
        RestoreState.RESTORED: f"Is back at an earlier version{detail}",
        RestoreState.DIFFERS: f"Has something else than the version it went back to{detail}",
        RestoreState.EXPIRED: f"Did not go back to an earlier version{detail}",
        RestoreState.CANCELLED: f"Is not to go back to an earlier version any more{detail}",
    }
    moments = (
        (restore.asked, f"{restore.who} asked that it goes back to an earlier version"),
        (restore.sent, "Was told to fetch an earlier version"),
        (restore.fetched, "Fetched an earlier version"),
        (restore.done, ends.get(restore.state, "")),
    )
    for at, text in moments:
        if at is not None and text:
            yield Happening(at, StoryTopic.BACKUP, text, version=restore.commit)


def _rolled_out(record: RolloutRecord) -> Iterator[Happening]:
    rollout = record.rollout
    moments = (
        (rollout.requested, "Was told to make a signing request"),
        (rollout.asked, "Was asked for its signing request"),
        (rollout.request_at, "Uploaded its signing request"),
        (rollout.signed_at, f"Has a signed certificate to fetch, by {rollout.signed_by or 'somebody'}"),
        (rollout.installed, "Was sent its certificate"),
        (record.stage_at, f"Its certificate is at: {record.stage}. {record.reason}".strip()),
    )
    for at, text in moments:
        if at is not None:
            yield Happening(at, StoryTopic.CERTIFICATE, text)


def _issued(issued: IssuedCertificate) -> Iterator[Happening]:
    number = issued.number[:16]
    yield Happening(
        issued.at, StoryTopic.CERTIFICATE, f"{issued.who} had certificate {number} signed by {issued.signer}"
    )
    if issued.revoked is not None:
        why = f": {issued.revoked_reason}" if issued.revoked_reason else ""
        text = f"{issued.revoked_by} revoked certificate {number}{why}"
        yield Happening(issued.revoked, StoryTopic.CERTIFICATE, text)
