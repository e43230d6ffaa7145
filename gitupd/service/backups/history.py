"""Reading the backup history: versions, what changed between them, and which devices hold a text.

Whoever may not see secrets gets everything with ``***`` in their place, and never learns from a search or a difference
what stands there.
"""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING

from gitupd.core.backups.change import Volatile, lines_of
from gitupd.core.backups.snippet import snippet_between
from gitupd.core.caller import parse_serial
from gitupd.core.concealing import HIDDEN, Veil
from gitupd.errors import SiteError
from gitupd.service.backups import search
from gitupd.service.backups.difference import Comparison, VersionLine
from gitupd.service.backups.origins import LineSource, origins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo

    from gitupd.core.backups.version import BackupVersion
    from gitupd.core.caller import Serial
    from gitupd.core.policy import Backup
    from gitupd.core.snapshot import CommitId
    from gitupd.service.backups.difference import Numbered
    from gitupd.service.backups.search import HistorySearch, Hit, TextQuery
    from gitupd.service.site import Site

    Past = Callable[[frozenset[CommitId]], Veil]
    """Returns what hides the secrets of some commits, besides those of today."""

_STEPS_BACK = re.compile(r"(?:latest|HEAD)?~(\d{1,6})")
_COMMIT = re.compile(r"[0-9a-f]{4,40}")
_MOMENT = timedelta(microseconds=1)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
_REMEMBERED_LINES = 10_000
_MOST_VERSIONS = 1_000_000
_SOME_LINES = 3
"""Lines of a device that are looked for when one is enough, unless that is hidden for what was a secret in its time."""

_STEP_SECONDS = 0.1
"""How precisely the time of a search is known to who may not see secrets: it takes longer if it finds hidden ones."""

_LONGEST_LOOKED_THROUGH = 32_768
"""Characters of a line that are looked through for secrets; a longer one is hidden as a whole."""


class BackupHistory:
    """The backup history as somebody may see it."""

    def __init__(
        self, site: Site, policy: Backup, *, secrets: bool, veil: Veil | None = None, past: Past | None = None
    ) -> None:
        """Read the history of *site*; with *secrets* as it is, but for what *veil* hides from everybody.

        Else what *veil* hides is replaced, None standing for what *policy* calls secret; in a version also what the
        commits called secret that were deployed when it came, for which *past* returns the veil.
        """
        self._site, self._past = site, past
        self._veil = veil or Veil(policy.hide)
        if secrets:
            self._veil = Veil(lifted=True, sealed=self._veil.sealed)
        self._volatile = Volatile(policy.ignore)

    def versions(self, serial: Serial, limit: int = 100, before: datetime | None = None) -> list[BackupVersion]:
        """Return the versions of a device, the newest first."""
        return self._site.backup_index.of(serial, limit, before)

    def newest(self, limit: int = 100) -> list[BackupVersion]:
        """Return the newest versions of all devices, the newest first."""
        return self._site.backup_index.newest(limit)

    def within(self, serial: Serial | None, since: datetime, until: datetime, limit: int) -> list[BackupVersion]:
        """Return the versions received from *since* on and before *until*, of a device or of all, the newest first."""
        if serial is not None:
            return [version for version in self.versions(serial, limit, until) if version.received >= since]
        listed = self._site.backup_timeline.versions(limit, between=(since, until))
        return [entry.version for entry in listed]

    def latest(self) -> list[BackupVersion]:
        """Return the latest version of every device, by serial number."""
        return self._site.backup_index.at(_LAST_MOMENT)

    def version(self, serial: Serial, revision: str = "latest") -> BackupVersion:
        """Return the version of a device that *revision* names.

        That is ``latest``, ``~2`` for the second before it, the beginning of a commit id, or a time such as
        ``2026-05-01`` or ``2026-05-01T12:00`` (UTC unless it says otherwise), at which it was the present one. Raises
        SiteError if there is none.
        """
        version = self._named(serial, revision)
        if version is None or version.serial != serial:
            raise SiteError(f"device {serial} has no version {revision!r}; see: gitupd backups log {serial}")
        return version

    def oldest(self, serial: Serial) -> BackupVersion | None:
        """Return the first version of a device, None if it has none."""
        first = self._site.backup_timeline.extent(serial).first
        return None if first is None else self.last_before(serial, first + _MOMENT)

    def last_before(self, serial: Serial, moment: datetime) -> BackupVersion | None:
        """Return the version that a device had right before *moment*, None if it had none yet."""
        return next(iter(self.versions(serial, 1, moment)), None)

    def _named(self, serial: Serial, revision: str) -> BackupVersion | None:
        index = self._site.backup_index
        steps = _STEPS_BACK.fullmatch(revision)
        if revision in ("latest", "HEAD", "") or steps:
            number = int(steps[1]) if steps else 0
            versions = index.of(serial, number + 1)
            return versions[number] if len(versions) > number else None
        if _COMMIT.fullmatch(revision) and (version := index.version(revision)) is not None:
            return version
        moment = parse_moment(revision)
        versions = index.of(serial, 1, None if moment == _LAST_MOMENT else moment + _MOMENT)
        return versions[0] if versions else None

    def raw(self, version: BackupVersion) -> bytes:
        """Return a version byte for byte as it was uploaded, or with secrets replaced line by line."""
        content, veil = self._site.backups.content(version.blob), self.veil_of(version)
        return content if veil.lifted else b"".join(map(_remembering(veil), BytesIO(content)))

    def raws(self, versions: Sequence[BackupVersion]) -> Iterator[bytes]:
        """Yield many versions, each as by itself, which are read one after the other."""
        last: Veil | None = None
        veiled = _remembering(self._veil)
        with closing(self._site.backups.stream([version.blob for version in versions])) as contents:
            for version, content in zip(versions, contents, strict=True):
                if (veil := self.veil_of(version)) is not last:  # most have the same, and most lines in common
                    last, veiled = veil, _remembering(veil)
                yield content if veil.lifted else b"".join(map(veiled, BytesIO(content)))

    def lines(self, version: BackupVersion) -> tuple[VersionLine, ...]:
        """Return the lines of a version."""
        return self.some_lines(version, 1, None)[0]

    def some_lines(self, version: BackupVersion, first: int, most: int | None) -> tuple[tuple[VersionLine, ...], int]:
        """Return *most* lines of a version from number *first* on, None for all, and how many it has."""
        content = self._site.backups.content(version.blob)
        lines = islice(lines_of(BytesIO(content)), first - 1, None if most is None else first - 1 + most)
        return tuple(self.veiled_lines(version, enumerate(lines, first))), _count(content)

    def veiled_lines(self, version: BackupVersion, numbered: Iterable[Numbered]) -> Iterator[VersionLine]:
        """Yield lines of a version, each given with its number, as they may be seen."""
        veil = self.veil_of(version)
        return (self._line(veil, number, line) for number, line in numbered)

    def origins(self, version: BackupVersion, seconds: float = 5) -> tuple[LineSource, ...]:
        """Return the lines of a version, each with the version that brought it, as far as that is found in time."""
        versions = self.versions(version.serial, _MOST_VERSIONS)
        place = next(number for number, candidate in enumerate(versions) if candidate.commit == version.commit)
        sources = origins(self._site, versions[place:], self._volatile, seconds)
        return tuple(
            LineSource(line, sources.versions.get(line.number), is_older=line.number in sources.unsure)
            for line in self.lines(version)
        )

    def plain(self, version: BackupVersion) -> Iterator[str]:
        """Yield the lines of a version as they are, for those who decide and show none of it."""
        lines = lines_of(BytesIO(self._site.backups.content(version.blob)))
        return (line.decode(errors="replace") for line in lines)

    def veil_of(self, *versions: BackupVersion | None) -> Veil:
        """Return what hides secrets in *versions*: in the time of some, others may have been in force."""
        commits = {version.facts.get(fact) for version in versions if version for fact in ("delivered", "deployed")}
        if self._veil.lifted or self._past is None:
            return self._veil
        return self._past(frozenset(filter(None, commits)))

    def _line(self, veil: Veil, number: int, line: bytes) -> VersionLine:
        text, secret = _veiled_text(line, veil)
        return VersionLine(number, _readable(text), line in self._volatile or not line.strip(), secret)

    def comparison(self, old: BackupVersion | None, new: BackupVersion, most: int | None = None) -> Comparison:
        """Return what *new* changed against *old*, None for nothing; volatile and blank lines are left out.

        Only the first *most* lines of each are compared, None for all of them.
        """
        before, after = self._counting(old, most), self._counting(new, most)
        pairs = ((old, before), (new, after))
        left = [version.lines - len(lines) for version, lines in pairs if version and len(lines) == most]
        return Comparison(before, after, partial(self._line, self.veil_of(old, new)), max([0, *left]))

    def snippet(self, old: BackupVersion, new: BackupVersion, most: int | None = None) -> tuple[str, ...]:
        """Return commands that make *new* of *old*, as far as such are known; those with hidden secrets as comments.

        Only the first *most* lines of each are compared, None for all of them.
        """
        read = partial(self._line, self.veil_of(old, new))
        sides = (
            [(_readable(line.decode(errors="replace")), read(number, line).text) for number, line in counted]
            for counted in (self._counting(version, most) for version in (old, new))
        )
        return snippet_between(*sides)

    def _counting(self, version: BackupVersion | None, most: int | None) -> list[Numbered]:
        content = b"" if version is None else self._site.backups.content(version.blob)
        numbered = enumerate(lines_of(BytesIO(content)), 1)
        counted = ((number, line) for number, line in numbered if line.strip() and line not in self._volatile)
        return list(islice(counted, most))

    def search(self, query: TextQuery, limit: int = 500, per_device: int | None = None) -> tuple[list[Hit], bool]:
        """Return the lines that *query* finds in the latest versions of devices, and whether that is all of them.

        *per_device* is how many of a device are looked for, None for all. What is hidden is not found. Raises SiteError
        if it takes too long.
        """
        started = time.monotonic()
        hits, complete = search.latest(self._site, query, self._visible_text, limit, per_device)
        if not self._veil.lifted:
            versions = self._site.backup_index.latest({parse_serial(hit.serial) for hit in hits})
            hits = [one for hit in hits for one in self._still(query, [hit], versions.get(parse_serial(hit.serial)))]
            time.sleep(_STEP_SECONDS - (time.monotonic() - started) % _STEP_SECONDS)
        return hits, complete

    def lacking(self, query: TextQuery) -> tuple[list[Serial], list[Hit]]:
        """Return the devices in whose latest version *query* finds nothing, by serial number, and what others have.

        What is hidden is not found, so with it a device counts as one without. Raises SiteError if it takes too long.
        """
        hits, _ = self.search(query, _MOST_VERSIONS, 1 if self._veil.lifted else _SOME_LINES)
        holders = {hit.serial for hit in hits}
        serials = [version.serial for version in self.latest() if query.looks_at(version.serial)]
        return [serial for serial in serials if str(serial) not in holders], hits

    def search_through(self, query: TextQuery, *, before: int | None = None, seconds: float = 5) -> HistorySearch:
        """Return which devices ever had what *query* finds, as far as that is found within *seconds*.

        *before* is where to go on. What is hidden is not found. Raises SiteError.
        """
        result = search.through_history(self._site, query, self._visible_text, before=before, seconds=seconds)
        held = [replace(holder, lines=tuple(self._still(query, holder.lines, holder.last))) for holder in result.held]
        return replace(result, held=tuple(holder for holder in held if holder.lines))

    def _still(self, query: TextQuery, hits: Iterable[Hit], version: BackupVersion | None) -> Iterator[Hit]:
        """Yield *hits* in a version as far as they are some still without what was secret in its time."""
        veil = self.veil_of(version)
        for hit in hits:
            if query.is_in(seen := veil.line(hit.text)):
                yield replace(hit, text=seen)

    def _visible_text(self, line: bytes) -> str:
        return _readable(_veiled_text(line, self._veil)[0])

    def at(self, moment: datetime) -> list[BackupVersion]:
        """Return the version that each device had at *moment*, by serial number."""
        return self._site.backup_index.at(moment)


def parse_moment(text: str, zone: tzinfo = UTC) -> datetime:
    """Return the time in *text*, ``2026-05-01`` (its end) or ``2026-05-01T12:00``, of *zone* unless it says otherwise.

    Of an hour that the clock shows twice it is the first. Raises SiteError.
    """
    try:
        moment = datetime.fromisoformat(text)
        if len(text) == len("2026-05-01"):
            moment = (moment + timedelta(days=1, microseconds=-1)).replace(fold=1)
        return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SiteError(f"{text!r} is neither a version nor a time such as 2026-05-01T12:00") from error


def parse_beginning(text: str) -> datetime:
    """Return the time in *text*, of a day its beginning; raises SiteError."""
    moment = parse_moment(text)
    try:
        return moment - timedelta(days=1, microseconds=-1) if len(text) == len("2026-05-01") else moment
    except OverflowError as error:
        raise SiteError(f"{text!r} is longer ago than a time can be") from error


def _veiled_text(line: bytes, veil: Veil) -> tuple[str, bool]:
    """Return a line as *veil* leaves it, and whether that is another one."""
    whole = line.decode(errors="surrogateescape")
    if not veil.lifted and len(whole) > _LONGEST_LOOKED_THROUGH:
        return HIDDEN, True
    text = veil.line(whole)
    return text, text != whole


def _remembering(veil: Veil) -> Callable[[bytes], bytes]:
    """Return what veils lines, and knows those again that it had lately."""
    return lru_cache(_REMEMBERED_LINES)(partial(_veiled, veil))


def _veiled(veil: Veil, part: bytes) -> bytes:
    """Return some whole lines with the ends that they had."""
    parts = re.split(rb"(\r\n|\n|\r)", part)
    for place in range(0, len(parts), 2):
        parts[place] = _veiled_text(parts[place], veil)[0].encode(errors="surrogateescape")
    return b"".join(parts)


def _count(content: bytes) -> int:
    """Return how many lines there are."""
    ends = content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")
    return ends + bool(content and content[-1] not in b"\r\n")


def _readable(text: str) -> str:
    """Return *text* with what is no UTF-8 replaced."""
    return text.encode(errors="surrogateescape").decode(errors="replace")
