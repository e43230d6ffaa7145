"""The table ``[notify]`` of a site's settings: where notices go, for what the configuration only has names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from gitupd.core.notices.notice import Channel
from gitupd.entries import entries_of, table_in
from gitupd.language.languages import LANGUAGES, SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.entries import Readers

MailEncryption = Literal["starttls", "tls", "none"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}", re.ASCII)
_WEB = re.compile(r"https?://[^\s/?#@]+(/[^\s#]*)?", re.ASCII)
_MAIL = re.compile(r"[^\s@<>,;:\"\\\x00-\x20\x7f]{1,64}@[A-Za-z0-9.-]{1,255}", re.ASCII)
_HOST = re.compile(r"(?P<host>[A-Za-z0-9.-]{1,253}):(?P<port>[1-9][0-9]{0,4})", re.ASCII)
_MOST_ADDRESSES, _MOST_RECIPIENTS = 20, 50


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where somebody is told: by mail, by a webhook whose messages are signed, in a chat; empty for not so.

    ``webhook_secret_file`` is in the site; without it, messages are not signed. ``language`` is what messages are
    written in, as ``<html lang>`` calls it.
    """

    mail: tuple[str, ...] = ()
    webhook: str = field(default="", repr=False)
    webhook_secret_file: str = ""
    chat: str = field(default="", repr=False)
    language: str = SOURCE

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The ways in which this one is told."""
        ways = ((Channel.WEBHOOK, self.webhook), (Channel.MAIL, self.mail), (Channel.CHAT, self.chat))
        return tuple(channel for channel, way in ways if way)


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """``to`` has recipients by name; ``smtp`` is host and port of the mail server, None for none.

    ``smtp_password_file`` is in the site, empty if there is nothing to log in with. ``link`` is in front of paths of
    pages, empty for no links.
    """

    to: Mapping[str, Recipient] = field(default_factory=dict)
    smtp: tuple[str, int] | None = None
    smtp_encryption: MailEncryption = "starttls"
    smtp_user: str = ""
    smtp_password_file: str = ""
    sender: str = ""
    link: str = ""


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(f"{value!r} is no text")
    return value


def _web(value: object) -> str:
    if not _WEB.fullmatch(_text(value)):
        raise ValueError("this is no address that begins with https:// or http://, without a log-in")  # it is secret
    return str(value)


def _mail(value: object) -> str:
    if not _MAIL.fullmatch(_text(value)):
        raise ValueError(f"{value!r} is no mail address")
    return str(value)


def _mails(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_ADDRESSES:
        raise ValueError(f"{value!r} is no list of 1 to {_MOST_ADDRESSES} mail addresses")
    return tuple(map(_mail, value))


def _smtp(value: object) -> tuple[str, int]:
    found = _HOST.fullmatch(_text(value))
    if found is None:
        raise ValueError(f"{value!r} is no server, such as smtp.example.org:587")
    return found["host"], int(found["port"])


def _encryption(value: object) -> str:
    if value not in ("starttls", "tls", "none"):
        raise ValueError(f"{value!r} is neither starttls, tls nor none")
    return str(value)


def _language(value: object) -> str:
    if value not in LANGUAGES:
        known = ", ".join(f"{code} ({name})" for code, name in LANGUAGES.items())
        raise ValueError(f"{value!r} is no language that gitupd has; known: {known}")
    return str(value)


_OF_A_RECIPIENT: Readers = {
    "mail": _mails,
    "webhook": _web,
    "webhook_secret_file": _text,
    "chat": _web,
    "language": _language,
}


def _recipients(value: object) -> dict[str, Recipient]:
    if not isinstance(value, dict) or len(value) > _MOST_RECIPIENTS:
        raise ValueError(f"it is a table of at most {_MOST_RECIPIENTS} recipients: [notify.to.NAME]")
    found: dict[str, Recipient] = {}
    for name, entry in value.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a recipient; use letters, digits, dashes and underscores")
        read = _read(entry, _OF_A_RECIPIENT, f"{name}: ")
        if not {"mail", "webhook", "chat"} & read.keys():
            raise ValueError(f"{name}: it has neither mail, webhook nor chat")
        found[name] = Recipient(**read)
    return found


_READERS: Readers = {
    "to": _recipients,
    "smtp": _smtp,
    "smtp_encryption": _encryption,
    "smtp_user": _text,
    "smtp_password_file": _text,
    "sender": _mail,
    "link": lambda value: _web(value).rstrip("/"),
}


def _read(value: object, readers: Readers, place: str) -> dict[str, Any]:
    """Return what a table says; raises ValueError with a line for each fault."""
    faults: list[str] = []
    read = entries_of(table_in(value, f"{place}it is a table"), readers, faults)
    if faults:
        raise ValueError("\n".join(f"{place}{fault}" for fault in faults))
    return read


def read_notify(value: object) -> NotifySettings:
    """Return what the table ``[notify]`` says; raises ValueError with a line for each fault."""
    settings = NotifySettings(**_read(value, _READERS, ""))
    if any(recipient.mail for recipient in settings.to.values()) and not (settings.smtp and settings.sender):
        raise ValueError("smtp, sender: they are needed where somebody is told by mail")
    if bool(settings.smtp_user) != bool(settings.smtp_password_file):
        raise ValueError("smtp_user and smtp_password_file: both, or neither")
    return settings
