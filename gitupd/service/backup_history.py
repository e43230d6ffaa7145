"""Reading the backup history: versions, what changed between them, and which devices hold a text.

Whoever may not see secrets gets everything with ``***`` in their place, and never learns from a search or a difference
what stands there.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING

from gitupd.core.backup import Volatile, lines_of
from gitupd.core.concealing import Veil
from gitupd.core.device import parse_serial
from gitupd.core.secrets import HIDDEN
from gitupd.errors import SiteError
from gitupd.service import backup_search
from gitupd.service.backup_difference import Comparison, VersionLine
from gitupd.store.backup_timeline import BackupTimeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gitupd.core.device import Serial
    from gitupd.core.policy import Backup
    from gitupd.core.snapshot import CommitId
    from gitupd.service.backup_difference import Numbered
    from gitupd.service.backup_search import HistorySearch, Hit
    from gitupd.service.site import Site
    from gitupd.store.backup_index import Indexed

    Past = Callable[[frozenset[CommitId]], Veil]
    """Returns what hides the secrets of some commits, besides those of today."""

_STEPS_BACK = re.compile(r"(?:latest|HEAD)?~(\d{1,6})")
_COMMIT = re.compile(r"[0-9a-f]{4,40}")
_MOMENT = timedelta(microseconds=1)
_REMEMBERED_LINES = 10_000
_STEP_SECONDS = 0.1
"""How precisely the time of a search is known to who may not see secrets: it takes longer if it finds hidden ones."""

_LONGEST_LOOKED_THROUGH = 32_768
"""Characters of a line that are looked through for secrets; a longer one is hidden as a whole."""


class BackupHistory:
    """The backup history as somebody may see it."""

    def __init__(
        self, site: Site, policy: Backup, *, secrets: bool, veil: Veil | None = None, past: Past | None = None
    ) -> None:
        """Read the history of *site*; with *secrets* as it is.

        Else what *veil* hides is replaced, None standing for what *policy* calls secret; in a version also what the
        commits called secret that were deployed when it came, for which *past* returns the veil.
        """
        self._site, self._past = site, past
        self._veil = Veil(lifted=True) if secrets else veil or Veil(policy.hide)
        self._volatile = Volatile(policy.ignore)

    def versions(self, serial: Serial, limit: int = 100, before: datetime | None = None) -> list[Indexed]:
        """Return the versions of a device, the newest first."""
        return self._site.backup_index.of(serial, limit, before)

    def newest(self, limit: int = 100, before: int | None = None) -> list[Indexed]:
        """Return the newest versions of all devices, the newest first."""
        return [version for _, version, _ in self._site.backup_index.newest(limit, before)]

    def latest(self) -> list[Indexed]:
        """Return the latest version of every device, by serial number."""
        return self._site.backup_index.at(datetime.max.replace(tzinfo=UTC))

    def version(self, serial: Serial, revision: str = "latest") -> Indexed:
        """Return the version of a device that *revision* names.

        That is ``latest``, ``~2`` for the second before it, the beginning of a commit id, or a time such as
        ``2026-05-01`` or ``2026-05-01T12:00`` (UTC unless it says otherwise), at which it was the present one. Raises
        SiteError if there is none.
        """
        found = self._named(serial, revision)
        if found is None or found.serial != serial:
            raise SiteError(f"device {serial} has no version {revision!r}; see: gitupd backups log {serial}")
        return found

    def oldest(self, serial: Serial) -> Indexed | None:
        """Return the first version of a device, None if it has none."""
        first = BackupTimeline(self._site.database).extent(serial).first
        return None if first is None else self.last_before(serial, first + _MOMENT)

    def last_before(self, serial: Serial, moment: datetime) -> Indexed | None:
        """Return the version that a device had right before *moment*, None if it had none yet."""
        return next(iter(self.versions(serial, 1, moment)), None)

    def _named(self, serial: Serial, revision: str) -> Indexed | None:
        index = self._site.backup_index
        steps = _STEPS_BACK.fullmatch(revision)
        if revision in ("latest", "HEAD", "") or steps:
            number = int(steps[1]) if steps else 0
            found = index.of(serial, number + 1)
            return found[number] if len(found) > number else None
        if _COMMIT.fullmatch(revision) and (version := index.version(revision)) is not None:
            return version
        moment = parse_moment(revision)
        found = index.of(serial, 1, moment + _MOMENT)
        return found[0] if found else None

    def raw(self, version: Indexed) -> bytes:
        """Return a version byte for byte as it was uploaded, or with secrets replaced line by line."""
        content = self._site.backups.content(version.blob)
        if self._veil.lifted:
            return content
        veil = self.veil_of(version)
        shown, veiled = BytesIO(), lru_cache(_REMEMBERED_LINES)(partial(_veiled, veil))
        for part in BytesIO(content):
            shown.write(veiled(part))
        return shown.getvalue()

    def lines(self, version: Indexed) -> tuple[VersionLine, ...]:
        """Return the lines of a version."""
        return self.some_lines(version, 1, None)[0]

    def some_lines(self, version: Indexed, first: int, most: int | None) -> tuple[tuple[VersionLine, ...], int]:
        """Return *most* lines of a version from number *first* on, None for all, and how many it has."""
        content = self._site.backups.content(version.blob)
        wanted = islice(lines_of(BytesIO(content)), first - 1, None if most is None else first - 1 + most)
        return tuple(self.shown(version, enumerate(wanted, first))), _count(content)

    def shown(self, version: Indexed, numbered: Iterable[Numbered]) -> Iterator[VersionLine]:
        """Yield lines of a version, each given with its number, as they may be seen."""
        veil = self.veil_of(version)
        return (self._line(veil, number, line) for number, line in numbered)

    def plain(self, version: Indexed) -> Iterator[str]:
        """Yield the lines of a version as they are, for those who decide and show none of it."""
        lines = lines_of(BytesIO(self._site.backups.content(version.blob)))
        return (line.decode(errors="replace") for line in lines)

    def veil_of(self, *versions: Indexed | None) -> Veil:
        """Return what hides secrets in *versions*: in the time of some, others may have been in force."""
        commits = {version.facts.get(fact) for version in versions if version for fact in ("delivered", "deployed")}
        if self._veil.lifted or self._past is None:
            return self._veil
        return self._past(frozenset(filter(None, commits)))

    def _line(self, veil: Veil, number: int, line: bytes) -> VersionLine:
        text, secret = _shown(line, veil)
        return VersionLine(number, _readable(text), line in self._volatile or not line.strip(), secret)

    def comparison(self, old: Indexed | None, new: Indexed, most: int | None = None) -> Comparison:
        """Return what *new* changed against *old*, None for nothing; volatile and blank lines are left out.

        Only the first *most* lines of each are compared, None for all of them.
        """
        before, after = self._counting(old, most), self._counting(new, most)
        left = [each.lines - len(lines) for each, lines in ((old, before), (new, after)) if each and len(lines) == most]
        return Comparison(before, after, partial(self._line, self.veil_of(old, new)), max([0, *left]))

    def _counting(self, version: Indexed | None, most: int | None) -> list[Numbered]:
        content = b"" if version is None else self._site.backups.content(version.blob)
        numbered = enumerate(lines_of(BytesIO(content)), 1)
        counted = ((number, line) for number, line in numbered if line.strip() and line not in self._volatile)
        return list(islice(counted, most))

    def search(self, text: str, limit: int = 500) -> tuple[list[Hit], bool]:
        """Return the lines that hold *text* in the latest versions of all devices, and whether that is all of them.

        Letter case does not matter. What is hidden is not found. Raises SiteError if it takes too long.
        """
        started = time.monotonic()
        hits, complete = backup_search.latest(self._site, text, self._found, limit)
        if not self._veil.lifted:
            versions = self._site.backup_index.latest({parse_serial(hit.serial) for hit in hits})
            hits = [each for hit in hits for each in self._still(text, [hit], versions.get(parse_serial(hit.serial)))]
            time.sleep(_STEP_SECONDS - (time.monotonic() - started) % _STEP_SECONDS)
        return hits, complete

    def search_through(self, text: str, *, before: int | None = None, seconds: float = 5) -> HistorySearch:
        """Return which devices ever had *text*, as far as that is found within *seconds*; *before* is where to go on.

        Letter case of ASCII does not matter. What is hidden is not found. Raises SiteError.
        """
        result = backup_search.through_history(self._site, text, self._found, before=before, seconds=seconds)
        held = [replace(each, lines=tuple(self._still(text, each.lines, each.last))) for each in result.held]
        return replace(result, held=tuple(each for each in held if each.lines))

    def _still(self, text: str, hits: Iterable[Hit], version: Indexed | None) -> Iterator[Hit]:
        """Yield *hits* in a version as far as *text* is still in them without what was secret in its time."""
        veil = self.veil_of(version)
        for hit in hits:
            if text.lower() in (seen := veil.line(hit.text)).lower():
                yield replace(hit, text=seen)

    def _found(self, line: bytes) -> str:
        return _readable(_shown(line, self._veil)[0])

    def at(self, moment: datetime) -> list[Indexed]:
        """Return the version that each device had at *moment*, by serial number."""
        return self._site.backup_index.at(moment)


def parse_moment(text: str) -> datetime:
    """Return the time in *text*, ``2026-05-01`` (its end) or ``2026-05-01T12:00``, UTC unless it says otherwise.

    Raises SiteError.
    """
    try:
        moment = datetime.fromisoformat(text)
        if len(text) == len("2026-05-01"):
            moment += timedelta(days=1, microseconds=-1)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SiteError(f"{text!r} is neither a version nor a time such as 2026-05-01T12:00") from error


def _shown(line: bytes, veil: Veil) -> tuple[str, bool]:
    """Return a line as *veil* leaves it, and whether that is another one."""
    whole = line.decode(errors="surrogateescape")
    if not veil.lifted and len(whole) > _LONGEST_LOOKED_THROUGH:
        return HIDDEN, True
    shown = veil.line(whole)
    return shown, shown != whole


def _veiled(veil: Veil, part: bytes) -> bytes:
    """Return some whole lines with the ends that they had."""
    parts = re.split(rb"(\r\n|\n|\r)", part)
    for place in range(0, len(parts), 2):
        parts[place] = _shown(parts[place], veil)[0].encode(errors="surrogateescape")
    return b"".join(parts)


def _count(content: bytes) -> int:
    """Return how many lines there are."""
    ends = content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")
    return ends + bool(content and content[-1] not in b"\r\n")


def _readable(text: str) -> str:
    """Return *text* with what is no UTF-8 replaced."""
    return text.encode(errors="surrogateescape").decode(errors="replace")
