"""The update URL that a device gets for its next poll."""

from __future__ import annotations

import pytest

from gitupd.core.actions import (
    Do,
)
from gitupd.core.caller import parse_caller
from gitupd.core.endpoint import Endpoint
from gitupd.core.policy import Delivery
from gitupd.core.url import poll_url

HERE = Endpoint("http", "upd.example", 80)


def _next(
    now: dict[str, str], *, polling: str | None, phase: str | None, delivery: Delivery | None = None
) -> list[str]:
    everything = {**now, "type": "x", "sn": "00-90-33-30-00-af", "hwid": "h", "ip": "i"}
    actions = poll_url(parse_caller(everything, HERE), delivery or Delivery(), polling=polling, phase=phase)
    return [
        each.command.replace("config add UP1 /url http%3A%2F%2Fupd.example%2Fupdate.php%3F", "url ")
        for each in actions
        if isinstance(each, Do)
    ]


_SELF = "type%3D%23t%26sn%3D%23m%26hwid%3D%23h%26ip%3D%23i"
_END = ["config add UP1 /no-dhcp", "config write", "config activate"]
_FAST = ["mod cmd UP1 provision 5", "config add UP1 /poll 1"]
_SLOW = ["mod cmd UP1 provision 0", "config rem UP1 /provision", "config add UP1 /poll 15"]


@pytest.mark.parametrize(
    ("now", "polling", "phase", "told"),
    [
        ({"polling": "5", "phase": "a"}, "5", "a", []),
        ({"polling": "05", "phase": "a"}, "5", "a", []),
        ({"polling": "0", "phase": "a"}, "", "a", []),
        ({"polling": "00", "phase": "a"}, "", "a", []),
        ({"phase": "a"}, "", "a", []),
        ({"polling": "5", "phase": "a"}, None, None, []),
        ({"polling": "5", "phase": "a"}, "5", "b", [f"url polling%3D5%26phase%3Db%26{_SELF}", *_END]),
        ({"polling": "5", "phase": "a"}, "", "a", [*_SLOW, f"url polling%3D0%26phase%3Da%26{_SELF}", *_END]),
        ({"polling": "0", "phase": "a"}, "5", "a", [*_FAST, f"url polling%3D5%26phase%3Da%26{_SELF}", *_END]),
        ({"polling": "x", "phase": "a"}, "", None, [*_SLOW, f"url polling%3D0%26phase%3Da%26{_SELF}", *_END]),
        ({"polling": "9" * 5000, "phase": "a"}, "5", None, [*_FAST, f"url polling%3D5%26phase%3Da%26{_SELF}", *_END]),
        ({"phase": "a"}, "", "b", [f"url polling%3D%26phase%3Db%26{_SELF}", *_END]),
        (
            {"a b": "c&d", "phase": "a", "polling": "0"},
            None,
            "b",
            [f"url polling%3D0%26phase%3Db%26a%2520b%3Dc%2526d%26{_SELF}", *_END],
        ),
    ],
)
def test_the_next_update_url(now: dict[str, str], polling: str | None, phase: str | None, told: list[str]) -> None:
    assert _next(now, polling=polling, phase=phase) == told


def test_arguments_that_devices_fill_in_themselves_become_placeholders_again() -> None:
    delivery = Delivery(url_arguments={"room": "#n", "load": None})
    now = {"phase": "a", "room": "17", "load": "0.7", "CFG-BACKUP-NUM": "3", "SCFGdate": "x", "ver": "y"}
    assert (
        _next(now, polling=None, phase="b", delivery=delivery)[0]
        == f"url polling%3D%26phase%3Db%26room%3D%23n%26{_SELF}"
    )
