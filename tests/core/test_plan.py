"""Whole scripts, held against text files: what a device gets in the situations that every fleet knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitupd.core.actions import InPhase, script
from gitupd.core.admission.admittance import OUTSIDE, Admittance
from gitupd.core.backups.restore import Pending
from gitupd.core.endpoint import Endpoint
from gitupd.core.firmware import Builds
from gitupd.core.identity import PRESUMED
from gitupd.core.plan import STEPS, plan, restore
from gitupd.core.situation import Computed
from gitupd.core.snapshot import KnownDevice, check_serial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitupd.core.situation import Situation

_GOLDEN = Path(__file__).parent / "golden"

_PHASES = {"phases.yaml": "phases: {staging: {order: 100}, rollout: {order: 200}, update: {order: 300}}"}
_SNIPPETS = {
    "environments.yaml": "environments: {default: {}, berlin: {implies: [intranet]}, intranet: {}}",
    "snippets/all-all-all.txt": "# for everyone\nconfig change NTP0 /addr pool.ntp.org\n",
    "snippets/staging-phone-all.txt": "config add PHONE/USER-UI /language eng\r\n\r\nvars create A p 1",
    "snippets/update-phone-intranet.txt": "config add LDAP /host ldap.intranet.example\n",
    "snippets/update-ip222-berlin.txt": "config add PHONE/REG /gk-addr 10.1.0.1\n",
    "snippets/update-all-00_90_33_30_00_af.txt": "config add CMD0 /name The+Boss\n",
}
_FLEET = _PHASES | _SNIPPETS
_MASTER = {
    "policies/firmware.yaml": """\
master: {url: "http://10.0.0.1/CMD0/box_info.xml"}
firmware: master
bootcode: master
applies: [{class: phone}]
"""
}
_BUSY = {
    "policies/backup.yaml": "enabled: true",
    "policies/delivery.yaml": "window: {hours: [22, 23, 0], initial_minutes: 5}",
    "queries.yaml": """\
queries:
  admin: {applies: [all]}
  uptime: {command: "mod cmd X0 up time", applies: [{environment: berlin}]}
  never: {command: nobody asks, applies: [{class: gw}]}
""",
}
_HTTPS = {
    "policies/transport.yaml": "https: required\nhttps_port: 8443\nclient_certificate: required",
    "policies/backup.yaml": "enabled: true",
}
_COMPLETE = "type=IP222&sn=00-90-33-30-00-af&hwid=IP222-30-00-af&ip=10.0.0.7"
_LAST = f"polling=0&phase=update&{_COMPLETE}"
_QUARANTINED = {"admission": Admittance.QUARANTINED}
_REFUSED = {"admission": Admittance.REFUSED}
_RESTORE = Pending(17, "aVeryLongToken-47")
_PLAIN = Endpoint("http", "upd.example", 80)
_SECURE = Endpoint("https", "upd.example", 8443, "/innovaphone")


@dataclass(frozen=True)
class Case:
    files: Mapping[str, str]
    query: str
    known: Mapping[str, Any] = field(default_factory=dict)


def _check(*paths: str, before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> str:
    """Return the CHECK serial of snippets, computed from their lines by hand."""
    said = "".join(line.strip() for path in paths for line in _SNIPPETS[f"snippets/{path}.txt"].splitlines())
    return check_serial((*before, said), (), after)


_BERLIN = ("all-all-all", "update-all-00_90_33_30_00_af", "update-phone-intranet", "update-ip222-berlin")

CASES = {
    "first-contact": Case(_FLEET, "env=berlin"),
    "first-contact-without-arguments": Case(_FLEET, ""),
    "serial-number-missing": Case(_FLEET, "polling=5&phase=rollout&type=IP222&hwid=x&ip=10.0.0.7&env=berlin"),
    "staging": Case(_FLEET, f"polling=5&phase=staging&{_COMPLETE}&env=berlin"),
    "staging-without-fast-polling": Case(
        _FLEET | {"policies/delivery.yaml": "fast_poll: 0\ninterval: 60"}, f"polling=0&phase=staging&{_COMPLETE}"
    ),
    "last-phase": Case(_FLEET, f"polling=5&phase=update&{_COMPLETE}&env=berlin"),
    "last-phase-again": Case(_FLEET, f"{_LAST}&env=berlin&CHECK=other"),
    "check-fits": Case(_FLEET, f"{_LAST}&env=berlin&CHECK={_check(*_BERLIN)}"),
    "check-fits-before-the-last-phase": Case(_FLEET, f"polling=5&phase=rollout&{_COMPLETE}&CHECK={_check()}"),
    "check-is-off": Case(_FLEET | {"policies/delivery.yaml": "check: false"}, f"{_LAST}&CHECK={_check('all-all-all')}"),
    "firmware-of-the-master": Case(_FLEET | _MASTER, f"{_LAST}&PROT=137000", {"builds": Builds("134250", "131286")}),
    "firmware-is-right": Case(
        _FLEET | _MASTER, f"{_LAST}&PROT=134250&BOOT=131286", {"builds": Builds("134250", "131286")}
    ),
    "master-never-answered": Case(_FLEET | _MASTER, _LAST),
    "https-switch": Case(_FLEET | _HTTPS, f"polling=5&phase=staging&{_COMPLETE}&env=berlin"),
    "https-without-certificate": Case(_FLEET | _HTTPS, f"{_LAST}&env=berlin", {"endpoint": _SECURE}),
    "https-with-certificate": Case(_FLEET | _HTTPS, f"{_LAST}&env=berlin", {"endpoint": _SECURE, "presumed": PRESUMED}),
    "queries-backup-window": Case(_FLEET | _BUSY, f"{_LAST}&env=berlin"),
    "staging-ignores-window": Case(_FLEET | _BUSY, f"polling=5&phase=staging&{_COMPLETE}"),
    "first-run-outside-window": Case(
        _FLEET | _BUSY | {"policies/delivery.yaml": "window: {hours: [1]}\nfirst_run_ignores_window: true"},
        f"polling=5&phase=rollout&{_COMPLETE}",
    ),
    "computed-lines": Case(
        _FLEET,
        f"{_LAST}&env=berlin",
        {"computed": Computed(("config add A /b 1", "# computed"), ("config add Z /z 1",))},
    ),
    "computed-lines-check-fits": Case(
        _FLEET,
        f"{_LAST}&env=berlin&CHECK={_check(*_BERLIN, before=('config add A /b 1',), after=('config add Z /z 1',))}",
        {"computed": Computed(("config add A /b 1",), ("config add Z /z 1",))},
    ),
    "computed-lines-alone": Case(_FLEET, _LAST, {"computed": Computed(("config add A /b 1",), standard=False)}),
    "computed-lines-failed": Case(_FLEET, _LAST, {"computed": Computed(failure="scripting.py:3: KeyError: 'x'")}),
    "restore": Case(_FLEET | _BUSY, f"{_LAST}&env=berlin&CFG=other", {"restore": _RESTORE}),
    "restore-executed": Case(
        _FLEET, f"{_LAST}&CFG={_RESTORE.guard}&CHECK={_check('all-all-all')}", {"restore": _RESTORE}
    ),
    "restore-needs-https": Case(_FLEET | _HTTPS, _LAST, {"restore": _RESTORE}),
    "restore-by-https": Case(_FLEET | _HTTPS, _LAST, {"restore": _RESTORE, "endpoint": _SECURE, "presumed": PRESUMED}),
    "unknown-phase": Case(_FLEET, f"polling=5&phase=upadte&{_COMPLETE}"),
    "unknown-environment": Case(_FLEET, f"{_LAST}&env=berlin,münchen"),
    "only-unknown-environments": Case(_FLEET, f"{_LAST}&env=hamburg"),
    "unknown-model": Case(_FLEET, "polling=0&phase=update&type=IP9999-X&sn=00-90-33-00-00-01&hwid=x&ip=y"),
    "quarantined-first-contact": Case(_FLEET | _MASTER | _BUSY, "env=berlin", _QUARANTINED),
    "quarantined": Case(
        _FLEET | _MASTER | _BUSY,
        f"polling=5&phase=nowhere&{_COMPLETE}&env=berlin,nowhere",
        _QUARANTINED | {"restore": _RESTORE, "builds": Builds("134250", "131286"), "computed": Computed(("x",))},
    ),
    "quarantined-moves-to-https": Case(_FLEET | _HTTPS, f"{_COMPLETE}&env=berlin", _QUARANTINED),
    "quarantined-by-https": Case(_FLEET | _HTTPS, _LAST, _QUARANTINED | {"endpoint": _SECURE}),
    "refused-first-contact": Case(_FLEET | _BUSY, "env=berlin", _REFUSED),
    "refused": Case(_FLEET | _BUSY | _MASTER, f"{_LAST}&env=berlin", _REFUSED | {"restore": _RESTORE}),
    "own-arguments-are-kept": Case(_FLEET, f"phase=rollout&room=1%262&{_COMPLETE}&PROT=1&PROTdate=2&ver=x"),
}


@pytest.mark.parametrize("name", CASES)
def test_script(name: str, situation: Callable[..., Situation]) -> None:
    case = CASES[name]
    sent = script(plan(situation(case.files, case.query, **case.known)))
    assert sent.count(b"\n") == sent.count(b"\r\n") == sent.count(b"\r")
    assert sent.replace(b"\r\n", b"\n").decode() == (_GOLDEN / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("verdict", OUTSIDE)
@pytest.mark.parametrize("query", ["", "env=berlin", _COMPLETE, _LAST, f"{_LAST}&CHECK={_check('all-all-all')}"])
@pytest.mark.parametrize("place", [_PLAIN, _SECURE])
def test_nobody_outside_is_told_more_than_an_address(
    situation: Callable[..., Situation], verdict: Admittance, query: str, place: Endpoint
) -> None:
    known = {"builds": Builds("134250", "131286"), "restore": _RESTORE, "computed": Computed(("config add A /b 1",))}
    asked = situation(_FLEET | _BUSY | _MASTER | _HTTPS, query, place, admission=verdict, **known)
    commands = {line for line in _said(asked) if not line.startswith("#")}
    addresses = {line for line in commands if line.startswith("config add UP1 /url ")}
    assert commands - addresses <= {"config add UP1 /no-dhcp", "config write", "config activate"}
    assert len(addresses) <= (verdict is Admittance.QUARANTINED)


def test_every_golden_file_has_its_case() -> None:
    assert {path.stem for path in _GOLDEN.iterdir()} == set(CASES)


def test_a_known_device_is_in_the_environments_that_the_repository_gives_it(
    situation: Callable[..., Situation],
) -> None:
    files = _FLEET | {"devices.yaml": "devices: {00-90-33-30-00-AF: {environments: [berlin], name: Boss}}"}
    moved = situation(files, f"{_LAST}&env=default")
    assert moved.known == KnownDevice("Boss", ("berlin",))
    assert script(plan(moved)) == script(plan(situation(_FLEET, f"{_LAST}&env=berlin"))).replace(
        b"env=berlin", b"env=default"
    )


def _said(situation: Situation) -> list[str]:
    return script(plan(situation)).decode().splitlines()


def test_of_many_environments_that_do_not_exist_ten_are_named(situation: Callable[..., Situation]) -> None:
    names = ",".join(f"x{number}" for number in range(1012))
    asked = situation(_FLEET, f"env={names[: names.index(',x99,')]}")
    said = [line for line in _said(asked) if "environment" in line]
    assert len(said) == 11
    assert said[9:] == [
        "# environment 'x9' does not exist, and is ignored",
        "# of 89 more names of environments none exists, and all are ignored",
    ]


def test_no_backup_is_asked_for_where_there_is_to_be_none(situation: Callable[..., Situation]) -> None:
    asked = situation(_FLEET | {"policies/backup.yaml": "enabled: false"}, _LAST)
    assert [line for line in _said(asked) if " scfg " in line] == []
    assert [line for line in _said(situation(_FLEET, _LAST)) if " scfg " in line] != []


@pytest.mark.parametrize(
    ("window", "phase", "times"),
    [
        ("hours: [22, 3]", "update", ["mod cmd UP1 times  /allow 22,3"]),
        ("hours: [22, 3]", "staging", []),
        ("initial_minutes: 5", "staging", ["mod cmd UP1 times  /initial 5"]),
        ("hours: [22], initial_minutes: 5", "update", ["mod cmd UP1 times  /allow 22 /initial 5"]),
    ],
)
def test_a_time_window_is_told_as_far_as_it_concerns_the_phase(
    situation: Callable[..., Situation], window: str, phase: str, times: list[str]
) -> None:
    files = _FLEET | {"policies/delivery.yaml": f"window: {{{window}}}"}
    sent = _said(situation(files, f"polling=5&phase={phase}&{_COMPLETE}"))
    assert [line for line in sent if " times " in line] == times


@pytest.mark.parametrize(
    ("applies", "asked"), [("[{class: phone}]", True), ("[{class: phone}, {environment: berlin}]", False)]
)
def test_firmware_is_asked_for_where_all_its_conditions_are_met(
    situation: Callable[..., Situation], applies: str, *, asked: bool
) -> None:
    files = _FLEET | {"policies/firmware.yaml": f"firmware: '1'\napplies: {applies}"}
    assert any(" prot " in line for line in _said(situation(files, _LAST))) is asked


@pytest.mark.parametrize("count", range(len(STEPS)))
def test_no_step_changes_what_the_ones_before_it_say(
    monkeypatch: pytest.MonkeyPatch, situation: Callable[..., Situation], count: int
) -> None:
    asked = situation(_FLEET | _BUSY, f"polling=5&phase=staging&{_COMPLETE}&env=berlin,nowhere", restore=_RESTORE)
    whole = list(plan(asked))
    monkeypatch.setattr("gitupd.core.plan.STEPS", STEPS[:count])
    first = list(plan(asked))
    assert first == whole[: len(first)]
    assert (len(first) < len(whole)) is (count < STEPS.index(restore) + 1)


def test_who_proves_nothing_does_not_confirm_for_the_device(situation: Callable[..., Situation]) -> None:
    for known, before in (({}, None), ({"presumed": PRESUMED}, "rollout")):
        asked = situation(_FLEET | _HTTPS, f"{_LAST}&env=berlin", endpoint=_SECURE, **known)
        assert [action.before for action in plan(asked) if isinstance(action, InPhase)] == [before]


def test_an_address_of_firmware_with_a_secret_is_told_to_trusted_devices_alone(
    situation: Callable[..., Situation],
) -> None:
    files = _FLEET | _HTTPS | {"policies/firmware.yaml": "firmware: 137213\nstorage: fw/{build}?token=secret\n"}
    for known, is_told in (({}, False), ({"presumed": PRESUMED}, True)):
        sent = script(plan(situation(files, f"{_LAST}&env=berlin", endpoint=_SECURE, **known)))
        assert (b"token=secret" in sent) is is_told
        assert (b"# no firmware, for its address holds a secret" in sent) is not is_told
