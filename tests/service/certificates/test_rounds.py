"""What is signed by itself: by the site's authority, by a command, and what waits with the reason why."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from support.authorities import Authority
from support.signing_sites import OTHER, SERIAL, VERA, request_of, signing_site
from support.waiting import until

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.caller import Serial
from gitupd.core.certificates.approval import ApprovalRule
from gitupd.core.certificates.rollout import Need, Rollout, Stage
from gitupd.core.people.audit import Event, Kind
from gitupd.errors import SiteError
from gitupd.service.certificates.approving import rule_name
from gitupd.service.certificates.rounds import SigningRounds
from gitupd.service.certificates.signing import Signing
from gitupd.service.clock import now
from gitupd.service.deployments.deploying import deploy
from gitupd.service.deployments.live import Follower
from gitupd.settings import SigningSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site
    from gitupd.store.certificates.rollouts import RolloutRecord

NETWORK = "[{network: 10.0.0.0/8, same_names: true}]"
AUTHORITY = Authority.root("Elsewhere")
DAY = timedelta(days=1)


def policy(signing: str, approve: str = NETWORK) -> str:
    return f"enabled: true\nsigning: {signing}\napprove: {approve}\n"


@dataclass
class Signed:
    """A site whose requests are signed by themselves, and the round that does it."""

    site: Site
    rounds: SigningRounds
    ahead: timedelta = timedelta(0)

    @property
    def now(self) -> datetime:
        return now() + self.ahead

    def asks(
        self, serial: Serial = SERIAL, request: bytes = b"", *, address: str = "10.0.0.1", proof: str = ""
    ) -> bytes:
        made = request or request_of(serial)
        rollouts = self.site.rollouts
        rollouts.note(serial, Need(Stage.SIGNING, "It waits."), self.now, None, rollouts.of(serial))
        asked = Rollout(names=(f"CN={serial.digits}",))
        rollouts.change(serial, self.now, lambda _: asked.uploaded(made, self.now, address, proof))
        return made

    def of(self, serial: Serial = SERIAL) -> RolloutRecord:
        record = self.site.rollouts.of(serial)
        assert record is not None
        return record

    def entries(self, kind: Kind) -> list[tuple[str, str]]:
        return [(each.who, each.subject) for each in self.site.audit.entries(500, kind=kind)]

    def again(self) -> None:
        """Go on as a server that was started anew does: by what is stored, and nothing else."""
        follower = Follower(self.site)
        follower.follow()
        self.rounds = SigningRounds(self.site, follower, lambda: self.now)

    def settle(self, serial: Serial = SERIAL, *, rounds: int = 40) -> RolloutRecord:
        """Do rounds until what was begun elsewhere has come to an end."""
        for _ in range(rounds):
            self.rounds.round()
            for thread in list(self.rounds._running.values()):
                thread.join(60)
            record = self.of(serial)
            if record.rollout.approval is None or record.rollout.approval.again is not None:
                break
        return self.of(serial)


@contextmanager
def signing(folder: Path, text: str, settings: SigningSettings | None = None) -> Iterator[Signed]:
    with signing_site(folder / "site", text) as site:
        if settings is not None:
            site.settings = replace(site.settings, signing=settings)
        made = Signed(site, None)  # type: ignore[arg-type] # it is there a line below
        made.again()
        yield made
        made.rounds.stop()


@pytest.fixture
def automatic(tmp_path: Path) -> Iterator[Signed]:
    with signing(tmp_path, policy("automatic")) as made:
        yield made


def test_what_a_rule_covers_is_signed_and_the_audit_says_by_which(automatic: Signed) -> None:
    request = automatic.asks()
    automatic.rounds.round()
    own = x509.load_der_x509_certificate(automatic.of().rollout.signed[0])
    assert own.public_key() == x509.load_der_x509_csr(request).public_key()
    (entry,) = automatic.site.audit.entries(9, kind=Kind.CERTIFICATE_SIGN)
    assert (entry.who, entry.subject) == ("rule: from 10.0.0.0/8, for the same names", str(SERIAL))
    assert entry.detail.endswith("rule 1 covers it: from 10.0.0.0/8, for the same names")
    automatic.rounds.round()
    assert len(automatic.entries(Kind.CERTIFICATE_SIGN)) == 1


def test_what_no_rule_covers_waits_and_says_why_until_a_person_approves_it(automatic: Signed) -> None:
    automatic.asks(address="192.0.2.1")
    automatic.asks(OTHER, request_of(OTHER, organization="Other"))
    automatic.rounds.round()
    assert automatic.of().rollout.verdict == "no rule covers it (rule 1: it came from 192.0.2.1)"
    assert automatic.of(OTHER).rollout.verdict == "no rule covers it (rule 1: the name O=Other is another one)"
    assert automatic.entries(Kind.CERTIFICATE_SIGN) == []
    (outcome,) = Signing(automatic.site).approve([SERIAL], VERA, now())
    assert outcome.is_done
    assert automatic.of().rollout.verdict == ""


def test_requests_behind_many_that_no_rule_covers_are_signed_all_the_same(automatic: Signed) -> None:
    request = request_of()
    many = [Serial(f"0090330000{number:02x}") for number in range(105)]
    for serial in many:
        automatic.asks(serial, request, address="192.0.2.1")
    last = Serial("0090ffffffff")
    automatic.asks(last)
    automatic.rounds.round()
    automatic.rounds.round()
    assert automatic.of(last).rollout.signed
    assert all(not automatic.of(serial).rollout.signed for serial in many)


def test_a_device_that_is_past_its_request_gets_nothing_signed(automatic: Signed) -> None:
    automatic.asks()
    automatic.site.rollouts.note(SERIAL, Need(Stage.FAILED, "It fails."), now(), None, automatic.of())
    automatic.asks(OTHER)
    Signing(automatic.site).reject([OTHER], "unknown", VERA, now())
    automatic.rounds.round()
    assert not automatic.of().rollout.signed
    assert not automatic.of(OTHER).rollout.signed


def test_the_bound_of_a_rule_holds_over_a_restart_and_for_a_day(tmp_path: Path) -> None:
    rules = "[{network: 10.0.0.0/8, at_most: 3/d}]"
    with signing(tmp_path, policy("automatic", rules)) as made:
        serials = [Serial(f"0090333000b{number}") for number in range(6)]
        for serial in serials[:2]:
            made.asks(serial)
        made.rounds.round()
        made.again()
        for serial in serials[2:]:
            made.asks(serial)
        made.rounds.round()
        signed = [serial for serial in serials if made.of(serial).rollout.signed]
        assert len(signed) == 3
        left = next(serial for serial in serials if serial not in signed)
        assert made.of(left).rollout.verdict == "no rule covers it (rule 1: it approves at most 3 a day, and has)"
        made.again()
        made.rounds.round()
        assert len(made.entries(Kind.CERTIFICATE_SIGN)) == 3
        made.ahead += DAY + timedelta(minutes=1)
        made.rounds.round()
        assert len([serial for serial in serials if made.of(serial).rollout.signed]) == 6


def test_what_is_known_of_a_device_counts(tmp_path: Path) -> None:
    rules = "[{network: 10.0.0.0/8, known: true}, {identified_by: old-certificate, known: true}]"
    with signing(tmp_path, policy("automatic", rules)) as made:
        made.asks()
        made.asks(OTHER, proof="certificate", address="192.0.2.1")
        made.rounds.round()
        assert made.of().rollout.verdict == (
            "no rule covers it (rule 1: nobody has accepted the device; "
            "rule 2: the device did not prove itself with its old certificate)"
        )
        event = Event(now(), "vera", Kind.DEVICE_ACCEPT, "")
        made.site.admissions.decide([SERIAL, OTHER], Decision.ACCEPTED, Admittance.ACCEPTED, event)
        made.again()
        made.rounds.round()
        assert made.of().rollout.signed
        assert made.of(OTHER).rollout.signed


def test_without_an_authority_each_request_says_what_is_missing(automatic: Signed) -> None:
    automatic.asks()
    (automatic.site.path / "authority/passphrase").unlink()
    with pytest.raises(SiteError):
        automatic.rounds.round()
    assert "rule 1 covers it" in automatic.of().rollout.verdict
    assert "passphrase" in automatic.of().rollout.verdict


@pytest.mark.parametrize("text", [policy("authority", "[]"), policy("manual", "[]"), "enabled: false\n"])
def test_where_people_sign_nothing_is_signed_by_itself(tmp_path: Path, text: str) -> None:
    with signing(tmp_path, text) as made:
        made.asks(proof="certificate")
        made.rounds.round()
        assert not made.of().rollout.signed
        assert made.of().rollout.verdict == ""


def test_a_rule_with_a_long_name_is_told_from_others() -> None:
    names = {rule_name(ApprovalRule(environment="x" * 200 + end, identified=True)) for end in "ab"}
    assert len(names) == 2
    assert all(len(name) <= 100 for name in names)


# An authority elsewhere


def elsewhere(folder: Path, script: str = "") -> SigningSettings:
    """Settings of a command that signs with openssl, unless the script before says otherwise."""
    files = AUTHORITY.issued.files(folder, "elsewhere")
    path = folder / "sign.sh"
    path.write_text(
        f'echo "$GITUPD_REQUEST_DIGEST" >> {folder}/asked\n{script}\n'
        f'exec openssl x509 -req -in "$1" -days "${{DAYS:-365}}" -copy_extensions copy '
        f'-CA {files.certificate} -CAkey {files.key} -out "$2"\n'
    )
    return SigningSettings(command=("sh", str(path), "{request}", "{certificate}"))


def external(approve: str = NETWORK) -> str:
    return f"{policy('external', approve)}authorities: [Elsewhere]\n"


def asked(folder: Path) -> int:
    path = folder / "asked"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_a_command_signs_what_a_rule_covers_and_what_a_person_approves(tmp_path: Path) -> None:
    with signing(tmp_path, external(), elsewhere(tmp_path)) as made:
        made.asks()
        made.asks(OTHER, address="192.0.2.1")
        record = made.settle()
        own = x509.load_der_x509_certificate(record.rollout.signed[0])
        own.verify_directly_issued_by(AUTHORITY.issued.certificate)
        assert made.of(OTHER).rollout.verdict == "no rule covers it (rule 1: it came from 192.0.2.1)"
        (outcome,) = Signing(made.site).approve([OTHER], VERA, now())
        assert (outcome.is_done, outcome.detail) == (True, "command sh is asked for it")
        assert made.settle(OTHER).rollout.signed
        rule = "rule: from 10.0.0.0/8, for the same names"
        assert made.entries(Kind.CERTIFICATE_APPROVE) == [("Vera", str(OTHER)), (rule, str(SERIAL))]
        assert made.entries(Kind.CERTIFICATE_SIGN) == [("Vera", str(OTHER)), (rule, str(SERIAL))]
        assert asked(tmp_path) == 2
        assert [(each.who, each.signer) for each in made.site.issued.of(OTHER)] == [("Vera", "command sh")]


def test_what_is_put_off_is_asked_again_later_each_time_and_holds_nobody_up(tmp_path: Path) -> None:
    script = f'[ "$GITUPD_SERIAL" = {SERIAL} ] && [ ! -e {tmp_path}/ready ] && {{ echo not yet >&2; exit 75; }}'
    with signing(tmp_path, external(), elsewhere(tmp_path, script)) as made:
        made.asks()
        made.asks(OTHER)
        record = made.settle()
        assert record.rollout.verdict == "command sh: it puts it off: not yet"
        assert record.rollout.approval is not None
        assert record.rollout.approval.again is not None
        assert timedelta(0) < record.rollout.approval.again - made.now <= timedelta(minutes=1)
        assert until(lambda: made.settle(OTHER).rollout.signed, "the other one waits, too")
        made.settle()
        assert asked(tmp_path) == 2
        made.again()  # and a restart does not ask before
        made.settle()
        assert asked(tmp_path) == 2
        made.ahead += timedelta(minutes=1)
        record = made.settle()
        assert record.rollout.approval is not None
        assert (record.rollout.approval.attempts, asked(tmp_path)) == (2, 3)
        (tmp_path / "ready").touch()
        made.ahead += timedelta(minutes=2)
        assert made.settle().rollout.signed


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo no such phone >&2; exit 1", "command sh: it refuses, with exit code 1: no such phone"),
        (
            "DAYS=30",
            r"command sh: it has signed until .*, and .* renews \d+ days before: set renew_before to less",
        ),
        ("exit 0", "command sh: it says that it has signed, but: that is no certificate"),
    ],
)
def test_what_is_refused_is_seen_and_not_asked_again(tmp_path: Path, script: str, reason: str) -> None:
    with signing(tmp_path, external(), elsewhere(tmp_path, script)) as made:
        made.asks()
        record = made.settle()
        assert record.stage is Stage.REJECTED
        assert re.match(reason, record.rollout.rejected)
        assert made.entries(Kind.CERTIFICATE_REJECT) == [("command sh", str(SERIAL))]
        made.settle()
        assert asked(tmp_path) == 1
        assert made.site.issued.of(SERIAL) == []


def test_what_comes_back_is_looked_at_as_what_people_hand_in_is(tmp_path: Path) -> None:
    text = f"{policy('external')}authorities: [Somebody]\n"
    with signing(tmp_path, text, elsewhere(tmp_path)) as made:
        made.asks()
        record = made.settle()
        assert record.stage is Stage.REJECTED
        assert "it has signed, but it is issued by 'Elsewhere', and policies/certificates.yaml trusts" in (
            record.rollout.rejected
        )


def test_another_request_that_comes_meanwhile_is_neither_signed_nor_rejected_for_the_first(tmp_path: Path) -> None:
    script = f"touch {tmp_path}/began; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; exit 1"
    with signing(tmp_path, external(), elsewhere(tmp_path, script)) as made:
        made.asks()
        made.rounds.round()
        until((tmp_path / "began").exists, "the command is never started")
        second = made.asks(address="192.0.2.1")
        (tmp_path / "go").touch()
        made.settle()
        assert (made.of().rollout.request, made.of().rollout.rejected) == (second, "")
        assert made.of().stage is Stage.SIGNING


def test_what_was_under_way_when_somebody_was_killed_is_asked_again_and_done_once(tmp_path: Path) -> None:
    script = f"[ -e {tmp_path}/go ] || {{ touch {tmp_path}/began; sleep 300; }}"
    with signing(tmp_path, external(), elsewhere(tmp_path, script)) as made:
        made.asks()
        made.rounds.round()
        until((tmp_path / "began").exists, "the command is never started")
        made.rounds.stop()
        assert made.of().rollout.approval is not None
        assert made.of().rollout.approval.attempts == 0
        (tmp_path / "go").touch()
        made.again()
        assert made.settle().rollout.signed
        assert len(made.site.issued.of(SERIAL)) == 1
        assert len(made.entries(Kind.CERTIFICATE_APPROVE)) == 1


def test_what_the_rules_cover_no_more_is_not_signed_for_having_been_approved(tmp_path: Path) -> None:
    with signing(tmp_path, external(), SigningSettings(command=(str(tmp_path / "absent"),))) as made:
        made.asks()
        assert "can't be started" in made.settle().rollout.verdict
        files = dict(made.site.config.files(made.site.deployments.live().commit))
        files["policies/certificates.yaml"] = external("[{identified_by: old-certificate}]").encode()
        made.site.config.commit_files(files, "Stricter", "Test <test@localhost>")
        deploy(made.site, "main", who="test", now=now())
        made.site.settings = replace(made.site.settings, signing=elsewhere(tmp_path))
        made.again()
        made.ahead += timedelta(minutes=5)
        made.settle()
        made.settle()
        assert made.of().rollout.approval is None
        assert "did not prove itself" in made.of().rollout.verdict
        assert asked(tmp_path) == 0


def test_the_bound_of_a_rule_counts_what_waits_elsewhere(tmp_path: Path) -> None:
    rules = "[{network: 10.0.0.0/8, at_most: 2/d}]"
    with signing(tmp_path, external(rules), SigningSettings(command=(str(tmp_path / "absent"),))) as made:
        serials = [Serial(f"0090333000b{number}") for number in range(4)]
        for serial in serials:
            made.asks(serial)
        made.rounds.round()
        made.again()
        made.rounds.round()
        assert len(made.entries(Kind.CERTIFICATE_APPROVE)) == 2


def test_while_nobody_is_set_up_elsewhere_that_is_told(tmp_path: Path) -> None:
    with signing(tmp_path, external()) as made:
        made.asks()
        with pytest.raises(SiteError, match=r"none is set up: \[signing\] in gitupd.toml"):
            made.rounds.round()
        with pytest.raises(SiteError, match=r"none is set up"):
            Signing(made.site).approve([SERIAL], VERA, now())


def test_no_more_are_signed_at_once_elsewhere_than_is_allowed(tmp_path: Path) -> None:
    script = f"touch {tmp_path}/on.$GITUPD_SERIAL; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"
    with signing(tmp_path, external(), elsewhere(tmp_path, script)) as made:
        serials = [Serial(f"0090333000b{number}") for number in range(5)]
        for serial in serials:
            made.asks(serial)
        for _ in range(3):
            made.rounds.round()
        until(lambda: len(list(tmp_path.glob("on.*"))) == 2, "they are not started")
        made.rounds.round()
        time.sleep(0.1)
        assert len(list(tmp_path.glob("on.*"))) == 2
        (tmp_path / "go").touch()
        until(lambda: made.rounds.round() or all(made.of(each).rollout.signed for each in serials), "some are left out")
