from __future__ import annotations

from gitupd.service.admission.turned_away import TurnedAway


def test_who_was_turned_away_is_known_for_an_hour_and_no_longer_than_two() -> None:
    at = 0.0
    away = TurnedAway(lambda: at)
    away.add("0090333000af")
    assert "0090333000af" in away
    assert "0090333000b0" not in away
    at = 3700.0
    assert "0090333000af" in away
    at = 7500.0
    assert "0090333000af" not in away


def test_a_hundred_thousand_are_known_and_few_others_are_taken_for_them() -> None:
    away = TurnedAway(lambda: 0.0)
    for number in range(100_000):
        away.add(f"{number:012x}")
    assert all(f"{number:012x}" in away for number in range(0, 100_000, 97))
    mistaken = sum(f"{number:012x}" in away for number in range(1_000_000, 1_010_000))
    assert mistaken < 100


def test_more_than_fit_are_forgotten_before_others_are_taken_for_them() -> None:
    away = TurnedAway(lambda: 0.0)
    for number in range(600_000):
        away.add(f"{number:012x}")
    assert "000000000001" in away  # of the generation before
    mistaken = sum(f"{number:012x}" in away for number in range(1_000_000, 1_002_000))
    assert mistaken < 200
