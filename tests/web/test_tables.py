"""Tables as files, read back as programs and spreadsheets read them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from gitupd.web.language.choosing import choose
from gitupd.web.tables import AT_ONCE, defused, other_separator, plain_table, separator, spreadsheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitupd.web.tables import Cell

app = Flask(__name__)
WIDE = "\N{FULLWIDTH EQUALS SIGN}"
NOON = datetime(2026, 5, 6, 14, 30, 5, 250, timezone(timedelta(hours=2)))
ODD = ('say "hi"; 1,5', "two\nlines", "Grüße 中 🎺", " blanks ", "a\tb", "", "0123", "10.5")
ROWS: list[Sequence[Cell]] = [
    (*ODD, None, 7, NOON, ("berlin", "intranet"), ()),
    ("=1+1", "+49 30 1", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", f"{WIDE}1", None, -7, NOON, ("=a", "b"), ("-",)),
    (*("a;=1", "b,-1", "c\t@d", "e\n+f", "g; =h", "i-j"), *("",) * 7),
]
TELLING = ("h1", "h;2", "h,3", "h4", "h5", "h6", "h7", "=h8", "h9", "h10", "h11", "h12", "h13")


def saved(address: str, language: str = "", chosen: str | None = None) -> bytes:
    headers = {"Accept-Language": language} if language else {}
    with app.test_request_context(address, headers=headers):
        choose(chosen)
        response = spreadsheet("things.csv", TELLING, ROWS)
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert response.headers["Content-Disposition"] == 'attachment; filename="things.csv"'
        assert {"Accept-Language", "Cookie"} <= set(response.vary)
        return response.get_data()


@pytest.mark.parametrize(("name", "between"), [("comma", ","), ("semicolon", ";"), ("tab", "\t")])
def test_each_cell_is_read_back_as_it_was_and_none_is_a_formula(name: str, between: str) -> None:
    content = saved(f"/?separator={name}")
    assert content.startswith(b"\xef\xbb\xbfh1")
    assert content.endswith(b"\r\n")
    heads, one, other, within = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=between)
    assert heads == [*TELLING[:7], "'=h8", *TELLING[8:]]
    assert one == [*ODD, "", "7", "2026-05-06 12:30:05", "berlin, intranet", ""]
    assert other == [
        *("'=1+1", "'+49 30 1", "'-5", "'@SUM(A1)", "'\t'=1", "'\r'=1", "'\n'=1", f"'{WIDE}1"),
        *("", "-7", "2026-05-06 12:30:05", "'=a, b", "'-"),
    ]
    assert within[:6] == ["a;'=1", "b,'-1", "c\t'@d", "e\n'+f", "g; =h", "i-j"]


def test_no_cell_is_a_formula_to_what_separates_otherwise() -> None:
    for between in ",;\t":
        cells = csv.reader(io.StringIO(saved("/").decode("utf-8-sig"), newline=""), delimiter=between)
        assert not [cell for row in cells for cell in row if cell.startswith(("=", "@", "+"))]


@pytest.mark.parametrize(
    ("language", "chosen", "wanted"),
    [
        ("", None, "comma"),
        ("en-GB,en;q=0.9,de;q=0.8", None, "comma"),
        ("de-DE,de;q=0.9,en;q=0.8", None, "semicolon"),
        ("de-AT", None, "semicolon"),
        ("de-CH", None, "semicolon"),
        ("fr", None, "semicolon"),
        ("en;q=0.5,it;q=0.9", None, "semicolon"),
        ("en-US", "de", "semicolon"),
        ("de", "en", "comma"),
        ("*", None, "comma"),
        ("xx-nonsense", None, "comma"),
        ("\xff;q=", None, "comma"),
    ],
)
def test_cells_are_separated_as_the_spreadsheet_of_whoever_asks_expects_it(
    language: str, chosen: str | None, wanted: str
) -> None:
    with app.test_request_context("/", headers={"Accept-Language": language} if language else {}):
        choose(chosen)
        assert separator() == wanted
        assert {separator(), other_separator()} == {"comma", "semicolon"}
    assert saved("/", language, chosen) == saved(f"/?separator={wanted}")


def test_an_address_has_the_last_word_unless_it_means_nothing() -> None:
    assert saved("/?separator=comma", "de") == saved("/")
    assert saved("/?separator=tab", "de").startswith(b"\xef\xbb\xbfh1\th;2\th,3")
    assert saved("/?separator=|", "de") == saved("/", "de")


def test_rows_are_read_as_they_are_sent() -> None:
    read: list[int] = []

    def rows() -> Iterator[tuple[int]]:
        for number in range(3 * AT_ONCE):
            read.append(number)
            yield (number,)

    with app.test_request_context("/"):
        parts = iter(spreadsheet("n.csv", ["n"], rows()).response)
        assert [next(parts), len(read)] == ["\ufeffn\r\n", 0]
        next(parts)
        assert len(read) == AT_ONCE
        assert sum(str(part).count("\r\n") for part in parts) == 2 * AT_ONCE


def test_programs_get_each_text_as_it_is() -> None:
    with app.test_request_context("/?separator=tab", headers={"Accept-Language": "de"}):
        response = plain_table(["=a", "b"], [["=1+1", 'say "hi", now'], ["", "ü"]])
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert response.get_data() == '=a,b\r\n=1+1,"say ""hi"", now"\r\n,ü\r\n'.encode()


def test_what_is_no_formula_stays_as_it_is() -> None:
    assert [defused(text) for text in ("10.1.1.1", "a=1", "'=1", "")] == ["10.1.1.1", "a=1", "'=1", ""]
    assert NOON.astimezone(UTC).hour == 12
