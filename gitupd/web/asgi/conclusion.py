"""What became of a request: one value, which whoever has answered it returns, for the log and for those who count."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from gitupd.service.sightings import Outcome


class RequestKind(StrEnum):
    """What kind of request it is, as the metrics name it."""

    POLL = "poll"
    UPLOAD = "upload"
    FIRMWARE = "firmware"
    RESTORE = "restore"
    LIST = "list"
    PROOF = "proof"
    GIT = "git"
    WEBHOOK = "webhook"
    PAGE = "page"
    API = "api"
    MONITORING = "monitoring"


class UploadMode(StrEnum):
    """What a device uploads, as its request names it; OTHER is what no device names."""

    BACKUP = "backup"
    QUERY = "query"
    VARDUMP = "vardump"
    OTHER = "other"


class UploadOutcome(StrEnum):
    """What became of an upload."""

    TAKEN = "taken"  # what nobody wants as well, which is read and let go
    REFUSED = "refused"
    FAILED = "failed"  # a failure of ours


class HandshakeEnd(StrEnum):
    """What became of a TLS handshake."""

    COMPLETE = "complete"
    REFUSED = "refused"  # the client's certificate, or that it has shown none
    FAILED = "failed"  # no version, cipher or sense in common; the client went away
    PLAIN = "plain"  # HTTP where TLS is spoken
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Polled:
    """A poll; ``note`` is what the log says besides, here and below, empty for nothing."""

    outcome: Outcome
    note: str = ""
    kind: ClassVar = RequestKind.POLL


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An upload."""

    mode: UploadMode
    outcome: UploadOutcome
    note: str = ""
    kind: ClassVar = RequestKind.UPLOAD


@dataclass(frozen=True, slots=True)
class Handled:
    """Any other request, of which the status says enough."""

    kind: RequestKind
    note: str = ""


Conclusion = Polled | Uploaded | Handled
