"""What settings say of who signs, and what is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gitupd import settings
from gitupd.errors import SiteError
from gitupd.settings import FILE_NAME, SigningSettings, read_settings

REFERENCE = Path(__file__).parents[1] / "docs/reference/settings.md"


def read(site: Path, text: str) -> SigningSettings:
    (site / FILE_NAME).write_text(f"[signing]\n{text}", "utf-8")
    return read_settings(site, {}).signing


def test_a_command_or_an_authority_that_speaks_acme_signs(tmp_path: Path) -> None:
    assert read(tmp_path, "") == SigningSettings()
    assert read(tmp_path, 'command = ["sign", "{request}"]\nseconds = 5\nat_once = 4') == SigningSettings(
        command=("sign", "{request}"), seconds=5, at_once=4
    )
    text = """
acme = "https://ca.example:9000/acme/acme/directory"
acme_contact = "mailto:pki@example.com"
acme_ca_file = "root.pem"
acme_key_id = "kid"
acme_key_file = "eab"
"""
    assert read(tmp_path, text) == SigningSettings(
        acme="https://ca.example:9000/acme/acme/directory",
        acme_contact="mailto:pki@example.com",
        acme_ca_file="root.pem",
        acme_key_id="kid",
        acme_key_file="eab",
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("command = \"sign 'me'\"", "signing: command: .* is no list of texts"),
        ("command = []", "command: .* is no list of texts"),
        ('command = ["sign", ""]', "command: .* is no list of texts"),
        ('acme = "http://ca.example/dir"', "acme: 'http://ca.example/dir' is no address of a directory"),
        ('acme = "https://a:b@ca.example/dir"', "is no address of a directory"),
        ('acme = "https://c/d"\nacme_contact = "me"', "acme_contact: 'me' is no contact"),
        ('acme = "https://c/d"\ncommand = ["a"]', "command and acme: one of them signs, not both"),
        ('acme_ca_file = "a"', "acme_ca_file: it needs acme"),
        ('acme = "https://c/d"\nacme_key_id = "a"', "acme_key_id and acme_key_file: both, or neither"),
        ("seconds = 0", "seconds: 0 is no number of seconds up to 3600"),
        ("at_once = 17", "at_once: 17 is no whole number from 1 to 16"),
        ('key = "s3cr3t"', "key: unknown; known: passphrase_file, list_url, command, acme"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_all_of_it(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(SiteError, match=fault) as told:
        read(tmp_path, f"{text}\nabsent = 1")
    assert "signing: absent: unknown" in str(told.value)
    assert "s3cr3t" not in str(told.value)


def test_the_table_is_one(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("signing = 1\n")
    with pytest.raises(SiteError, match="signing: it is a table"):
        read_settings(tmp_path, {})


def test_the_reference_names_each_key_of_the_table() -> None:
    section = REFERENCE.read_text("utf-8").partition("\n## Signing\n")[2].partition("\n## ")[0]
    named = [
        name
        for row in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", section, re.MULTILINE)
        for name in re.findall(r"\w+", row)
    ]
    assert named == list(settings._SIGNING_READERS)
