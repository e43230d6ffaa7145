"""Who says that there is news: known by the secret, in the ways of four hosts."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.upstream.webhook import HEADERS, WebhookCheck

SECRET, BODY, NOW = "correct horse", b'{"ref": "refs/heads/main"}', 1_700_000_000
KEY = base64.b64encode(bytes(range(32))).decode()


def sha(body: bytes = BODY, secret: bytes = SECRET.encode()) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def signed(body: bytes = BODY, at: int = NOW, key: bytes = bytes(range(32)), stamp: str = "") -> dict[str, str]:
    before = f"msg_1.{stamp or at}.".encode()
    signature = base64.b64encode(hmac.new(key, before + body, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp or str(at),
        "webhook-signature": f"v1a,AAAA v1,{signature}",
    }


def is_genuine(headers: dict[str, str], secret: str = SECRET, body: bytes = BODY, now: float = NOW) -> bool:
    check = WebhookCheck(headers, secret, now)
    for start in range(0, len(body), 7):
        check.add(body[start : start + 7])
    return check.is_genuine


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ({"x-hub-signature-256": f"sha256={sha()}"}, SECRET),
        ({"x-gitea-signature": sha()}, SECRET),
        ({"x-forgejo-signature": sha()}, SECRET),
        ({"x-gitlab-token": SECRET}, SECRET),
        (signed(), f"whsec_{KEY}"),
        (signed(key=b"whsec_plain?"), "whsec_plain?"),
        (signed(key="whsec_schlüssel".encode()), "whsec_schlüssel"),
        ({**signed(), "x-gitlab-token": "another"}, f"whsec_{KEY}"),
    ],
)
def test_who_knows_the_secret_is_heard(headers: dict[str, str], secret: str) -> None:
    assert set(headers) <= HEADERS
    assert is_genuine(headers, secret)
    assert not is_genuine(headers, f"{secret}x")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": "sha256=\N{LATIN SMALL LETTER U WITH DIAERESIS}"},
        {"x-hub-signature-256": f"sha256={sha()}00"},
        {"x-hub-signature-256": f"sha256={sha(b'other')}"},
        {"x-hub-signature-256": "sha256=00", "x-gitlab-token": SECRET},
        {"x-gitea-signature": "zz" * 32},
        {"x-gitlab-token": ""},
        {"x-gitlab-token": SECRET[:-1]},
        {"webhook-signature": "", "x-gitlab-token": SECRET},
        {"webhook-signature": "v1,====", "webhook-timestamp": str(NOW)},
        {"webhook-signature": "v1,\N{LATIN SMALL LETTER U WITH DIAERESIS}", "webhook-timestamp": str(NOW)},
    ],
)
def test_nobody_else_is(headers: dict[str, str]) -> None:
    assert not is_genuine(headers)


def test_another_body_is_not_what_was_signed() -> None:
    assert not is_genuine({"x-gitlab-token": "x", "x-gitea-signature": sha()}, body=b"{}")
    assert not is_genuine(signed(), f"whsec_{KEY}", b"{}")


@pytest.mark.parametrize("stamp", [str(NOW - 301), str(NOW + 301), "", "now", "9" * 400, "-1", "\N{SUPERSCRIPT TWO}"])
def test_what_was_signed_long_ago_or_at_no_time_is_not_heard(stamp: str) -> None:
    headers = signed(stamp=stamp) if stamp else {**signed(), "webhook-timestamp": ""}
    assert not is_genuine(headers, f"whsec_{KEY}")
    assert is_genuine(signed(at=NOW - 299), f"whsec_{KEY}")


def test_the_same_message_has_the_same_fingerprint() -> None:
    one, other, third = (WebhookCheck({}, SECRET, NOW) for _ in range(3))
    one.add(BODY)
    other.add(BODY[:3])
    other.add(BODY[3:])
    assert one.fingerprint == other.fingerprint != third.fingerprint


@given(st.dictionaries(st.sampled_from(sorted(HEADERS)), st.text(max_size=40)), st.text(min_size=1, max_size=20))
def test_whatever_it_says_it_is_looked_at(headers: dict[str, str], secret: str) -> None:
    if headers.get("x-gitlab-token") != secret:
        assert not is_genuine(headers, secret)
