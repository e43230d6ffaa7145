"""What people type to find devices."""

from __future__ import annotations

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
        ("state:nonsense", (Pair("state", "nonsense"),)),
        ("firmware:", (Word("firmware:"),)),
        ('firmware:""', (Pair("firmware", ""),)),
        ("00:90:33:30:00:af", (Word("00:90:33:30:00:af"),)),
        ("nosuch:key", (Word("nosuch:key"),)),
        ("sn:*30-00-af", (Pair("sn", "*30-00-af"),)),
        ("seen:15m", (Seen(None, timedelta(minutes=15)),)),
        ("Seen:2H", (Seen(None, timedelta(hours=2)),)),
        ("seen:0m", (Seen(None, timedelta()),)),
        ("seen:>30d", (Seen(timedelta(days=30), None),)),
        ("seen:1h-1d", (Seen(timedelta(hours=1), timedelta(days=1)),)),
        ('seen:">7d" missing', (Seen(timedelta(days=7), None), InState("missing"))),
        *(
            (f"seen:{text}", (Pair("seen", text),))
            for text in ("15", "m", "1w", "-1d", "1d-", ">1h-1d", "1h-1d-7d", "1.5h", "\u0661h", "123456d", "*")
        ),
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


@pytest.mark.parametrize("text", ["typ:IP222", "phone foo:x", "Typ:x", "phases:update"])
def test_where_no_device_would_pass_for_an_answer_an_unknown_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidEntry, match="is nothing to search by; keys are sn, hwid, name, type, address"):
        checked_search(text)


@pytest.mark.parametrize("text", ["type:IP222", "00:90:33:30:00:af", "aa:bb:cc:dd:ee:ff", "fe80::1", '"a: b:c"', ""])
def test_what_is_no_key_is_searched_for_all_the_same(text: str) -> None:
    assert checked_search(text) == parse_search(text)
