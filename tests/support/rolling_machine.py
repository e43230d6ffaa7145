"""One device, the server's side and people, who do what they do in any order: from each state all goes well in the end.

A class of tests says who signs. It gets a ``site``, and what is deployed there, by name, as ``lives``; one is ``base``.
"""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, ClassVar

from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import WAITING_FOR_PEOPLE, Stage
from gitupd.core.people.person import Actor, Role
from gitupd.emulator.exchange import Purpose, Request
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.state import Habits
from gitupd.service.certificates.rolling import WAYS_ON, RolloutView, rollout_facts
from gitupd.service.clock import now
from support.authorities import signing_request
from support.enrolling import Fate, Office, Player

if TYPE_CHECKING:
    from cryptography import x509

    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site
    from gitupd.store.certificates.rollouts import RolloutRecord

KINDS = (
    frozenset[Misbehaviour](),
    frozenset({Misbehaviour.NO_CERTIFICATE}),
    frozenset({Misbehaviour.SELF_MADE_CERTIFICATE}),
    frozenset({Misbehaviour.EXPIRED_CERTIFICATE}),
    frozenset({Misbehaviour.SELF_MADE_CERTIFICATE, Misbehaviour.FAST_CLOCK}),
    frozenset({Misbehaviour.SELF_MADE_CERTIFICATE, Misbehaviour.WRONG_CLOCK}),
    frozenset({Misbehaviour.NO_CLOCK}),
    frozenset({Misbehaviour.ALWAYS_BUSY}),
)
PEOPLE = Actor("vera", Role.OPERATOR, None)
BEGINNINGS = (None, Stage.REQUEST, Stage.BUSY, Stage.FETCH, Stage.SIGNING, Stage.INSTALL, Stage.GOOD)
FATES = st.lists(st.sampled_from([Fate.ARRIVES] * 4 + list(Fate)), max_size=8)
REPORTS = (b"", b"garbage", b"<info/>", b"<info><busy/></info>", b"<info><request-error/></info>")
NUMBERS = count(0x009033400000)
MOST_HELP = 6


class RollingMachine(RuleBasedStateMachine):
    """One device, from its first poll to a good certificate."""

    site: ClassVar[Site]
    lives: ClassVar[dict[str, Live]]

    def sign_request(self) -> None:
        """Sign what waits, as somebody does who looks at it, and add the certificate to those that are ``signed``."""
        raise NotImplementedError

    def is_ours(self, certificate: x509.Certificate) -> bool:
        """Whether it is by an authority that only people, or rules, have sign."""
        raise NotImplementedError

    def deploy(self, name: str) -> None:
        """Deploy another policy."""
        self.office.live = self.lives[name]

    @initialize(seed=st.integers(0, 2**32))
    def unpack(self, seed: int) -> None:
        """Bring a device of some kind to some stage; drawn by us, so that each comes as often as the next."""
        chance = random.Random(seed)
        self.serial = Serial(f"{next(NUMBERS):012x}")
        self.office = Office(self.site, self.lives["base"])
        self.deploy("base")
        habits = Habits(chance.choice(KINDS), key_seconds=chance.choice((0.0, 20.0, 900.0)), restart_seconds=5)
        self.device = Player(self.office, now(), str(self.serial), habits)
        self.signed: set[bytes] = set()
        self._go_on(
            chance.choice((None, Stage.REQUEST, Stage.BUSY, Stage.FETCH, Stage.SIGNING, Stage.INSTALL, Stage.GOOD))
        )

    def _go_on(self, target: Stage | None) -> None:
        """Have all do what they should until the device is at *target*."""
        for _ in range(30 if target else 0):
            self.device.poll()
            stage = self.record.stage if self.record else None
            if stage is target:
                return
            if stage in WAITING_FOR_PEOPLE:
                self._help(stage)
            self.device.seconds += 60

    # What the device does

    @rule(fates=FATES)
    def poll(self, fates: list[Fate]) -> None:
        self.device.poll(fates)

    @rule(stage=st.sampled_from([Stage.FETCH, Stage.INSTALL, Stage.GOOD]))
    def all_goes_well_for_a_while(self, stage: Stage) -> None:
        self._go_on(stage)

    @rule()
    def polls_while_the_server_starts_anew(self) -> None:
        self.device.poll(between=self.office.restart)

    @rule()
    def lose_the_request(self) -> None:
        for name in ("X509/REQUEST", "X509/REQUESTKEY"):
            self.device.phone.device.delete_variable(name)

    @rule()
    def lose_the_key(self) -> None:
        self.device.phone.device.delete_variable("X509/REQUESTKEY")

    @precondition(lambda self: self.device.uploads)
    @rule(data=st.data())
    def an_upload_comes_once_more(self, data: st.DataObject) -> None:
        self.office.take(data.draw(st.sampled_from(self.device.uploads[-12:])), self.device.now)

    # What others do

    @rule(
        body=st.sampled_from([b"", b"<info/>", b"<info><busy/></info>", b"garbage", b"<info><request-error/></info>"])
    )
    def somebody_reports_in_its_name(self, body: bytes) -> None:
        self._upload(f"mode=query&sn={self.serial}&id=certificates", body)

    @rule(request=st.sampled_from(["", "00", "3082", "own", "of another", "for another"]))
    def somebody_uploads_a_request_in_its_name(self, request: str) -> None:
        names = {"own": self.serial.digits, "of another": "somebody", "for another": "00903399ffff"}
        digits = signing_request(names[request]).hex() if request in names else request
        file = f"certs%2F{self.serial}-request.p10.der"
        self._upload(
            f"mode=vardump&sn={self.serial}&var=X509/REQUEST&file={file}", f"X509/REQUEST pb {digits}".encode()
        )

    @rule(text=st.sampled_from(["", "some%20error", "x" * 5000]))
    def somebody_uploads_an_error_in_its_name(self, text: str) -> None:
        file = f"certs%2F{self.serial}-requesterror"
        body = f"X509/REQUESTERROR p {text}".encode()
        self._upload(f"mode=vardump&sn={self.serial}&var=X509/REQUESTERROR&file={file}", body)

    def _upload(self, query: str, body: bytes) -> None:
        url = f"http://127.0.0.1:8080/update.php?{query}"
        self.office.take(Request(Purpose.UPLOAD, "PUT", url, (body,)), self.device.now)

    # What people do

    @rule()
    def start_over(self) -> None:
        if self.record is not None:
            self.start_over_by_people()

    @rule(span=st.sampled_from([timedelta(minutes=2), timedelta(hours=2), timedelta(days=40), timedelta(days=340)]))
    def time_passes(self, span: timedelta) -> None:
        self.device.seconds += span.total_seconds()

    # What is always so

    @invariant()
    def each_state_has_a_reason_and_a_way_on(self) -> None:
        record = self.record
        assert set(WAYS_ON) == set(Stage)
        if record is None or record.stage is Stage.UNKNOWN:
            return
        assert record.reason
        facts = rollout_facts(record)
        assert facts["next"] or record.stage is Stage.GOOD

    @invariant()
    def what_is_installed_is_for_the_key_of_the_device(self) -> None:
        credential = self.device.phone.device.credential
        if credential is not None:
            assert credential.chain[0].public_key() == credential.secret.public_key()
            own = credential.chain[0].public_bytes(Encoding.DER)
            assert own in self.signed or not self.is_ours(credential.chain[0])

    def teardown(self) -> None:
        """Go on as the page says, until all is well."""
        if not hasattr(self, "device"):
            return
        self.deploy("base")
        helped, stages = 0, list[Stage]()
        for _ in range(120):
            self.device.seconds += 60
            self.device.poll()
            if (record := self.record) is None:
                continue  # its first contact
            stages.append(record.stage)
            if record.stage is Stage.GOOD and self.is_well():
                break
            if record.stage in WAITING_FOR_PEOPLE:
                helped += 1
                self._help(record.stage)
        self.office.stop()
        assert stages[-1] is Stage.GOOD, [*map(str, stages), self.record]
        assert self.is_well()
        assert helped <= MOST_HELP, stages

    def _help(self, stage: Stage) -> None:
        """Do what the page says."""
        assert WAYS_ON[stage]
        if stage is Stage.SIGNING and self.request is not None:
            self.sign_request()
        else:
            self.start_over_by_people()

    def is_well(self) -> bool:
        device = self.device.phone.device
        own = device.credential.chain[0] if device.credential else None
        return (
            own is not None
            and self.is_ours(own)
            and own.not_valid_before_utc <= self.device.now <= own.not_valid_after_utc
            and own.public_bytes(Encoding.DER) in self.signed
            and not [name for name in device.variables if name.startswith("X509/")]
        )

    @property
    def record(self) -> RolloutRecord | None:
        return self.site.rollouts.of(self.serial) if hasattr(self, "serial") else None

    @property
    def request(self) -> bytes | None:
        return self.record.rollout.request if self.record else None

    def start_over_by_people(self) -> None:
        RolloutView(self.site).start_over(self.serial, PEOPLE, self.device.now)
