"""Reading the backup history: versions, what changed between them, and which devices hold a text.

Whoever may not see secrets gets everything with ``***`` in their place, and never learns from a search or a difference
what stands there.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING

from gitupd.core.backup import Volatile, lines_of
from gitupd.core.secrets import hidden
from gitupd.errors import SiteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitupd.core.device import Serial
    from gitupd.core.policy import Backup
    from gitupd.service.site import Site
    from gitupd.store.backup_index import Indexed

_STEPS_BACK = re.compile(r"(?:latest|HEAD)?~(\d{1,6})")
_COMMIT = re.compile(r"[0-9a-f]{4,40}")
_SEARCH_SECONDS = 20
_LINE_TO_COMPARE = 2_000


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A line of a version; ``number`` counts from 1, ``volatile`` lines don't count in comparisons.

    ``secret`` tells that something in ``text`` was replaced.
    """

    number: int
    text: str
    volatile: bool
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line; ``changed`` if the other side has something else in its place."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of the older version beside its counterpart in the newer one, None where there is none.

    ``before`` and ``after`` are the lines in pieces. A secret that changed shows as changed, without its value.
    """

    left: VersionLine | None
    right: VersionLine | None
    changed: bool
    before: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that holds a text, in the latest version of a device."""

    serial: str
    number: int
    text: str


class BackupHistory:
    """The backup history as somebody may see it."""

    def __init__(self, site: Site, policy: Backup, *, secrets: bool) -> None:
        """Read the history of *site*; with *secrets* as it is, else with what *policy* hides replaced."""
        self._site = site
        self._hide = () if secrets else policy.hide
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
        found = index.of(serial, 1, moment + timedelta(microseconds=1))
        return found[0] if found else None

    def raw(self, version: Indexed) -> bytes:
        """Return a version byte for byte as it was uploaded, or with secrets replaced line by line."""
        content = self._site.backups.content(version.blob)
        if not self._hide:
            return content
        parts = re.split(rb"(\r\n|\n|\r)", content)
        for place in range(0, len(parts), 2):
            parts[place] = self._shown(parts[place])[0].encode(errors="surrogateescape")
        return b"".join(parts)

    def lines(self, version: Indexed) -> tuple[VersionLine, ...]:
        """Return the lines of a version."""
        content = self._site.backups.content(version.blob)
        return tuple(self._line(number, line) for number, line in enumerate(lines_of(content), 1))

    def _line(self, number: int, line: bytes) -> VersionLine:
        text, secret = self._shown(line)
        text = text.encode(errors="surrogateescape").decode(errors="replace")
        return VersionLine(number, text, line in self._volatile or not line.strip(), secret)

    def _shown(self, line: bytes) -> tuple[str, bool]:
        whole = line.decode(errors="surrogateescape")
        shown = hidden(whole, self._hide)
        return shown, shown != whole

    def difference(self, old: Indexed | None, new: Indexed) -> tuple[DiffRow, ...]:
        """Return what *new* changed against *old*, None for nothing; volatile lines never count as changed."""
        before = list(lines_of(self._site.backups.content(old.blob))) if old is not None else []
        after = list(lines_of(self._site.backups.content(new.blob)))
        return tuple(self._rows(before, after))

    def _rows(self, before: Sequence[bytes], after: Sequence[bytes]) -> Iterator[DiffRow]:
        keys = [self._compared(before), self._compared(after)]
        for tag, a, b, c, d in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes():
            for one, other in zip_longest(range(a, b), range(c, d)):
                left = None if one is None else self._line(one + 1, before[one])
                right = None if other is None else self._line(other + 1, after[other])
                volatile = all(line is None or line.volatile for line in (left, right))
                if tag == "equal" or volatile:
                    yield DiffRow(left, right, changed=False)
                else:
                    same = one is not None and other is not None and before[one] == after[other]
                    yield DiffRow(left, right, not same, *_pieces(left, right))

    def _compared(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return what lines are compared by: volatile ones only by how they begin, so that they find each other."""
        return [line.split(b" ")[0] + b" volatile" if line in self._volatile else line for line in lines]

    def search(self, text: str, limit: int = 500) -> tuple[list[Hit], bool]:
        """Return the lines that hold *text* in the latest versions of all devices, and whether that is all of them.

        Letter case does not matter. What is hidden is not found. Raises SiteError if it takes too long.
        """
        if not text.strip() or "\n" in text or "\0" in text:
            raise SiteError("type what to look for, in one line")
        hits: list[Hit] = []
        for path, number, line in self._grep(text):
            shown, _ = self._shown(line)
            if text.lower() not in shown.lower():
                continue
            if len(hits) >= limit:
                return hits, False
            serial = path.rpartition("/")[2].removesuffix(".txt")
            hits.append(Hit(serial, number, shown.encode(errors="surrogateescape").decode(errors="replace")))
        return hits, True

    def _grep(self, text: str) -> Iterator[tuple[str, int, bytes]]:
        tip = self._site.backups.tip()
        if tip is None:
            return
        options = ["-i", "-n", "-z", "-F", "--text", "--no-color", "--full-name", "-e", text, tip]
        command = ["git", "--git-dir", str(self._site.backups.path), "grep", *options]
        try:
            found = subprocess.run(command, capture_output=True, timeout=_SEARCH_SECONDS, check=False)  # noqa: S603 - fixed words, and -e before what was typed
        except (subprocess.TimeoutExpired, OSError, ValueError) as error:
            raise SiteError(f"the search was given up: {error}") from error
        for row in found.stdout.split(b"\n"):
            place, _, rest = row.partition(b"\0")
            number, _, line = rest.partition(b"\0")
            if number.isdigit():
                yield place.decode(errors="replace").partition(":")[2], int(number), line.removesuffix(b"\r")

    def at(self, moment: datetime) -> list[Indexed]:
        """Return the version that each device had at *moment*, by serial number."""
        return self._site.backup_index.at(moment)


def parse_moment(text: str) -> datetime:
    """Return the time in *text*, ``2026-05-01`` (its end) or ``2026-05-01T12:00``, UTC unless it says otherwise.

    Raises SiteError.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SiteError(f"{text!r} is neither a version nor a time such as 2026-05-01T12:00") from error
    if len(text) == len("2026-05-01"):
        moment += timedelta(days=1, microseconds=-1)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _pieces(left: VersionLine | None, right: VersionLine | None) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return two lines in pieces, those marked that differ; a line without a counterpart is one piece."""
    if left is None or right is None:
        return tuple(_whole(left)), tuple(_whole(right))
    one, other = left.text, right.text
    if one == other or max(len(one), len(other)) > _LINE_TO_COMPARE:
        return tuple(_whole(left)), tuple(_whole(right))
    words = [re.findall(r"\s+|[^\s]+", text) for text in (one, other)]
    before: list[Piece] = []
    after: list[Piece] = []
    for tag, a, b, c, d in SequenceMatcher(None, words[0], words[1], autojunk=False).get_opcodes():
        if b > a:
            before.append(Piece("".join(words[0][a:b]), tag != "equal"))
        if d > c:
            after.append(Piece("".join(words[1][c:d]), tag != "equal"))
    return tuple(before), tuple(after)


def _whole(line: VersionLine | None) -> Iterator[Piece]:
    if line is not None:
        yield Piece(line.text, changed=True)
