"""The body of a large upload on its way to disk: in memory while it is small, in a file of the inbox once it is not."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

# Devices send in chunks and never say how much is to come (docs/reference/device-protocol.md, Uploads), so that where a
# body goes can't be decided beforehand.
IN_MEMORY = 128 * 2**10
PREFIX = "incoming-"
_MOST_PARTS = 500


class Spool:
    """Takes a body part by part; its file is removed at the end, unless somebody has moved it away by then."""

    def __init__(self, folder: Path) -> None:
        """Spool into *folder*."""
        self._folder = folder
        self._parts: list[bytes] = []
        self._stream: IO[bytes] | None = None
        self._file: Path | None = None
        self.length = 0

    def __enter__(self) -> Self:
        """Return the spool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, and remove it if it is still called what it was called here."""
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()
        if self._file is not None:
            with suppress(OSError):  # the answer is what counts, and the keeper removes it later
                self._file.unlink(missing_ok=True)

    @property
    def is_on_disk(self) -> bool:
        """Whether it takes room on the disk."""
        return self._file is not None

    def write(self, part: bytes) -> None:
        """Take the next part; raises OSError if there is no room for it."""
        self.length += len(part)
        if self._stream is None:
            self._parts.append(part)
            if self.length <= IN_MEMORY:
                if len(self._parts) > _MOST_PARTS:  # each takes more than what is in it if they are tiny
                    self._parts = [b"".join(self._parts)]
                return
            self._file = self._folder / f"{PREFIX}{secrets.token_hex(8)}"
            self._stream = self._file.open("xb")
            part = b"".join(self._parts)
            self._parts.clear()
        self._stream.write(part)

    def give_up(self) -> None:
        """Give back the room on the disk, though more may come that nobody wants; nothing is written any more."""
        self.__exit__()
        self._file = None

    def body(self) -> bytes | Path:
        """Return the whole: as bytes, or the file that it is in, complete; raises OSError."""
        if self._stream is None or self._file is None:
            return b"".join(self._parts)
        self._stream.flush()
        return self._file
