"""What the certificate of a device needs next, and what is remembered of that."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.core.certificates.report import CertificateReport, ReportedCertificate
from gitupd.core.certificates.request import RequestWords
from gitupd.core.certificates.rollout import (
    COMMANDING,
    MOST_INSTALLATIONS,
    PROVED,
    Approval,
    Enrolment,
    Need,
    Rollout,
    Stage,
    need,
    renewal,
)
from gitupd.core.policy import Certificates

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
POLICY = Certificates(enabled=True, authorities=("Our CA",))
FOREIGN = (ReportedCertificate("a", "Else", NOW - timedelta(days=1), NOW + timedelta(days=500)),)
OURS = (replace(FOREIGN[0], issuer="Our CA"),)
AUTHORITY = ReportedCertificate("Our CA", "Our CA", NOW - timedelta(days=900), NOW + timedelta(days=900))
WORDS = RequestWords({})
NOTHING = Rollout()
REQUESTED = Rollout(request=b"csr")
SIGNED = Rollout(request=b"csr", signed=(b"cert",))
REJECTED = Rollout(request=b"csr", rejected="Nobody knows it.")


def stage(
    report: CertificateReport | None, rollout: Rollout = NOTHING, policy: Certificates = POLICY, version: str = ""
) -> Stage:
    return need(Enrolment(rollout, report, WORDS, version), policy, NOW).stage


@pytest.mark.parametrize(
    ("report", "rollout", "expected"),
    [
        (None, Rollout(), Stage.UNKNOWN),
        (None, Rollout(start_over=True), Stage.START_OVER),
        (CertificateReport(FOREIGN), Rollout(look_again=True, start_over=True), Stage.LOOK_AGAIN),
        (CertificateReport(OURS), Rollout(), Stage.GOOD),
        (CertificateReport(OURS, request=True), Rollout(), Stage.CLEAN_UP),
        (CertificateReport(), Rollout(), Stage.REQUEST),
        (CertificateReport(FOREIGN), Rollout(), Stage.REQUEST),
        (CertificateReport(FOREIGN, busy=True), Rollout(), Stage.BUSY),
        (CertificateReport(FOREIGN, error="1"), Rollout(), Stage.FAILED),
        (CertificateReport(OURS, error="1"), Rollout(), Stage.FAILED),
        (CertificateReport(FOREIGN, error="1"), Rollout(start_over=True), Stage.START_OVER),
        (CertificateReport(FOREIGN, request=True), Rollout(), Stage.FETCH),
        (CertificateReport(FOREIGN, request=True), REQUESTED, Stage.SIGNING),
        (CertificateReport(FOREIGN, request=True), SIGNED, Stage.INSTALL),
        (CertificateReport(FOREIGN, request=True), replace(SIGNED, installations=MOST_INSTALLATIONS), Stage.FAILED),
        (CertificateReport(FOREIGN, request=True), REJECTED, Stage.REJECTED),
        (CertificateReport(FOREIGN), REJECTED, Stage.REJECTED),
        (CertificateReport(OURS), REJECTED, Stage.GOOD),
        (CertificateReport(FOREIGN, request=True), replace(REJECTED, start_over=True), Stage.START_OVER),
        (CertificateReport(OURS), Rollout(revoked=OURS[0].not_before), Stage.REQUEST),
        (CertificateReport(OURS), Rollout(revoked=NOW), Stage.REQUEST),
        (CertificateReport(OURS), Rollout(revoked=NOW - timedelta(days=2)), Stage.GOOD),
        (CertificateReport((*OURS, AUTHORITY)), Rollout(revoked=NOW - timedelta(days=2)), Stage.GOOD),
        (CertificateReport(OURS), Rollout(rejected="no", revoked=OURS[0].not_before), Stage.REJECTED),
    ],
)
def test_the_next_step(report: CertificateReport | None, rollout: Rollout, expected: Stage) -> None:
    assert stage(report, rollout) is expected


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (None, Stage.GOOD),
        (CertificateReport(FOREIGN, busy=True), Stage.GOOD),
        (CertificateReport(FOREIGN, request=True, error="forged"), Stage.GOOD),
        (CertificateReport(FOREIGN, request=True), Stage.CLEAN_UP),
    ],
)
def test_what_a_device_proves_outweighs_what_anybody_may_have_reported(
    report: CertificateReport | None, expected: Stage
) -> None:
    proved = Enrolment(NOTHING, report, WORDS, proved=OURS[0])
    assert need(proved, POLICY, NOW).stage is expected
    assert need(proved, replace(POLICY, authorities=()), NOW).stage is expected


def test_a_proof_that_is_about_to_expire_is_renewed() -> None:
    soon = replace(OURS[0], not_after=NOW + timedelta(days=30))
    proved = Enrolment(NOTHING, CertificateReport((soon,)), WORDS, proved=soon)
    assert need(proved, POLICY, NOW).stage is Stage.REQUEST
    foreign = Enrolment(NOTHING, CertificateReport(FOREIGN), WORDS, proved=FOREIGN[0])
    assert need(foreign, POLICY, NOW).stage is Stage.REQUEST


def test_a_request_that_waits_says_why_and_one_that_is_put_off_waits_longer_each_time() -> None:
    waiting = Enrolment(
        replace(REQUESTED, verdict="no rule covers it"), CertificateReport(FOREIGN, request=True), WORDS
    )
    assert need(waiting, POLICY, NOW).reason.endswith("Its signing request waits for a signature: no rule covers it.")
    approval = Approval("rule", NOW, "why")
    pauses = []
    for _ in range(30):
        approval = approval.delayed(NOW)
        assert approval.again is not None
        pauses.append(approval.again - NOW)
    assert pauses[:3] == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert pauses[-1] == timedelta(hours=4)


def test_names_that_a_device_was_told_to_ask_for_are_remembered_with_those_that_it_has_shown() -> None:
    told = need(
        Enrolment(NOTHING, CertificateReport(FOREIGN), RequestWords({"sn": "a"})),
        replace(POLICY, dn={"cn": "{sn}"}),
        NOW,
    )
    requested = NOTHING.after(told.stage, NOW, told.names)
    assert requested.names == ("CN=a",)
    uploaded = requested.uploaded(b"csr", NOW, names=("CN=a", "CN=b"))
    assert uploaded.names == ("CN=a", "CN=b")
    assert uploaded.uploaded(b"csr", NOW, names=("CN=c",)).names == ("CN=a", "CN=b", "CN=c")
    approved = replace(uploaded, approval=Approval("Vera", NOW, ""), verdict="busy")
    assert approved.uploaded(b"csr", NOW).approval is not None
    assert approved.uploaded(b"other", NOW) == Rollout(
        b"other", NOW, requested=NOW, look_again=True, names=("CN=a", "CN=b")
    )
    signed = approved.answered((b"c",), "Vera", NOW)
    assert (signed.approval, signed.verdict) == (None, "")


@given(st.integers(0, 2**48 - 1), st.integers(0, 400))
def test_each_device_is_renewed_earlier_by_its_own_part_of_the_spread(number: int, days: int) -> None:
    policy = replace(POLICY, renew_spread=days * 86400)
    ahead = renewal(policy, f"{number:012x}")
    assert policy.renew_before <= ahead <= policy.renew_before + policy.renew_spread
    assert renewal(POLICY, f"{number:012x}") == POLICY.renew_before
    end = NOW + timedelta(seconds=ahead)
    for left, expected in ((timedelta(seconds=-1), Stage.REQUEST), (timedelta(0), Stage.GOOD)):
        chain = (replace(OURS[0], not_after=end + left),)
        for proved in (None, chain[0]):
            stands = Enrolment(NOTHING, CertificateReport(chain), WORDS, proved=proved, serial=f"{number:012x}")
            assert need(stands, policy, NOW).stage is expected


def test_renewals_of_one_day_are_spread_evenly() -> None:
    policy = replace(POLICY, renew_spread=30 * 86400)
    days = Counter((renewal(policy, f"{0x009033300000 + n:012x}") - policy.renew_before) // 86400 for n in range(3000))
    assert set(days) == set(range(30))
    assert max(days.values()) < 150


def test_a_device_without_any_certificate_is_left_alone_if_so_wanted() -> None:
    assert stage(CertificateReport(), policy=replace(POLICY, request_missing=False)) is Stage.ABSENT


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("", Stage.REQUEST),
        ("12r1 sr8 IP222[12.4250]", Stage.REQUEST),
        ("13r3 sr2 IP222[13.4250]", Stage.REQUEST),
        ("12r2 IP222[12.5]", Stage.REQUEST),
        ("something else", Stage.REQUEST),
        ("12r1 sr7 IP222[12.4250]", Stage.OLD_FIRMWARE),
        ("12r1 IP222[12.4250]", Stage.OLD_FIRMWARE),
        ("11r1 sr25 IP222[11.1]", Stage.OLD_FIRMWARE),
    ],
)
def test_firmware_that_takes_no_certificate_comes_first(version: str, expected: Stage) -> None:
    assert stage(CertificateReport(FOREIGN), version=version) is expected


def test_a_request_waits_for_a_word_that_is_not_known_yet() -> None:
    policy = replace(POLICY, dns=("{name}",))
    waiting = Enrolment(Rollout(), CertificateReport(FOREIGN), RequestWords({}, frozenset({"name"})))
    decided = need(waiting, policy, NOW)
    assert (decided.stage, decided.waits) == (Stage.NAMELESS, True)
    assert "{name}" in decided.reason


def test_another_request_makes_a_signature_void() -> None:
    signed = replace(SIGNED, installations=2, asked=NOW)
    assert signed.uploaded(b"csr", NOW).signed == (b"cert",)
    assert signed.uploaded(b"other", NOW) == Rollout(request=b"other", request_at=NOW, asked=NOW)


def test_what_was_rejected_stays_so_whatever_is_uploaded_until_it_starts_over() -> None:
    assert REJECTED.uploaded(b"other", NOW).rejected
    assert REJECTED.uploaded(b"csr", NOW).rejected
    assert not replace(REJECTED, start_over=True).after(Stage.START_OVER, NOW).rejected


def test_a_revoked_certificate_is_known_whatever_follows() -> None:
    revoked = Rollout(request=b"csr", revoked=NOW)
    for each in Stage:
        assert revoked.after(each, NOW).revoked == NOW
    assert revoked.uploaded(b"other", NOW).revoked == NOW


def test_the_same_request_once_more_takes_no_proof_away_and_may_bring_one() -> None:
    proved = NOTHING.uploaded(b"csr", NOW, "10.0.0.1", PROVED)
    assert proved.uploaded(b"csr", NOW, "10.6.6.6") == proved
    assert NOTHING.uploaded(b"csr", NOW, "10.6.6.6").uploaded(b"csr", NOW, "10.0.0.1", PROVED) == proved
    another = proved.uploaded(b"other", NOW, "10.6.6.6")
    assert (another.request_address, another.request_proof) == ("10.6.6.6", "")


def test_what_is_handed_in_again_is_sent_again() -> None:
    failed = replace(SIGNED, installations=MOST_INSTALLATIONS)
    handed_in = failed.answered((b"another",), "Vera", NOW)
    assert (handed_in.signed, handed_in.signed_by) == ((b"another",), "Vera")
    assert stage(CertificateReport(FOREIGN, request=True), handed_in) is Stage.INSTALL


LEFT = CertificateReport(FOREIGN, request=True)


def told(rollout: Rollout, report: CertificateReport, times: int, policy: Certificates = POLICY) -> list[Stage]:
    """Have a device poll that reports the same each time, whatever it is told, and return what that is."""
    stages = []
    for _ in range(times):
        stages.append(need(Enrolment(rollout, report, WORDS), policy, NOW).stage)
        rollout = rollout.after(stages[-1], NOW)
    return [each for each in stages if each is not Stage.LOOK_AGAIN]


@pytest.mark.parametrize(
    ("rollout", "report", "step", "end"),
    [
        (NOTHING, CertificateReport(FOREIGN), Stage.REQUEST, Stage.FAILED),
        (NOTHING, LEFT, Stage.FETCH, Stage.FAILED),
        (NOTHING, CertificateReport(OURS, request=True), Stage.CLEAN_UP, Stage.GOOD),
    ],
)
def test_what_makes_no_difference_is_told_ten_times_and_updates_go_on(
    rollout: Rollout, report: CertificateReport, step: Stage, end: Stage
) -> None:
    stages = told(rollout, report, 60)
    assert stages[:10] == [step] * 10
    assert set(stages[10:]) == {end}


def test_a_request_that_is_left_without_any_certificate_is_left_there_in_the_end() -> None:
    stages = told(NOTHING, CertificateReport(request=True), 30, replace(POLICY, request_missing=False))
    assert stages == [Stage.CLEAN_UP] * 10 + [Stage.ABSENT] * 20


def test_a_device_that_makes_a_request_in_the_end_goes_on() -> None:
    tried = Rollout(told=Stage.REQUEST, tries=10)
    assert stage(CertificateReport(FOREIGN), tried) is Stage.FAILED
    assert stage(CertificateReport(FOREIGN), replace(tried, start_over=True)) is Stage.START_OVER
    assert stage(LEFT, tried) is Stage.FETCH
    assert tried.after(Stage.FETCH, NOW).uploaded(b"csr", NOW).tries == 0


def test_to_start_over_is_repeated_until_nothing_is_left() -> None:
    report = CertificateReport(FOREIGN, request=True, error="no match")
    assert told(Rollout(start_over=True), report, 10) == [Stage.START_OVER] * 3 + [Stage.FAILED] * 4
    once = Rollout(start_over=True).after(Stage.START_OVER, NOW).after(Stage.LOOK_AGAIN, NOW)
    assert stage(CertificateReport(FOREIGN), once) is Stage.REQUEST
    again = replace(Rollout(told=Stage.START_OVER, tries=3), start_over=True)
    assert again.after(Stage.START_OVER, NOW).tries == 1, "a person has a new try"


INSTALLED = Rollout(told=Stage.INSTALL, installed=NOW, signed_at=NOW, request=b"csr", signed=(b"cert",))
ROOT = ReportedCertificate("Our CA", "Our Root", NOW - timedelta(days=1), NOW + timedelta(days=500))
SHORT = replace(OURS[0], not_after=NOW + timedelta(days=30))


@pytest.mark.parametrize(
    ("chain", "rollout", "expected"),
    [
        ((OURS[0], ROOT), INSTALLED, Stage.FAILED),
        ((SHORT,), INSTALLED, Stage.FAILED),
        ((replace(SHORT, not_before="unreadable"),), INSTALLED, Stage.FAILED),
        ((SHORT,), replace(INSTALLED, signed_at=NOW - timedelta(days=8)), Stage.REQUEST),
        ((SHORT,), replace(INSTALLED, told=Stage.CLEAN_UP), Stage.REQUEST),
        (FOREIGN, INSTALLED, Stage.REQUEST),
        ((OURS[0], ROOT), replace(INSTALLED, installed=NOW - timedelta(days=8)), Stage.REQUEST),
        ((replace(SHORT, not_after=NOW - timedelta(hours=1)),), INSTALLED, Stage.REQUEST),
        ((), INSTALLED, Stage.REQUEST),
    ],
)
def test_a_certificate_that_is_of_no_use_is_not_followed_by_the_next(
    chain: tuple[ReportedCertificate, ...], rollout: Rollout, expected: Stage
) -> None:
    assert stage(CertificateReport(chain), rollout) is expected


REVOKED = Rollout(revoked=OURS[0].not_before, rejected="its certificate was revoked (stolen)")  # type: ignore[arg-type]  # it is a time


def test_who_has_revoked_a_certificate_does_not_wait_for_those_who_judge_proofs() -> None:
    proved = Enrolment(REVOKED, CertificateReport(OURS), WORDS, proved=OURS[0])
    assert need(proved, POLICY, NOW).stage is Stage.REJECTED
    later = replace(OURS[0], not_before=NOW)
    assert need(replace(proved, proved=later), POLICY, NOW).stage is Stage.GOOD


def test_what_is_decided_while_a_device_is_answered_stays() -> None:
    for told in (Stage.GOOD, Stage.REQUEST, Stage.CLEAN_UP):
        assert REVOKED.after(told, NOW).rejected == REVOKED.rejected
        assert REVOKED.after(told, NOW).revoked == REVOKED.revoked
    assert Rollout(start_over=True).after(Stage.REQUEST, NOW).start_over
    assert REVOKED.after(Stage.START_OVER, NOW).rejected == REVOKED.rejected
    assert not replace(REVOKED, start_over=True).after(Stage.START_OVER, NOW).rejected
    assert stage(LEFT, replace(REVOKED, told=Stage.START_OVER, tries=1)) is Stage.REJECTED


def test_what_replaces_a_revoked_certificate_may_be_dated_back() -> None:
    replaced = replace(REVOKED, rejected="").after(Stage.INSTALL, NOW).after(Stage.LOOK_AGAIN, NOW)
    earlier = CertificateReport((replace(OURS[0], not_before=NOW - timedelta(days=9)),))
    assert stage(earlier, replaced) is Stage.GOOD
    assert stage(earlier, replaced.after(Stage.GOOD, NOW)) is Stage.GOOD
    assert stage(replace(earlier, request=True), replace(replaced, request=b"csr", signed=(b"c",))) is Stage.INSTALL
    assert stage(earlier, replace(replaced, rejected=REVOKED.rejected)) is Stage.REJECTED


class _Played:
    """A device that obeys, whose reports reach the server as late as a real one's: before it executes.

    With it is played what happens to the roll-out: polls whose answers get lost, uploads, people.
    """

    def __init__(self, *, fails: bool) -> None:
        self.report, self.fails = CertificateReport(FOREIGN), fails
        self.rollout = Rollout()

    def poll(self, *, lost: bool = False) -> Stage:
        told = need(Enrolment(self.rollout, self.report, WORDS), POLICY, NOW).stage
        self.rollout = self.rollout.after(told, NOW)
        if not lost:
            self._obey(told)
        return told

    def _obey(self, told: Stage) -> None:
        match told:
            case Stage.REQUEST:
                self.report = CertificateReport(FOREIGN, request=True)
            case Stage.FETCH:
                self.upload()
            case Stage.INSTALL if self.fails:
                self.report = CertificateReport(FOREIGN, request=True, error="no match")
            case Stage.INSTALL:
                self.report = CertificateReport(OURS)
            case Stage.CLEAN_UP | Stage.START_OVER:
                self.report = replace(self.report, request=False, error=None)
                self.fails = False
            case _:
                pass

    def upload(self) -> None:
        if self.rollout.asked:
            self.rollout = self.rollout.uploaded(b"csr", NOW)

    def sign(self) -> None:
        if self.rollout.request:
            self.rollout = self.rollout.answered((b"cert",), "Vera", NOW)

    def start_over(self) -> None:
        self.rollout = replace(self.rollout, start_over=True)

    def reject(self) -> None:
        if self.rollout.request and not self.rollout.signed:
            self.rollout = replace(self.rollout, rejected="Nobody knows it.")

    def help(self, told: Stage) -> None:
        """Do what people can do at a stage that waits for them."""
        if told is Stage.SIGNING:
            self.sign()
        elif told in (Stage.FAILED, Stage.REJECTED):
            self.start_over()


_HAPPENINGS = {
    "poll": _Played.poll,
    "lost answer": lambda played: played.poll(lost=True),
    "upload": _Played.upload,
    "signature": _Played.sign,
    "start over": _Played.start_over,
    "rejection": _Played.reject,
}


@given(st.lists(st.sampled_from(sorted(_HAPPENINGS)), max_size=60), st.sampled_from([True, False]))
def test_whatever_happens_on_the_way_everybody_who_goes_on_arrives(happenings: list[str], fails: object) -> None:
    played = _Played(fails=bool(fails))
    for happening in happenings:
        _HAPPENINGS[happening](played)
    stages = []
    for _ in range(40):
        stages.append(played.poll())
        played.help(stages[-1])
    assert stages[-1] is Stage.GOOD, stages
    assert played.rollout == Rollout()


def test_a_device_is_either_told_something_or_waits_or_is_done() -> None:
    waiting = {stage for stage in Stage if need_of(stage).waits}
    done = {Stage.GOOD, Stage.ABSENT, Stage.NOT_YET_VALID, Stage.LOOK_AGAIN}
    assert waiting | COMMANDING | done == set(Stage)
    assert not waiting & COMMANDING


def need_of(stage: Stage) -> Need:
    return Need(stage, "")
