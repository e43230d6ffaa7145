"""What settings say of the repository that a site follows, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from gitupd.core.upstream.address import parse_upstream
from gitupd.errors import SiteError
from gitupd.settings import FILE_NAME, read_settings
from gitupd.upstream import UpstreamSettings

REFERENCE = Path(__file__).parents[1] / "docs/reference/settings.md"
URL = 'url = "https://host/b.git"\n'


def read(site: Path, text: str, **environment: str) -> UpstreamSettings:
    (site / FILE_NAME).write_text(f"[upstream]\n{text}", "utf-8")
    return read_settings(site, environment).upstream


def test_a_repository_is_followed_or_none_is(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("", "utf-8")
    assert read_settings(tmp_path, {}).upstream == UpstreamSettings()
    assert read(tmp_path, URL) == UpstreamSettings(parse_upstream("https://host/b.git"))
    text = f"""{URL}
every = "1h"
webhook_secret_file = "webhook"
username = "ada"
token_file = "token"
ssh_key_file = "key"
known_hosts_file = "hosts"
ca_file = "ca.pem"
seconds = 20
idle = "2s"
largest = 5
status = "gitea"
status_url = "https://api.example/"
site_url = "https://updates.example/"
"""
    assert read(tmp_path, text) == UpstreamSettings(
        parse_upstream("https://host/b.git"),
        *(3600, "webhook", "ada", "token", "key", "hosts", "ca.pem", 20, 2, 5, "gitea"),
        *("https://api.example", "https://updates.example"),
    )


def test_secrets_may_stand_in_the_environment_and_are_shown_nowhere(tmp_path: Path) -> None:
    given = {"GITUPD_UPSTREAM_TOKEN": "s3cret", "GITUPD_UPSTREAM_WEBHOOK_SECRET": "t0ken"}
    settings = read(tmp_path, URL, **given)
    assert (settings.token, settings.webhook_secret) == ("s3cret", "t0ken")
    assert not {"s3cret", "t0ken"} & set(re.findall(r"\w+", repr(settings)))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "url: it says which repository is followed"),
        ('url = "ext::sh"', "url: 'ext::sh' is no address"),
        ("url = 7", "url: 7 is no text"),
        ('url = "https://ada:pw@host/b"', "url: an address holds neither name nor password"),
        (f"{URL}every = 1", "every: 1 is no time from 5"),
        (f'{URL}every = "soon"', "every: 'soon' is no time, such as"),
        (f"{URL}every = true", "every: True is no time"),
        (f"{URL}largest = 0", "largest: 0 is no whole number"),
        (f'{URL}username = "a:b"', "username: 'a:b' is no name"),
        (f'{URL}status = "sourceforge"', "status: 'sourceforge' is neither"),
        (f'{URL}status_url = "https://api"', "status_url: it needs status"),
        (f'{URL}site_url = "example.com"', "site_url: 'example.com' is no address"),
        ('url = "/srv/b.git"\nstatus = "gitea"', "status: a folder has no host"),
        (f"{URL}colour = 1", "colour: unknown; known: url, every,"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(SiteError, match=re.escape(f"gitupd.toml: upstream: {fault}")) as error:
        read(tmp_path, text)
    assert "pw" not in str(error.value)


def test_it_is_a_table(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("upstream = 7", "utf-8")
    with pytest.raises(SiteError, match=r"it is a table: \[upstream\]"):
        read_settings(tmp_path, {})


def test_all_of_it_is_described() -> None:
    section = REFERENCE.read_text("utf-8").partition("## Upstream")[2].partition("\n## ")[0]
    described = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    named = {"address": "url"}
    settings = [named.get(each.name, each.name) for each in fields(UpstreamSettings) if each.repr]
    assert described == settings
