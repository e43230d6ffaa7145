"""Which snippets a device gets, and the CHECK serial over them."""

from __future__ import annotations

import hashlib

import pytest

from gitupd.core.actions import (
    Deliver,
    lines,
    script,
)
from gitupd.core.policy import Policy
from gitupd.core.snapshot import CommitId, Snapshot, Snippet, check_serial

COMMIT = CommitId("ab" * 20)


def _snippet(name: str, content: bytes = b"x\n") -> Snippet:
    phase, device_class, place = name.split("-")
    return Snippet(f"snippets/{name}.txt", phase, device_class, place, content)


def test_snippets_come_by_phase_then_class_then_place() -> None:
    names = [
        f"{phase}-{device_class}-{place}"
        for phase in ("all", "update")
        for device_class in ("all", "phone", "ip222")
        for place in ("all", "00_90_33_30_00_af", "berlin", "intranet")
    ]
    others = ["staging-all-all", "update-gw-all", "update-phone-default", "update-all-00_90_33_30_00_b0"]
    snapshot = Snapshot(COMMIT, Policy(), tuple(map(_snippet, [*others, *reversed(names)])))
    found = snapshot.select("Update", ["phone", "IP222"], ["00_90_33_30_00_AF", "Berlin", "intranet"])
    assert [f"{each.phase}-{each.device_class}-{each.place}" for each in found] == names


def test_the_names_that_are_looked_for_are_told_whether_there_are_such_snippets_or_not() -> None:
    snapshot = Snapshot(COMMIT, Policy(), (_snippet("update-phone-berlin"), _snippet("update-gw-berlin")))
    found = snapshot.names("Update", ["phone"], ["00_90_33_30_00_AF", "Berlin", "berlin"])
    assert [each.name for each in found] == [
        f"{phase}-{device_class}-{place}"
        for phase in ("all", "update")
        for device_class in ("all", "phone")
        for place in ("all", "00_90_33_30_00_af", "berlin")
    ]
    assert {each.name: each.path for each in found if each.path} == {
        "update-phone-berlin": "snippets/update-phone-berlin.txt"
    }


def test_a_snippet_is_sent_once() -> None:
    snapshot = Snapshot(COMMIT, Policy(), (_snippet("all-all-all"),))
    assert len(snapshot.select("all", ["all", "all"], ["all"])) == 1


@pytest.mark.parametrize(
    ("content", "counted"),
    [
        (b"a\nb\n", b"ab"),
        (b"a\r\nb", b"ab"),
        (b" a b \t\r\n\r\n# c \n", b"a b# c"),
        (b"\0a\0\x0b\n", b"a"),
        (b"a\rb\n", b"a\rb"),
        (b"\x0ca\x0c\n", b"\x0ca\x0c"),
        ("\u00a0a\u00a0\n".encode(), "\u00a0a\u00a0".encode()),
        ("\u00a0a\n".encode("latin-1"), b"\xa0a"),
        (b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfa"),
        ("\u2003\x85\x1c a\n".encode(), "\u2003\x85\x1c a".encode()),
        (b"\n\n \n", b""),
        (b"", b""),
    ],
)
def test_lines_count_for_the_check_as_the_php_server_trimmed_them(content: bytes, counted: bytes) -> None:
    expected = hashlib.md5(b"before" + counted + b"after", usedforsecurity=False).hexdigest()
    assert check_serial(["be", "fore"], [_snippet("a-b-c", content)], ["after"]) == expected


def test_computed_lines_count_untrimmed_and_snippets_without_anything_between() -> None:
    expected = hashlib.md5(b" x abcd y ", usedforsecurity=False).hexdigest()
    assert check_serial([" x "], [_snippet("a-b-c", b"a\nb"), _snippet("d-e-f", b" c\n d")], [" y "]) == expected


def test_lines_are_sent_as_they_are_with_cr_lf() -> None:
    snippet = _snippet("a-b-c", b" a \r\n\r\nb\rc\n\xff\0")
    assert snippet.lines == (b" a ", b"", b"b\rc", b"\xff\0")
    assert snippet.sent == b" a \r\n\r\nb\rc\r\n\xff\0\r\n"
    assert _snippet("a-b-c", b"").sent == b""
    assert script([Deliver(snippet)]) == snippet.sent
    assert [line.number for line in lines([Deliver(snippet)])] == [1, 2, 3, 4]


def test_devices_that_have_snippets_of_their_own_are_known_by_their_places() -> None:
    names = ("all-all-berlin", "update-all-00_90_33_30_00_af", "all-all-0090333000b0")
    snapshot = Snapshot(COMMIT, Policy(), tuple(map(_snippet, names)))
    assert snapshot.serial_places == {"00_90_33_30_00_af", "0090333000b0"}
