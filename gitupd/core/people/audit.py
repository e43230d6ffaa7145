"""What was done by whom, as the audit keeps it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from gitupd.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from gitupd.core.caller import Serial

_MOST_NAMED = 12
_LONGEST = {"who": 100, "subject": 200, "detail": 2000, "address": 64}


class Kind(StrEnum):
    """What somebody did."""

    LOGIN = "login"
    LOGIN_REFUSED = "login-refused"
    LOGOUT = "logout"
    PASSWORD = "password"  # noqa: S105 - a kind, no password
    USER_ADD = "user-add"
    USER_CHANGE = "user-change"
    USER_REMOVE = "user-remove"
    TOKEN_ADD = "token-add"  # noqa: S105 - a kind, no token
    TOKEN_REVOKE = "token-revoke"  # noqa: S105 - as above
    PUSH = "push"
    FETCH = "fetch"
    UPSTREAM_ACCEPT = "upstream-accept"
    APPROVE = "approve"
    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    UNBLOCK = "unblock"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    DEVICE_FORGET = "device-forget"
    DEVICE_TOUCH = "device-touch"
    DEVICE_ACCEPT = "device-accept"
    DEVICE_REFUSE = "device-refuse"
    DEVICE_WITHDRAW = "device-withdraw"
    DEVICE_RECORD = "device-record"
    DEVICE_RECORD_STOP = "device-record-stop"
    REQUESTS_VIEW = "requests-view"
    CODE_ADD = "code-add"
    CODE_REVOKE = "code-revoke"
    CODE_USE = "code-use"
    FIRMWARE_ADD = "firmware-add"
    TRUST_ADD = "trust-add"
    TRUST_REMOVE = "trust-remove"
    AUDIT_PRUNE = "audit-prune"
    NOTIFY_TEST = "notify-test"
    SEARCH_SHARE = "search-share"
    SEARCH_REMOVE = "search-remove"
    EXPORT = "export"
    SECRETS_SHOW = "secrets-show"
    BACKUP_VIEW = "backup-view"
    BACKUP_BEGIN_ANEW = "backup-begin-anew"
    CERTIFICATE_UPLOAD = "certificate-upload"
    CERTIFICATE_RESTART = "certificate-restart"
    CERTIFICATE_APPROVE = "certificate-approve"
    CERTIFICATE_SIGN = "certificate-sign"
    CERTIFICATE_REJECT = "certificate-reject"
    CERTIFICATE_REVOKE = "certificate-revoke"
    AUTHORITY_ADD = "authority-add"
    SECRETS_KEY_ADD = "secrets-key-add"
    SECRETS_KEY_FORGET = "secrets-key-forget"
    RESTORE = "restore"
    RESTORE_CANCEL = "restore-cancel"


_DEEDS: Mapping[str, str] = {
    Kind.LOGIN: "logged in",
    Kind.LOGIN_REFUSED: "failed to log in",
    Kind.LOGOUT: "logged out",
    Kind.PASSWORD: "set a password",
    Kind.USER_ADD: "added somebody",
    Kind.USER_CHANGE: "changed somebody's rights",
    Kind.USER_REMOVE: "removed somebody",
    Kind.TOKEN_ADD: "made a token",
    Kind.TOKEN_REVOKE: "revoked a token",
    Kind.PUSH: "pushed commits",
    Kind.FETCH: "fetched commits",
    Kind.UPSTREAM_ACCEPT: "agreed to a branch that was rewritten",
    Kind.APPROVE: "approved a commit",
    Kind.DEPLOY: "deployed a commit",
    Kind.ROLLBACK: "rolled back to a commit",
    Kind.UNBLOCK: "unblocked a commit",
    Kind.FREEZE: "froze deployments",
    Kind.UNFREEZE: "lifted the freeze of deployments",
    Kind.DEVICE_FORGET: "forgot devices",
    Kind.DEVICE_TOUCH: "touched devices",
    Kind.DEVICE_ACCEPT: "accepted devices",
    Kind.DEVICE_REFUSE: "refused devices",
    Kind.DEVICE_WITHDRAW: "withdrew what was decided on devices",
    Kind.DEVICE_RECORD: "had requests of a device recorded",
    Kind.DEVICE_RECORD_STOP: "ended the record of a device's requests",
    Kind.REQUESTS_VIEW: "looked at recorded requests",
    Kind.CODE_ADD: "made codes for devices",
    Kind.CODE_REVOKE: "revoked codes for devices",
    Kind.CODE_USE: "was accepted by a code",
    Kind.FIRMWARE_ADD: "added firmware",
    Kind.TRUST_ADD: "trusted an authority, or took over what it has revoked",
    Kind.TRUST_REMOVE: "withdrew trust",
    Kind.AUDIT_PRUNE: "removed what the audit does not keep any more",
    Kind.NOTIFY_TEST: "had a test message sent",
    Kind.SEARCH_SHARE: "shared a search, or changed one that is shared",
    Kind.SEARCH_REMOVE: "removed a search that was shared",
    Kind.EXPORT: "fetched the configuration",
    Kind.SECRETS_SHOW: "had secrets shown",
    Kind.BACKUP_VIEW: "looked at backups",
    Kind.BACKUP_BEGIN_ANEW: "began the backup history anew",
    Kind.CERTIFICATE_UPLOAD: "handed in a certificate",
    Kind.CERTIFICATE_RESTART: "had a certificate's roll-out start over",
    Kind.CERTIFICATE_APPROVE: "approved a signing request",
    Kind.CERTIFICATE_SIGN: "had a certificate signed",
    Kind.CERTIFICATE_REJECT: "rejected a signing request",
    Kind.CERTIFICATE_REVOKE: "revoked a certificate",
    Kind.AUTHORITY_ADD: "made an authority of the site, or took one over",
    Kind.SECRETS_KEY_ADD: "made a key for secrets",
    Kind.SECRETS_KEY_FORGET: "had keys for secrets forgotten",
    Kind.RESTORE: "asked for a restore",
    Kind.RESTORE_CANCEL: "cancelled a restore",
}


class Topic(StrEnum):
    """What an entry of the audit is about; whatever is neither of the other two counts as a change."""

    CHANGES = "changes"
    LOG_INS = "log-ins"
    LOOKS = "looks"


LOG_IN_KINDS = frozenset({Kind.LOGIN, Kind.LOGIN_REFUSED, Kind.LOGOUT})
LOOK_KINDS = frozenset({Kind.BACKUP_VIEW, Kind.EXPORT, Kind.REQUESTS_VIEW, Kind.SECRETS_SHOW})

_NOUNS: Mapping[str, tuple[str, str]] = {
    Kind.DEPLOY: ("deployment", "deployments"),
    Kind.ROLLBACK: ("rollback", "rollbacks"),
    Kind.PUSH: ("push", "pushes"),
    Kind.RESTORE: ("restore", "restores"),
    Kind.LOGIN_REFUSED: ("refused log-in", "refused log-ins"),
    Kind.LOGIN: ("log-in", "log-ins"),
}
"""What is counted by itself in a summary, in that order; log-outs are not counted at all."""

CERTIFICATE_KINDS = tuple(kind for kind in Kind if kind.startswith("certificate-"))
"""What people do about certificates of devices."""


def topic_of(kind: str) -> Topic:
    """Return what an entry of that :class:`Kind` is about; one of a later version counts as a change."""
    if kind in LOG_IN_KINDS:
        return Topic.LOG_INS
    return Topic.LOOKS if kind in LOOK_KINDS else Topic.CHANGES


def deed(kind: str) -> str:
    """Return the words for a :class:`Kind`, which follow a name: ``Vera`` ``logged in``; an unknown one is its own."""
    return _DEEDS.get(kind, kind)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done, as the audit keeps it."""

    at: datetime
    who: str
    kind: str
    subject: str = ""
    detail: str = ""
    address: str | None = None

    def about(self, devices: Sequence[Serial]) -> Event:
        """Return the event as one about *devices*, at least one: a single one is named, of several the first few."""
        if len(devices) == 1:
            return replace(self, subject=str(devices[0]))
        listed = ", ".join(map(str, devices[:_MOST_NAMED])) + (" …" if len(devices) > _MOST_NAMED else "")
        return replace(self, subject=f"{len(devices)} devices", detail=listed)

    def safe(self) -> Event:
        """Return the event with texts of bounded length, which can be shown in one line."""
        address = None if self.address is None else _safe(self.address, "address")
        who, subject, detail = _safe(self.who, "who"), _safe(self.subject, "subject"), _safe(self.detail, "detail")
        return Event(self.at, who, self.kind, subject, detail, address)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event as the audit has it; ``address`` None means this machine, or that nobody knew."""

    id: int
    at: datetime
    who: str
    address: str | None
    kind: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What is looked for in the audit; None matches everything.

    ``who``, ``kind`` and ``subject`` are whole; ``text`` is anywhere in who, subject or detail, in any letter case of
    ASCII. ``since`` is the first moment, ``until`` the first one behind.
    """

    topic: Topic | None = None
    who: str | None = None
    kind: str | None = None
    subject: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """So many entries of one sort; ``kind`` or ``topic`` finds them all, if there is a way to.

    ``nouns`` are what one of them is called, and many.
    """

    count: int
    nouns: tuple[str, str]
    kind: Kind | None = None
    topic: Topic | None = None

    @property
    def words(self) -> str:
        """How many there are of what: ``2 deployments``."""
        return counted(self.count, *self.nouns)


def tallies(counts: Mapping[str, int]) -> tuple[Tally, ...]:
    """Return in words how many entries there are, of which *counts* tells how many of each :class:`Kind`.

    Changes come first, then log-ins, then looks; of what there is none nothing is said.
    """
    by_kind = [Tally(counts[kind], nouns, kind=Kind(kind)) for kind, nouns in _NOUNS.items() if counts.get(kind)]
    named = [each for each in by_kind if each.kind not in LOG_IN_KINDS]
    changes = sum(count for kind, count in counts.items() if topic_of(kind) is Topic.CHANGES and kind not in _NOUNS)
    looks = sum(count for kind, count in counts.items() if topic_of(kind) is Topic.LOOKS)
    others = ("other change", "other changes") if named else ("change", "changes")
    return (
        *named,
        *([Tally(changes, others, topic=None if named else Topic.CHANGES)] if changes else []),
        *(each for each in by_kind if each.kind in LOG_IN_KINDS),
        *([Tally(looks, ("look", "looks"), topic=Topic.LOOKS)] if looks else []),
    )


def _safe(text: str, field: str) -> str:
    longest = _LONGEST[field]
    line = "".join(letter if letter.isprintable() else " " for letter in text[: longest + 1])
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
