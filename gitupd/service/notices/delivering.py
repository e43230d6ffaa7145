"""How a message gets to somebody: a webhook with a signature, a mail, a line in a chat."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, assert_never
from urllib.request import Request

from gitupd.core.notices.notice import Channel, for_chat, one_line
from gitupd.errors import SiteError
from gitupd.service.elsewhere import EncryptedMailing, Mailing, Unanswered, ask, deadline
from gitupd.service.facts import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from gitupd.core.notices.notice import NoticeMessage
    from gitupd.notifying import NotifySettings, Recipient

_SECONDS = 10.0
_ENCODED = "whsec_"


@dataclass(frozen=True, slots=True)
class Courier:
    """Sends messages as ``settings`` say; secrets are files in ``folder``."""

    folder: Path
    settings: NotifySettings

    def deliver(self, recipient: Recipient, channel: Channel, message: NoticeMessage, now: datetime) -> None:
        """Send *message* to *recipient* by one *channel*; raises SiteError if it can't be.

        Takes some ten seconds at the most.
        """
        match channel:
            case Channel.WEBHOOK:
                named = recipient.webhook_secret_file
                secret = _secret(self.folder / named) if named else None
                _post(recipient.webhook, self._facts(message), message.id, now, secret)
            case Channel.CHAT:
                link = f" {self.settings.link}{message.path}" if self.settings.link and message.path else ""
                _post(recipient.chat, {"text": f"{for_chat(message.line)}{link}"}, message.id, now, None)
            case Channel.MAIL:
                _mail(self.folder, self.settings, _letter(self.settings, recipient, message))
            case _:
                assert_never(channel)

    def _facts(self, message: NoticeMessage) -> dict[str, object]:
        return {
            "id": message.id,
            "at": plain(message.at),
            "kind": message.kind.value,
            "title": message.title,
            "lines": list(message.lines),
            "link": f"{self.settings.link}{message.path}" if self.settings.link else None,
        }


# Webhooks and chats


def signature(secret: bytes, key: str, moment: int, body: bytes) -> str:
    """Return the signature of a *body* that is sent at *moment* under the id *key*, as standardwebhooks.com has it."""
    signed = hmac.new(secret, f"{key}.{moment}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def _post(url: str, facts: Mapping[str, object], key: str, now: datetime, secret: bytes | None) -> None:
    body, moment = json.dumps(facts).encode(), int(now.timestamp())
    headers = {"Content-Type": "application/json", "User-Agent": "gitupd", "webhook-id": key}
    if secret is not None:
        headers |= {"webhook-timestamp": str(moment), "webhook-signature": signature(secret, key, moment, body)}
    try:
        request = Request(url, body, headers, method="POST")  # noqa: S310 - settings allow http and https alone
        answer = ask(request, _SECONDS, 0)
    except (Unanswered, ValueError) as error:
        raise SiteError(f"it could not be sent: {one_line(str(error))}") from error
    if not answer.is_good:
        raise SiteError(f"it was answered with status {answer.status}")


def _secret(path: Path) -> bytes:
    """Return the secret in the file at *path*: as it is, or in Base64 behind ``whsec_``; raises SiteError."""
    text = _read(path)
    if not text.startswith(_ENCODED):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_ENCODED), validate=True)
    except ValueError as error:
        raise SiteError(f"{path}: what is behind {_ENCODED} is not Base64") from error


def _read(path: Path) -> str:
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"{path} can't be read: {error}") from error
    if not text:
        raise SiteError(f"{path} is empty; put the secret there")
    return text


# Mails


def _letter(settings: NotifySettings, recipient: Recipient, message: NoticeMessage) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"] = settings.sender, ", ".join(recipient.mail)
    letter["Subject"] = one_line(f"{message.title}: {message.lines[0]}" if len(message.lines) == 1 else message.title)
    letter["Date"] = format_datetime(message.at)
    letter["Message-ID"] = f"<{message.id}@{settings.sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    link = [f"{settings.link}{message.path}"] if settings.link else []
    letter.set_content("\n\n".join([*message.lines, *link]) + "\n", cte="quoted-printable")  # any server takes that
    return letter


def _mail(folder: Path, settings: NotifySettings, letter: EmailMessage) -> None:
    if settings.smtp is None:
        raise SiteError("there is no mail server: smtp in [notify] names it")
    password = _read(folder / settings.smtp_password_file) if settings.smtp_user else ""
    host, port = settings.smtp
    context = ssl.create_default_context()
    with deadline(_SECONDS) as ending:
        try:
            with (
                EncryptedMailing(ending, host, port, _SECONDS, context)
                if settings.smtp_encryption == "tls"
                else Mailing(ending, host, port, _SECONDS)
            ) as server:
                if settings.smtp_encryption == "starttls":
                    server.starttls(context=context)
                if settings.smtp_user:
                    server.login(settings.smtp_user, password)
                refused = server.send_message(letter)
        except (OSError, smtplib.SMTPException) as error:
            said = ending.said or one_line(_said(error))
            raise SiteError(f"the mail server {host}:{port} did not take it: {said}") from error
        except ValueError as error:  # not what it says: that may be a part of the password
            raise SiteError(
                f"{host} is no name of a host, or smtp_user or the password has letters beyond ASCII"
            ) from error
    if refused:
        raise SiteError(f"the mail server refused {', '.join(refused)}")


def _said(error: Exception) -> str:
    """Return what the mail server said, without what we did: that may be a password."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return f"{error.smtp_code} {said}"
    return str(error) or type(error).__name__
