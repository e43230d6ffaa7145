"""What people type to find devices."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.search import AddressStart, InState, Pair, Search, Seen, Term, Word, checked_search, parse_search
from gitupd.errors import InvalidEntry


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("IP222", (Word("ip222"),)),
        ("  present   IP222 ", (InState("present"), Word("ip222"))),
        ("10.1.", (AddressStart("10.1."),)),
        ("10.1.2.3", (Word("10.1.2.3"),)),
        ("10.1.2.3.", (Word("10.1.2.3."),)),
        ("Phase:Update", (Pair("phase", "update"),)),
        ('name:"Desk 12"', (Pair("name", "desk 12"),)),
        ('name:"Desk 12', (Pair("name", "desk 12"),)),
        ('"Desk 12" missing', (Word("desk 12"), InState("missing"))),
        ('"missing"', (Word("missing"),)),
        ("state:missing", (InState("missing"),)),
        ("firmware:", (Word("firmware:"),)),
        ('firmware:""', (Pair("firmware", ""),)),
        ("00:90:33:30:00:af", (Word("00:90:33:30:00:af"),)),
        ("has:Message", (Pair("has", "message"),)),
        ("certificate:Signing", (Pair("certificate", "signing"),)),
        ("certificate:expired missing", (Pair("certificate", "expired"), InState("missing"))),
        ('certificate:""', (Pair("certificate", ""),)),
        ("expired", (Word("expired"),)),
        ("sn:*30-00-af", (Pair("sn", "*30-00-af"),)),
        ("seen:15m", (Seen(None, timedelta(minutes=15)),)),
        ("Seen:2H", (Seen(None, timedelta(hours=2)),)),
        ("seen:0m", (Seen(None, timedelta()),)),
        ("seen:>30d", (Seen(timedelta(days=30), None),)),
        ("seen:1h-1d", (Seen(timedelta(hours=1), timedelta(days=1)),)),
        ('seen:">7d" missing', (Seen(timedelta(days=7), None), InState("missing"))),
    ],
)
def test_what_words_mean(text: str, terms: tuple[Term, ...]) -> None:
    assert parse_search(text).terms == terms


def test_a_search_remembers_what_was_typed_without_needless_blanks() -> None:
    assert parse_search(" a \t b ").text == "a b"
    assert parse_search("") == Search()


@given(st.text(max_size=2000))
def test_anything_means_something(text: str) -> None:
    found = parse_search(text)
    assert len(found.terms) <= 20
    assert parse_search(found.text) == found


_NO_KEY = "is nothing to search by; keys are sn, hwid, name, type, address"
_NO_TIME = "is no time to search by; write seen:15m, seen:1h-1d or seen:>30d"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        *((text, _NO_KEY) for text in ("typ:IP222", "phone foo:x", "Typ:x", "phases:update", 'foo:"IP222"')),
        ("state:gone IP222", "'gone' is nothing to search by as 'state'; write state:present or state:missing or"),
        ("has:warnings", "'warnings' is nothing to search by as 'has'; write has:warning or has:message"),
        ("certificate:bad", "'bad' is nothing to search by as 'certificate'; write certificate:unknown or"),
        (" ".join(["IP222"] * 21), "21 words are too many; up to 20 are looked for"),
        *(
            (f"seen:{text}", _NO_TIME)
            for text in ("15", "m", "1w", "-1d", "1d-", ">1h-1d", "1h-1d-7d", "1.5h", "\u0661h", "123456d", "*")
        ),
    ],
)
def test_nonsense_is_told_and_refused_where_no_device_would_pass_for_an_answer(text: str, fault: str) -> None:
    assert fault in parse_search(text).fault
    with pytest.raises(InvalidEntry, match=re.escape(fault)):
        checked_search(text)


@pytest.mark.parametrize("text", ["type:IP222", "00:90:33:30:00:af", "aa:bb:cc:dd:ee:ff", "fe80::1", '"a: b:c"', ""])
def test_what_is_no_key_is_searched_for_all_the_same(text: str) -> None:
    assert checked_search(text) == parse_search(text)
    assert parse_search(text).fault == ""
