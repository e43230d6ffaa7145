from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gitupd.core.admission.admittance import Admittance
from gitupd.core.comparison.consequences import (
    CertificateDemanded,
    CertificateRolledOut,
    Consequence,
    EveryPoll,
    ExecutedAgain,
    Failing,
    GetsNothing,
    HttpsDemanded,
    InOtherPhase,
    LetIn,
    Loads,
    LoadsNoMore,
    LosesMost,
    MovesOn,
    NotExecuted,
    OnceOnly,
    OnlyWithin,
    PollsOtherwise,
    Restarts,
    ShutOut,
    consequences,
    lost,
)
from gitupd.core.endpoint import Endpoint
from gitupd.core.identity import NOT_SHOWN, PRESUMED
from gitupd.core.situation import Computed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitupd.core.comparison.rendering import Rendering

SNIPPET, DELIVERY = "snippets/all-all-all.txt", "policies/delivery.yaml"
FIRMWARE, TRANSPORT = "policies/firmware.yaml", "policies/transport.yaml"
OFF = {"policies/backup.yaml": "enabled: false"}
BASE = {**OFF, SNIPPET: "one\ntwo\nthree\n"}
CODE = {"scripting.py": "class X:\n    def pre(self, device): return []\n"}
HTTPS = Endpoint("https", "upd.example", 443)
KNOWN = "type=IP222&sn=00-90-33-30-00-af&hwid=h&ip=10.0.0.7"


def phases(*names: str) -> dict[str, str]:
    listed = ", ".join(f"{name}: {{order: {order}}}" for order, name in enumerate(names))
    return {"phases.yaml": f"phases: {{{listed}}}"}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({SNIPPET: "one\ntwo\nthree\nfour\n"}, [ExecutedAgain()]),
        ({SNIPPET: "one\n# a comment\ntwo\nthree\n"}, [ExecutedAgain()]),
        ({SNIPPET: "two\none\nthree\n"}, [ExecutedAgain()]),
        ({SNIPPET: "one \n\ntwo\nthree\n"}, []),
        ({SNIPPET: "one\n"}, [LosesMost(3, 1), ExecutedAgain()]),
        ({SNIPPET: "# one\n"}, [GetsNothing()]),
        ({SNIPPET: "one\ntwo\nvars create X p 1\n"}, [ExecutedAgain(), Restarts("variables")]),
        ({SNIPPET: "one\ntwo\n# vars create X p 1\n"}, [ExecutedAgain()]),
        ({SNIPPET: "one\ntwo\nireset\n"}, [ExecutedAgain(), Restarts("command")]),
        ({SNIPPET: "one\ntwo\nmod cmd UP0 boot http://x ser 1\n"}, [ExecutedAgain(), Restarts("firmware")]),
        ({DELIVERY: "check: false"}, [ExecutedAgain(), EveryPoll()]),
        ({DELIVERY: "window: {hours: [22, 23]}"}, []),
        (
            {DELIVERY: "window: {hours: [22]}", SNIPPET: "1\n2\n"},
            [ExecutedAgain(), OnlyWithin("between 22:00 and 23:00")],
        ),
        (phases("update", "last"), [MovesOn(None, "last"), ExecutedAgain()]),
        (phases("first"), [InOtherPhase("update", "first")]),
        ({FIRMWARE: "firmware: 137213"}, [Loads("firmware", None, "137213"), Restarts("firmware")]),
        ({TRANSPORT: "https: required"}, [HttpsDemanded(443)]),
        ({TRANSPORT: "https: required\nhttps_port: 8443"}, [HttpsDemanded(8443)]),
        ({TRANSPORT: "client_certificate: required"}, [CertificateDemanded(), GetsNothing()]),
        ({"policies/certificates.yaml": "enabled: true"}, [CertificateRolledOut()]),
    ],
)
def test_what_follows_for_a_device_that_has_executed_all_before(
    render: Callable[..., Rendering], changes: Mapping[str, str], found: list[Consequence]
) -> None:
    base, head = render(BASE, executed=BASE), render({**BASE, **changes}, executed=BASE)
    assert list(consequences(base, head)) == found


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({}, {SNIPPET: "1\n2\n"}, []),
        ({}, {SNIPPET: "1\n2\nvars create X p 1\n"}, [Restarts("variables")]),
        ({SNIPPET: "1\nvars create X p 1\n"}, {SNIPPET: "2\nvars create X p 1\n"}, []),
        ({DELIVERY: "check: false"}, {}, [OnceOnly()]),
        ({FIRMWARE: "firmware: 137213"}, {}, [LoadsNoMore("firmware", "137213")]),
        ({FIRMWARE: "firmware: 137213"}, {FIRMWARE: "firmware: 137213"}, []),
        ({FIRMWARE: "bootcode: 1"}, {FIRMWARE: "bootcode: 2"}, [Loads("boot code", None, "2")]),
        ({FIRMWARE: "bootcode: 1"}, {}, [LoadsNoMore("boot code", "1")]),
        ({TRANSPORT: "https: required"}, {}, []),
        ({DELIVERY: "window: {hours: [22]}"}, {DELIVERY: "window: {initial_minutes: 5}"}, []),
        ({}, {DELIVERY: f"window: {{hours: {list(range(24))}}}"}, []),
    ],
)
def test_what_follows_for_a_device_that_is_behind(
    render: Callable[..., Rendering], before: Mapping[str, str], after: Mapping[str, str], found: list[Consequence]
) -> None:
    assert list(consequences(render({**BASE, **before}), render({**BASE, **after}))) == found


def test_what_was_executed_before_is_not_executed_again(render: Callable[..., Rendering]) -> None:
    other = {**OFF, SNIPPET: "1\n2\n"}
    assert consequences(render(other, executed=BASE), render(BASE, executed=BASE)) == (NotExecuted(),)


def test_devices_are_let_in_and_shut_out(render: Callable[..., Rendering]) -> None:
    inside, outside = render(BASE), render(BASE, admission=Admittance.QUARANTINED)
    assert consequences(inside, outside) == (ShutOut(),)
    assert consequences(outside, inside) == (LetIn(),)
    assert consequences(outside, outside) == ()


def test_a_failure_is_told_if_it_is_new(render: Callable[..., Rendering]) -> None:
    good, failing = render({**BASE, **CODE}), render({**BASE, **CODE}, computed=Computed(failure="it is broken"))
    (found,) = consequences(good, failing)
    assert isinstance(found, Failing)
    assert "it is broken" in found.reason
    assert consequences(failing, failing) == ()
    assert not any(isinstance(each, Failing) for each in consequences(failing, good))


def test_the_file_is_looked_for_where_the_server_serves_it(render: Callable[..., Rendering]) -> None:
    def loads(policy: str, *, there: bool) -> list[Consequence]:
        asked: list[tuple[str, str]] = []
        head = render({**BASE, FIRMWARE: policy}, executed=BASE)
        result = consequences(render(BASE, executed=BASE), head, lambda *what: asked.append(what) or there)  # type: ignore[func-returns-value]
        assert asked in ([], [("137213", "ip222.bin")])
        return list(result)

    here: Any = {"what": "firmware", "before": None, "after": "137213"}
    assert loads("firmware: 137213", there=True) == [Loads(**here, present=True), Restarts("firmware")]
    assert loads("firmware: 137213", there=False) == [Loads(**here, present=False)]
    elsewhere = "firmware: 137213\nstorage: http://files.example/{build}/"
    assert loads(elsewhere, there=False) == [Loads(**here, present=None), Restarts("firmware")]


def test_a_certificate_is_demanded_of_those_who_show_none(render: Callable[..., Rendering]) -> None:
    demanding = {**BASE, TRANSPORT: "https: required\nclient_certificate: required"}

    def shown(identity: object) -> list[Consequence]:
        base, head = (render(files, endpoint=HTTPS, presumed=identity) for files in (BASE, demanding))
        return list(consequences(base, head))

    assert shown(PRESUMED) == []
    assert shown(NOT_SHOWN) == [CertificateDemanded(), GetsNothing()]


def test_a_device_in_staging_need_not_wait_for_the_time_window(render: Callable[..., Rendering]) -> None:
    staging = {**phases("staging", "update"), **OFF, DELIVERY: "window: {hours: [22]}"}
    made = [render({**staging, SNIPPET: text}, f"phase=staging&{KNOWN}") for text in ("1", "2")]
    assert consequences(*made) == ()


def test_the_way_on_is_told_unless_a_phase_or_https_says_why(render: Callable[..., Rendering]) -> None:
    staging = {**phases("staging", "update"), **BASE}
    made = [render({**staging, DELIVERY: f"fast_poll: {pace}"}, KNOWN) for pace in (5, 7)]
    assert consequences(*made) == (PollsOtherwise(),)
    assert consequences(made[0], render({**staging, TRANSPORT: "https: required"}, KNOWN)) == (HttpsDemanded(443),)


def test_a_device_that_says_nothing_of_itself_is_in_no_phase(render: Callable[..., Rendering]) -> None:
    assert consequences(render(BASE, "type=IP222"), render({**BASE, **phases("first")}, "type=IP222")) == (
        PollsOtherwise(),
    )


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        ("one\ntwo\nthree\n", "one\ntwo\n", 33),
        ("one\ntwo\nthree\n", "four\nfive\nsix\n", 0),
        ("one\n", "one\ntwo\n", 0),
        ("one\n", "# nothing\n", 100),
        ("# nothing\n", "", 0),
    ],
)
def test_how_many_commands_are_lost(render: Callable[..., Rendering], before: str, after: str, part: int) -> None:
    assert lost(*(render({**OFF, SNIPPET: text}) for text in (before, after))) == part


def test_who_is_kept_from_its_commands_loses_none(render: Callable[..., Rendering]) -> None:
    assert lost(render(BASE), render({**BASE, TRANSPORT: "https: required"})) == 0
