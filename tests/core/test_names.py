"""How names are compared, and which of them stand for one device."""

from __future__ import annotations

import pytest

from gitupd.core.names import SERIAL_PLACE, fold


@pytest.mark.parametrize(("name", "folded"), [("IP222", "ip222"), ("Berlin", "berlin"), ("Ä_İ", "Ä_İ"), ("", "")])
def test_only_ascii_is_folded(name: str, folded: str) -> None:
    assert fold(name) == folded


@pytest.mark.parametrize("place", ["00_90_33_30_00_af", "0090333000af"])
def test_a_place_that_stands_for_one_device(place: str) -> None:
    assert SERIAL_PLACE.fullmatch(place)


@pytest.mark.parametrize("place", ["berlin", "00_90_33_30_00", "00-90-33-30-00-af", "00_90_33_30_00_AF"])
def test_a_place_that_stands_for_an_environment(place: str) -> None:
    assert not SERIAL_PLACE.fullmatch(place)
