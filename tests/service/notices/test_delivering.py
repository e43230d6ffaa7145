"""How messages get to somebody: real servers take them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_string
from email.header import decode_header, make_header
from typing import TYPE_CHECKING

import pytest
from support.ports import free_port

from gitupd.core.notices.notice import Channel, NoticeKind, NoticeMessage
from gitupd.errors import SiteError
from gitupd.notifying import NotifySettings, Recipient
from gitupd.service.notices.delivering import Courier

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Receiver

NOW = datetime(2024, 5, 6, tzinfo=UTC)
MESSAGE = NoticeMessage("gitupd-1", NoticeKind.DEPLOYED, "gitupd: deployed", ("ada deployed <x> ä",), NOW, "/commits/x")
LINKED = NotifySettings(link="https://upd.example.org")


def test_a_webhook_is_signed_as_the_standard_has_it(tmp_path: Path, hooks: Receiver) -> None:
    key = b"\x01secret"
    (tmp_path / "hook").write_text(f"whsec_{base64.b64encode(key).decode()}\n")
    recipient = Recipient(webhook=f"{hooks.url}/in", webhook_secret_file="hook")
    Courier(tmp_path, LINKED).deliver(recipient, Channel.WEBHOOK, MESSAGE, NOW)
    ((path, headers, body),) = hooks.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert (path, headers["webhook-signature"]) == ("/in", f"v1,{expected}")
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert hooks.facts() == [
        {
            "id": "gitupd-1",
            "at": "2024-05-06T00:00:00Z",
            "kind": "deployed",
            "title": "gitupd: deployed",
            "lines": ["ada deployed <x> ä"],
            "link": "https://upd.example.org/commits/x",
        }
    ]


def test_a_secret_may_be_any_text_and_is_not_needed(tmp_path: Path, hooks: Receiver) -> None:
    (tmp_path / "hook").write_text("plain text\n")
    signed = Recipient(webhook=hooks.url, webhook_secret_file="hook")
    Courier(tmp_path, LINKED).deliver(signed, Channel.WEBHOOK, MESSAGE, NOW)
    Courier(tmp_path, LINKED).deliver(Recipient(webhook=hooks.url), Channel.WEBHOOK, MESSAGE, NOW)
    assert ["webhook-signature" in headers for _, headers, _ in hooks.got] == [True, False]


@pytest.mark.parametrize(
    ("text", "fault"),
    [("", "is empty"), ("whsec_!", "is not Base64"), ("whsec_ü", "is not Base64"), (None, "can't be read")],
)
def test_without_a_good_secret_nothing_is_sent(tmp_path: Path, hooks: Receiver, text: str | None, fault: str) -> None:
    if text is not None:
        (tmp_path / "hook").write_text(text)
    recipient = Recipient(webhook=hooks.url, webhook_secret_file="hook")
    with pytest.raises(SiteError, match=fault):
        Courier(tmp_path, LINKED).deliver(recipient, Channel.WEBHOOK, MESSAGE, NOW)
    assert hooks.got == []


def test_a_chat_gets_a_line(tmp_path: Path, hooks: Receiver) -> None:
    Courier(tmp_path, LINKED).deliver(Recipient(chat=hooks.url), Channel.CHAT, MESSAGE, NOW)
    assert hooks.facts() == [{"text": "gitupd: deployed: ada deployed (x) ä https://upd.example.org/commits/x"}]


def test_what_is_not_taken_is_told(tmp_path: Path, hooks: Receiver) -> None:
    courier, recipient = Courier(tmp_path, LINKED), Recipient(chat=hooks.url)
    hooks.status = 500
    with pytest.raises(SiteError, match="it was answered with status 500"):
        courier.deliver(recipient, Channel.CHAT, MESSAGE, NOW)
    hooks.status, hooks.location = 302, f"{hooks.url}/elsewhere"
    with pytest.raises(SiteError, match="status 302"):
        courier.deliver(recipient, Channel.CHAT, MESSAGE, NOW)
    assert [path for path, _, _ in hooks.got] == ["/", "/"], "it goes nowhere else"
    nobody = Recipient(chat=f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(SiteError, match=r"it could not be sent: .*refused"):
        courier.deliver(nobody, Channel.CHAT, MESSAGE, NOW)


@pytest.mark.parametrize(
    "address", ["http://[::1/in", f"http://127.0.0.1:{10**20}/in", "http://a..b/in", "http://127.0.0.1/ä"]
)
def test_an_address_that_nobody_can_have_keeps_nobody_else_from_being_told(tmp_path: Path, address: str) -> None:
    with pytest.raises(SiteError, match="it could not be sent"):
        Courier(tmp_path, LINKED).deliver(Recipient(webhook=address), Channel.WEBHOOK, MESSAGE, NOW)


def mail_settings(mails: Receiver, encryption: str = "none") -> NotifySettings:
    return NotifySettings(
        smtp=("127.0.0.1", mails.port),
        smtp_encryption=encryption,  # type: ignore[arg-type] # one of the words
        sender="gitupd@example.org",
        link="https://upd.example.org",
    )


def test_a_mail_says_it_in_its_subject(tmp_path: Path, mails: Receiver) -> None:
    recipient = Recipient(mail=("ops@example.org", "ada@example.org"))
    Courier(tmp_path, mail_settings(mails)).deliver(recipient, Channel.MAIL, MESSAGE, NOW)
    letter = message_from_string(mails.letters[0])
    assert str(make_header(decode_header(letter["Subject"]))) == "gitupd: deployed: ada deployed <x> ä"
    assert letter["To"] == "ops@example.org, ada@example.org"
    assert letter["Message-ID"] == "<gitupd-1@example.org>"
    body = letter.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().split() == ["ada", "deployed", "<x>", "ä", "https://upd.example.org/commits/x"]


def test_a_mail_that_is_not_taken_is_told(tmp_path: Path, mails: Receiver) -> None:
    recipient = Recipient(mail=("ops@example.org",))
    with pytest.raises(SiteError, match=r"did not take it: .*STARTTLS"):
        Courier(tmp_path, mail_settings(mails, "starttls")).deliver(recipient, Channel.MAIL, MESSAGE, NOW)
    mails.refusal = "550 no such user"
    with pytest.raises(SiteError, match=r"did not take it: .*550"):
        Courier(tmp_path, mail_settings(mails)).deliver(recipient, Channel.MAIL, MESSAGE, NOW)
    with pytest.raises(SiteError, match="there is no mail server"):
        Courier(tmp_path, NotifySettings(sender="a@b.example")).deliver(recipient, Channel.MAIL, MESSAGE, NOW)
    assert mails.letters == []


def test_a_password_or_a_host_that_a_mail_server_can_t_have_is_told_without_it(tmp_path: Path, mails: Receiver) -> None:
    recipient = Recipient(mail=("ops@example.org",))
    (tmp_path / "password").write_text("geheimnisvoll-ü")
    mails.features = ("AUTH PLAIN",)
    named = replace(mail_settings(mails), smtp_user="gitupd", smtp_password_file="password")
    with pytest.raises(SiteError, match="beyond ASCII") as caught:
        Courier(tmp_path, named).deliver(recipient, Channel.MAIL, MESSAGE, NOW)
    assert "ü" not in str(caught.value)
    with pytest.raises(SiteError, match=r"a\.\.b is no name of a host"):
        Courier(tmp_path, replace(named, smtp=("a..b", 25))).deliver(recipient, Channel.MAIL, MESSAGE, NOW)
