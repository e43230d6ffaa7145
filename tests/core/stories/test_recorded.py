"""What of a recorded request is hidden before it is written down."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from gitupd.core.caller import Serial
from gitupd.core.concealing import Values, Veil, written
from gitupd.core.stories.recorded import LARGEST_TEXT, RecordedRequest, Recording, concealed, text_of

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
SERIAL = Serial("0090333000af")
SECRET = "s3cret & more"
HIDE = Veil((re.compile(r"/pw (\S+)"),), Values(written(SECRET)))


def recorded(target: str = "/update.php", **facts: object) -> RecordedRequest:
    return concealed(RecordedRequest(SERIAL, NOON, "GET", target, **facts), HIDE)


def target(sent: str) -> str:
    return recorded(sent).target


def test_what_is_no_secret_stays_as_it_was_sent() -> None:
    sent = "/phones/update.php?type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.7&PROT=137213&x&=y&z=%2f"
    assert target(sent) == sent


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("/update.php?code=ABCD-EFGH&a=1", "/update.php?code=***&a=1"),
        ("/update.php?co%64e=ABCD", "/update.php?co%64e=***"),
        ("/update.php?CHECK=0123456789abcdef0123456789abcdef", "/update.php?CHECK=***"),
        ("/update.php?sip_password=abc", "/update.php?sip_password=***"),
        ("/update.php?a=x-s3cret+%26+more-y&b=1", "/update.php?a=x-***-y&b=1"),
        ("/update.php?a=s3cret%2520%2526%2520more", "/update.php?a=***"),
        ("/s3cret%20%26%20more/update.php", "/***/update.php"),
        ("/any/restore/AbC_-9", "/any/restore/***"),
        ("/update.php?a=" + "x" * 9_000, "/update.php?a=" + "x" * 8_186),
    ],
)
def test_secrets_in_addresses(sent: str, kept: str) -> None:
    assert target(sent) == kept


def test_secrets_in_headers() -> None:
    sent = (
        ("user-agent", "innovaphone-IP222"),
        ("authorization", "Basic abc"),
        ("cookie", "a=b"),
        ("x-api-key", "abc"),
        ("x-own", "abc"),
        ("referer", f"http://x/?{SECRET}"),
    )
    request = concealed(RecordedRequest(SERIAL, NOON, "GET", "/", headers=sent, answer_headers=sent), HIDE, ["x-own"])
    assert request.headers == request.answer_headers
    assert [value for _, value in request.headers] == ["innovaphone-IP222", "***", "***", "***", "***", "http://x/?***"]


def test_secrets_in_answers() -> None:
    script = f"# s\nconfig add A /pw x /y z\nvars {SECRET}\nmod cmd UP0 cfg http://h/x/restore/AbC9_- iresetn 1\n"
    hidden = "# s\nconfig add A /pw *** /y z\nvars ***\nmod cmd UP0 cfg http://h/x/restore/*** iresetn 1\n"
    assert recorded(body=script).body == hidden
    assert recorded(body="u http%3A%2F%2Fh%2Frestore%2FAbC9%26").body == "u http%3A%2F%2Fh%2Frestore%2F***%26"
    assert recorded().body is None


def test_everything_has_a_bound() -> None:
    many = tuple((f"x-{number}" + "n" * 200, "v" * 2_000) for number in range(80))
    request = concealed(
        RecordedRequest(SERIAL, NOON, "M" * 99, "/", address="a" * 99, certificate="c" * 999, headers=many), HIDE
    )
    assert (len(request.method), len(request.address), len(request.certificate)) == (16, 64, 200)
    assert len(request.headers) == 50
    assert {(len(name), len(value)) for name, value in request.headers} == {(100, 1_000)}


def test_half_a_secret_is_not_kept() -> None:
    assert text_of(b"a\r\nb\xff\r\n", is_whole=True) == "a\nb\N{REPLACEMENT CHARACTER}\n"
    assert text_of(b"config a\r\nconfig /pw s3cr", is_whole=False) == "config a"
    assert text_of(b"s" * LARGEST_TEXT, is_whole=False) == ""


def test_a_recording_ends() -> None:
    recording = Recording(SERIAL, NOON, NOON + timedelta(hours=1), "otto")
    assert recording.is_on(NOON + timedelta(minutes=59))
    assert not recording.is_on(NOON + timedelta(hours=1))
