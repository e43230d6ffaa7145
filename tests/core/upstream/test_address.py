"""Addresses of repositories elsewhere: which there are, and which are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.upstream.address import Scheme, UpstreamAddress, parse_upstream


@pytest.mark.parametrize(
    ("text", "parts", "project"),
    [
        ("https://git.example/a/b.git", ("https", "git.example", "a/b.git", "https://git.example"), "a/b"),
        ("http://127.0.0.1:81/b", ("http", "127.0.0.1", "b", "http://127.0.0.1:81"), "b"),
        ("https://[::1]:8443/a/b/c.git", ("https", "[::1]", "a/b/c.git", "https://[::1]:8443"), "a/b/c"),
        ("ssh://git@host:2222/a/b.git", ("ssh", "host", "a/b.git", ""), "a/b"),
        ("ssh://host/~/b", ("ssh", "host", "~/b", ""), "~/b"),
        ("git@host.example:a/b.git", ("ssh", "host.example", "a/b.git", ""), "a/b"),
        ("host:b", ("ssh", "host", "b", ""), "b"),
        ("git://host/b.git", ("git", "host", "b.git", ""), "b"),
        ("/srv/git/b c.git", ("file", "", "/srv/git/b c.git", ""), "srv/git/b c"),
    ],
)
def test_addresses(text: str, parts: tuple[Scheme, str, str, str], project: str) -> None:
    address = parse_upstream(text)
    assert address == UpstreamAddress(text, *parts)
    assert address.project == project
    assert address.is_open == (address.scheme in ("http", "git"))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "b.git",
            "../b.git",
            "ext::sh -c whoami",
            "file:///srv/b.git",
            "fd::7",
            "ftp://host/b",
            "-oProxyCommand=x:b",
        ),
        *(
            "ssh://-oProxyCommand=x/b",
            "https://host",
            "https://host/a b",
            "https://host/a?b",
            "/a\nb",
            "host::b",
            "git@-x:b",
        ),
        *("https:///b", "ssh://git@host:99999999/b", "\x00", "https://host/\x07"),
    ],
)
def test_no_addresses(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        parse_upstream(text)


@pytest.mark.parametrize(
    "text",
    [
        *("https://ada:secret@host/b", "https://ada@host/b", "ssh://git:secret@host/b", "ftp://a:b@h/"),
        *("HTTPS://ada:secret@host/b", "https://ada:secret/1@host/b", "https://ada:secret@ho st/b"),
    ],
)
def test_no_address_holds_a_password(text: str) -> None:
    with pytest.raises(ValueError, match="neither name nor password") as error:
        parse_upstream(text)
    assert "secret" not in str(error.value)


@given(st.text(max_size=60))
def test_whatever_it_is_git_is_given_no_option_and_no_program(text: str) -> None:
    try:
        address = parse_upstream(text)
    except ValueError:
        return
    assert not text.startswith("-")
    assert "::" not in text or address.scheme == "file"
    assert text.isprintable() or address.scheme == "file"
