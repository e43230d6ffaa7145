"""Reverse look-ups in the background."""

from __future__ import annotations

from support.waiting import until

from gitupd.service.certificates.host_names import HostNames


def test_a_name_is_looked_up_behind_the_back_of_whoever_asks() -> None:
    names = HostNames()
    try:
        assert until(lambda: names.name("127.0.0.1"), "it is never known") != ""
        assert names.name("127.0.0.1") is not None
    finally:
        names.stop()


def test_what_has_no_name_is_called_by_its_address() -> None:
    names = HostNames()
    try:
        assert until(lambda: names.name("no address at all \0"), "it is never known") == "no address at all \0"
    finally:
        names.stop()


def test_who_has_patience_hears_it_at_once() -> None:
    names = HostNames()
    try:
        assert names.name("127.0.0.1", patience=60) is not None
    finally:
        names.stop()
