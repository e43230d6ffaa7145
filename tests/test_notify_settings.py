"""What settings say of where notices go, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.core.notices.notice import Channel
from gitupd.errors import SiteError
from gitupd.notifying import NotifySettings, Recipient
from gitupd.settings import FILE_NAME, read_settings

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
smtp = "smtp.example.org:587"
smtp_encryption = "tls"
smtp_user = "gitupd"
smtp_password_file = "smtp-password"
sender = "gitupd@example.org"
link = "https://upd.example.org/"
[notify.to.operators]
mail = ["ops@example.org", "ada@example.org"]
webhook = "https://hooks.example.org/x?y=1"
webhook_secret_file = "hook"
chat = "https://chat.example.org/hooks/z"
language = "de"
"""


def read(site: Path, text: str) -> NotifySettings:
    (site / FILE_NAME).write_text(f"[notify]\n{text}", "utf-8")
    return read_settings(site, {}).notify


def test_they_say_where_notices_go(tmp_path: Path) -> None:
    assert read(tmp_path, "") == NotifySettings()
    settings = read(tmp_path, WHOLE)
    assert settings.to["operators"].channels == (Channel.WEBHOOK, Channel.MAIL, Channel.CHAT)
    assert (settings.to["operators"].language, Recipient().language) == ("de", "en")
    assert settings.to["operators"].mail == ("ops@example.org", "ada@example.org")
    assert (settings.smtp, settings.link) == (("smtp.example.org", 587), "https://upd.example.org")
    assert "hooks/z" not in repr(settings), "whoever has the address may write there"
    assert Recipient(chat="https://x.example").channels == (Channel.CHAT,)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("smpt = 'x:1'", "smpt: unknown; known: to, smtp"),
        ("smtp = 'smtp.example.org'", "smtp: 'smtp.example.org' is no server, such as smtp.example.org:587"),
        ("smtp = 25", "smtp: 25 is no text"),
        ("smtp_encryption = 'ssl'", "smtp_encryption: 'ssl' is neither starttls, tls nor none"),
        ("sender = 'Ada <ada@example.org>'", "is no mail address"),
        ("link = 'upd.example.org'", "link: this is no address that begins with https:// or http://"),
        ("smtp_user = 'x'", "smtp_user and smtp_password_file: both, or neither"),
        ("[notify.to.ops]\nmail = ['a@b.example']", "smtp, sender: they are needed where somebody is told by mail"),
        ("[notify.to.ops]", "to: ops: it has neither mail, webhook nor chat"),
        ("[notify.to.ops]\nchat = 'https://u:p@x.example/'", "to: ops: chat: this is no address that begins with"),
        (
            "[notify.to.ops]\nchat = 'https://x.example/'\nlanguage = 'german'",
            "to: ops: language: 'german' is no language that gitupd has; known: en (English), de (Deutsch)",
        ),
        ("[notify.to.ops]\nchat = 'https://x.example/'\nlanguage = 1", "to: ops: language: 1 is no language"),
        ("[notify.to.ops]\nmail = []", "to: ops: mail: [] is no list of 1 to 20 mail addresses"),
        ("[notify.to.ops]\nmail = ['a@b.example\\nBcc: c@d']", "is no mail address"),
        ("[notify.to.ops]\ncaht = 'https://x.example/'", "to: ops: caht: unknown; known: mail, webhook"),
        ("[notify.to.'o p s']\nchat = 'https://x.example/'", "'o p s' is no name of a recipient"),
        ("to = 1", "to: it is a table of at most 50 recipients"),
        ("to = {ops = 1}", "ops: it is a table"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(SiteError) as raised:
        read(tmp_path, text)
    assert fault in str(raised.value)


def test_it_is_a_table(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("notify = 1\n", "utf-8")
    with pytest.raises(SiteError, match="notify: it is a table"):
        read_settings(tmp_path, {})
