"""What a device is served to have an earlier configuration again, what that can't undo, and what became of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.actions import Deliver, Do, Restoring
from gitupd.core.backups.change import Volatile, lines_of
from gitupd.core.backups.restore import Pending, Result, left_behind, replayable, result
from gitupd.core.plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.situation import Situation

VOLATILE = Volatile([re.compile("^vars create TLS0/TICKET/"), re.compile(r"\(info=")])
NOTHING = Volatile(())
PENDING = Pending(17, "a-token")
DEVICE = "polling=0&phase=update&type=IP222&sn=00-90-33-30-00-af&hwid=x&ip=y"

VERSION = b"""\
config change CMD0 /name Desk%2012
config change UP1 /url http%3A%2F%2Fold.example%2Fupdate.php%3Fphase%3Dstaging /poll 1
  CONFIG  ADD  up1  /provision 5
config rem UP1 /provision
config change UP10 /not the-update-client
config change PHONE SIG /prot SIP /gk-addr 10.0.0.1 /gk-pwd \xfcber

vars create UPDATE/CHECK p 0123456789
vars create UPDATE/CFG p gitupd-3-abc
vars create TLS0/TICKET/00000 pb 00ff
vars create S-LIC/PBX0 pbau 00ff
mod cmd UP0 prot http://old.example/fw/1/ ser 1
mod cmd UP1 check ser 0123456789
mod cmd FLASHDIR0 add-item 101 (cn=Reception)(e164=0)
mod cmd FLASHDIR0 add-item 102 (cn=Call)(type=in)(info=missed)
config write
config activate
iresetn
"""

SERVED = b"""\
config change CMD0 /name Desk%2012\r
config change UP10 /not the-update-client\r
config change PHONE SIG /prot SIP /gk-addr 10.0.0.1 /gk-pwd \xfcber\r
vars create S-LIC/PBX0 pbau 00ff\r
mod cmd FLASHDIR0 add-item 101 (cn=Reception)(e164=0)\r
config write\r
config activate\r
"""


def test_what_is_served() -> None:
    assert replayable(lines_of(VERSION), VOLATILE) == SERVED
    assert replayable(lines_of(VERSION.replace(b"\n", b"\r")), VOLATILE) == SERVED


@pytest.mark.parametrize("ending", [b"", b"config write\n", b"config activate\nconfig write\n", b"reset\n"])
def test_whatever_is_served_takes_effect(ending: bytes) -> None:
    served = replayable(lines_of(b"config change A /b c\n" + ending), NOTHING)
    assert served.startswith(b"config change A /b c\r\n")
    assert served.endswith(b"\r\nconfig write\r\nconfig activate\r\n")
    assert b"reset" not in served


@given(st.lists(st.sampled_from(VERSION.splitlines())))
def test_serving_what_was_served_changes_nothing(lines: list[bytes]) -> None:
    served = replayable(lines, VOLATILE)
    assert replayable(lines_of(served), VOLATILE) == served
    assert not re.search(rb"UP1|up1|UP0|UPDATE/|TICKET|info=|reset", served.replace(b"UP10", b""))
    assert all(line.strip() for line in served.removesuffix(b"\r\n").split(b"\r\n"))


def test_what_a_replay_leaves_behind() -> None:
    present = [
        *VERSION.splitlines(),
        b"config change CMD0 /name Other",
        b"config change PHONE DIR /mode LDAP",
        b"config change PHONE SIG2 /prot SIP",
        b"vars create S-LIC/PBX0 pbau 11ee",
        b"vars create S-LIC/PBX1 pbau 11ee",
        b"vars create UPDATE/SCFG p 1",
        b"vars create TLS0/TICKET/00001 pb 00ff",
        b"mod cmd FLASHDIR0 add-item 101 (cn=Front desk)(e164=0)",
        b"mod cmd FLASHDIR0 add-item 103 (cn=Boss)(e164=1)",
        b"something else",
    ]
    assert left_behind(VERSION.splitlines(), present, VOLATILE) == (
        b"config change PHONE DIR /mode LDAP",
        b"config change PHONE SIG2 /prot SIP",
        b"vars create S-LIC/PBX1 pbau 11ee",
        b"mod cmd FLASHDIR0 add-item 103 (cn=Boss)(e164=1)",
        b"something else",
    )
    assert left_behind(VERSION.splitlines(), VERSION.splitlines(), VOLATILE) == ()
    assert left_behind([b"config rem NTP0 /addr"], [b"config change NTP0 /addr 10.0.0.1"], VOLATILE) == ()


TARGET = [b"config change A /x 1", b"vars create V p 1", b"config change UP1 /url old", b"config write"]
BEFORE = [b"config change A /x 2", b"config change NEW /y 1", b"vars create V p 2", b"config change UP1 /url new"]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (TARGET, Result((), (), ())),
        ([*reversed(TARGET), b"vars create TLS0/TICKET/1 p 2"], Result((), (), ())),
        ([*TARGET, BEFORE[1]], Result((), (), (BEFORE[1],))),
        ([*TARGET, b"config change NEW /y 2"], Result((), (b"config change NEW /y 2",), ())),
        ([BEFORE[0], *TARGET[1:]], Result((TARGET[0],), (BEFORE[0],), ())),
        (TARGET[1:], Result((TARGET[0],), (), ())),
        (BEFORE, Result((TARGET[0], TARGET[1]), (BEFORE[0], BEFORE[2]), (BEFORE[1],))),
        ([*TARGET, TARGET[0]], Result((), (TARGET[0],), ())),
    ],
)
def test_what_became_of_a_replay(after: list[bytes], expected: Result) -> None:
    found = result(TARGET, BEFORE, after, VOLATILE)
    assert found == expected
    assert found.is_restored is not bool(expected.missing or expected.unexpected)


def commands(situation: Situation) -> list[str]:
    return [action.command for action in plan(situation) if isinstance(action, Do)]


def test_nothing_comes_behind_a_restore(situation: Callable[..., Situation]) -> None:
    files = {"snippets/all-all-all.txt": "config add A /b c"}
    actions = list(plan(situation(files, DEVICE, restore=PENDING)))
    assert actions[-1] == Restoring(17)
    assert commands(situation(files, DEVICE, restore=PENDING))[-1] == (
        f"mod cmd UP0 cfg http://upd.example/innovaphone/restore/a-token iresetn {PENDING.guard}"
    )
    assert not any(isinstance(action, Deliver) for action in actions)
    assert any(isinstance(action, Deliver) for action in plan(situation(files, DEVICE)))


def test_a_device_that_has_executed_it_is_not_told_again(situation: Callable[..., Situation]) -> None:
    executed = situation({}, f"{DEVICE}&CFG={PENDING.guard}", restore=PENDING)
    assert list(plan(executed)) == list(plan(situation({}, f"{DEVICE}&CFG={PENDING.guard}")))


def test_the_serial_of_one_restore_is_never_that_of_another() -> None:
    assert len({PENDING.guard, Pending(18, "a-token").guard, Pending(17, "b-token").guard}) == 3
    assert PENDING.token not in PENDING.guard
    assert PENDING.token not in repr(PENDING)


@pytest.mark.parametrize("window", ["{hours: [22]}", "{initial_minutes: 5}"])
def test_the_time_window_comes_first(situation: Callable[..., Situation], window: str) -> None:
    said = commands(situation({"policies/delivery.yaml": f"window: {window}"}, DEVICE, restore=PENDING))
    assert "UP1 times" in said[-2]
    assert "UP0 cfg" in said[-1]


def test_where_https_is_required_it_goes_no_other_way(situation: Callable[..., Situation]) -> None:
    said = commands(situation({"policies/transport.yaml": "https: required"}, DEVICE, restore=PENDING))
    assert "update.php" in "".join(said), "it is sent to HTTPS first"
    assert not any("UP0 cfg" in line for line in said)


def test_a_device_that_does_not_say_who_it_is_gets_none(situation: Callable[..., Situation]) -> None:
    said = commands(situation({}, "sn=00-90-33-30-00-af", restore=PENDING))
    assert "update.php" in "".join(said), "it is asked who it is"
    assert not any("UP0 cfg" in line for line in said)
