"""Where the records of TLS end in a stream: so nobody asks OpenSSL for what can't be there yet."""

from __future__ import annotations

_HEADER = 5
LARGEST_RECORD = 16 * 1024 + 2048
"""What follows a record's header, at the most; TLS 1.2 allows so much, of which 2,048 bytes may be padding."""


class TooLarge(Exception):
    """A record that no version of TLS allows."""


class Records:
    """Counts records that have come in full."""

    def __init__(self) -> None:
        self._missing = 0  # of the record that has begun
        self._begun = b""  # part of a header

    def feed(self, data: bytes) -> int:
        """Return how many records end in *data*, which comes behind all that was fed before; raises TooLarge."""
        if not self._missing and not self._begun and len(data) >= _HEADER:  # nearly always it is just one record
            size = _HEADER + (data[3] << 8 | data[4])
            if size == len(data) and size <= _HEADER + LARGEST_RECORD:
                return 1
        return self._walk(data)

    def _walk(self, data: bytes) -> int:
        count, position = 0, 0
        while position < len(data):
            if not self._missing:
                taken = data[position : position + _HEADER - len(self._begun)]
                position += len(taken)
                self._begun += taken
                if len(self._begun) < _HEADER:
                    break
                self._missing = self._begun[3] << 8 | self._begun[4]
                self._begun = b""
                if self._missing > LARGEST_RECORD:
                    raise TooLarge
            step = min(self._missing, len(data) - position)
            position += step
            self._missing -= step
            count += not self._missing
        return count
