"""What people type to find devices."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.search import (
    AddressStart,
    AnyOf,
    Between,
    InState,
    Not,
    Pair,
    PartOf,
    Search,
    Term,
    Wild,
    Word,
    checked_search,
    loosened,
    parse_search,
)
from gitupd.core.searches.times import Seen, SeenOn
from gitupd.errors import InvalidEntry


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("IP222", (PartOf("ip222"),)),
        ("  present   IP222 ", (InState("present"), PartOf("ip222"))),
        ("10.1.", (AddressStart("10.1."),)),
        ("10.1.2.3", (PartOf("10.1.2.3"),)),
        ("10.1.2.3.", (PartOf("10.1.2.3."),)),
        ("Phase:Update", (Pair("phase", "update"),)),
        ('name:"Desk 12"', (Pair("name", "desk 12"),)),
        ('name:"Desk 12', (Pair("name", "desk 12"),)),
        ('"Desk 12" missing', (Word("desk 12"), InState("missing"))),
        ('"missing"', (Word("missing"),)),
        ("state:missing", (InState("missing"),)),
        ("firmware:", (PartOf("firmware:"),)),
        ('firmware:""', (Pair("firmware", ""),)),
        ("00:90:33:30:00:af", (PartOf("00:90:33:30:00:af"),)),
        ("has:Message", (Pair("has", "message"),)),
        ("certificate:Signing", (Pair("certificate", "signing"),)),
        ("certificate:expired missing", (Pair("certificate", "expired"), InState("missing"))),
        ('certificate:""', (Pair("certificate", ""),)),
        ("expired", (PartOf("expired"),)),
        ("sn:*30-00-af", (Pair("sn", "*30-00-af", wild=True),)),
        ("seen:15m", (Seen(None, timedelta(minutes=15)),)),
        ("Seen:2H", (Seen(None, timedelta(hours=2)),)),
        ("seen:0m", (Seen(None, timedelta()),)),
        ("seen:>30d", (Seen(timedelta(days=30), None),)),
        ("seen:1h-1d", (Seen(timedelta(hours=1), timedelta(days=1)),)),
        ("desk*", (Wild("desk*"),)),
        ("ip2?2", (Wild("ip2?2"),)),
        ('"desk*"', (Word("desk*"),)),
        ('name:"desk*"', (Pair("name", "desk*"),)),
        ("-missing", (Not(InState("missing")),)),
        ("-type:IP222", (Not(Pair("type", "ip222")),)),
        ("-", (PartOf("-"),)),
        ("--x", (Not(PartOf("-x")),)),
        ("IP222,IP232", (AnyOf((PartOf("ip222"), PartOf("ip232"))),)),
        ('-a,"b c",', (Not(AnyOf((PartOf("a"), Word("b c")))),)),
        (",", (Word(","),)),
        ("type:ip222,ip2*", (AnyOf((Pair("type", "ip222"), Pair("type", "ip2*", wild=True))),)),
        ("10.1.,present", (AnyOf((AddressStart("10.1."), InState("present"))),)),
        ("firmware:>137000", (Between("firmware", "137000", None, ends=False),)),
        ("bootcode:<13A146", (Between("bootcode", None, "13a146", ends=False),)),
        ("firmware:1..2,7", (AnyOf((Between("firmware", "1", "2", ends=True), Pair("firmware", "7"))),)),
        ('firmware:">1"', (Pair("firmware", ">1"),)),
        ("type:>1", (Pair("type", ">1"),)),
        ("seen:<2h", (Seen(None, timedelta(hours=2)),)),
        ("seen:1h..1d", (Seen(timedelta(hours=1), timedelta(days=1)),)),
        ("seen:2026-05-01", (SeenOn(date(2026, 5, 1), date(2026, 5, 1)),)),
        ("seen:2026-05-01..2026-05-07", (SeenOn(date(2026, 5, 1), date(2026, 5, 7)),)),
        ("seen:<2026-05-01", (SeenOn(None, date(2026, 4, 30)),)),
        ("seen:>2026-05-01", (SeenOn(date(2026, 5, 2), None),)),
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
_NO_TIME = "is no time to search by; write seen:15m, seen:1h-1d, seen:>30d, or days such as"


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
        *(
            (f"seen:{text}", _NO_TIME)
            for text in ("2026-02-30", "<2026-01-01..2026-01-02", "<0001-01-01", ">9999-12-31", "2026-1-1", "<1h-1d")
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


def test_a_search_without_one_of_its_terms() -> None:
    search = parse_search('IP222  -name:"Desk 12" a,b')
    assert search.words == ("IP222", '-name:"Desk 12"', "a,b")
    assert [search.without(number) for number in range(3)] == [
        '-name:"Desk 12" a,b',
        "IP222 a,b",
        'IP222 -name:"Desk 12"',
    ]


def test_alternatives_count_as_words() -> None:
    assert parse_search(",".join(["a"] * 20)).fault == ""
    assert "up to 20 are looked for" in parse_search(",".join(["a"] * 21)).fault
    assert parse_search("a,b foo:x,type:y").fault.startswith("'foo' is nothing to search by")


def test_a_search_is_narrowed_once() -> None:
    search = parse_search('present name:"desk')
    assert search.narrowed("Present") == search.text
    assert search.narrowed("warned") == 'present name:"desk" warned'


@pytest.mark.parametrize(
    ("text", "word", "after"),
    [
        ("", "missing", "missing"),
        ("berlin", "missing", "berlin missing"),
        ("berlin Missing desk", "current", "berlin desk current"),
        ("berlin missing", "missing", "berlin"),
        ("berlin missing", "type:IP222", "berlin missing type:IP222"),
        ("-missing", "missing", "-missing missing"),
        ("type:ip222 berlin", "type:IP222", "berlin"),
        ('berlin "desk 1', "type:IP222", 'berlin "desk 1" type:IP222'),
    ],
)
def test_a_word_is_added_or_taken_away(text: str, word: str, after: str) -> None:
    assert parse_search(text).toggled(word) == after


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("", ()),
        ("office", ("env:*office*", "type:*office*", "class:*office*")),
        ("ber missing", ("env:*ber* missing", "type:*ber* missing", "class:*ber* missing", "missing", "ber")),
        ('"office"', ()),
        ("off*ce", ()),
        ("-office", ()),
        ("one two missing", ("two missing", "one missing", "one two")),
        ("name:desk", ("name:*desk*", "desk")),
        ('name:"desk 1" -type:x', ("name:*desk?1* -type:x", "desk?1 -type:x", "-type:x", 'name:"desk 1"')),
        ("firmware:1 missing", ("missing", "firmware:1")),
        ("a,b", ()),
    ],
)
def test_what_is_like_a_search_and_may_find_more(text: str, like: tuple[str, ...]) -> None:
    assert loosened(parse_search(text)) == like
