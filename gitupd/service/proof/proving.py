"""Asks the old server and a site what each known device would, and gathers what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gitupd.core.actions import Enrolled
from gitupd.core.caller import Origin, parse_caller
from gitupd.core.certificates.rollout import COMMANDING, Stage
from gitupd.core.proof.comparing import Cause, ScriptAnswer, compared
from gitupd.core.proof.findings import Evidence
from gitupd.core.proof.questions import first_contact, identity_of_device, questions
from gitupd.errors import MalformedRequest, SiteError
from gitupd.service.admission.codes import Redeeming
from gitupd.service.certificates.enrolling import Enrolling
from gitupd.service.deployments.live import Follower
from gitupd.service.fleet import Fleet
from gitupd.service.master import ask, is_due
from gitupd.service.poll import Poll
from gitupd.service.proof.asking import OldServer, OldServerFault, base_in
from gitupd.service.scripting.computing import Computing
from gitupd.service.sightings import Sightings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from gitupd.core.device import Device
    from gitupd.core.endpoint import Endpoint
    from gitupd.core.proof.findings import Findings
    from gitupd.core.proof.questions import PollQuestion
    from gitupd.core.search import Search
    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

_MOST_IN_A_ROW = 5
_MOVING = COMMANDING | {Stage.LOOK_AGAIN}
_IN_A_ROLLOUT = "in the middle of a roll-out of certificates, in which a poll may change something at the old server"
_NAMELESS = "what is known of them is not enough for a poll: they have not said their type"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which devices a proof is about: those that *search* finds, no more than ``limit``, None for all of them.

    ``rollouts`` is whether also those that are in the middle of one.
    """

    search: Search
    limit: int | None = None
    rollouts: bool = False


class _Checks(NamedTuple):
    """The CHECK serials of a device's script at the old server and at the site; the same, where the script is."""

    theirs: str | None
    ours: str | None


class _Interrupted(Exception):
    """The old server has not answered several times in succession."""


class Proof:
    """Compares the old server with a site; nothing is noted down at the site."""

    def __init__(self, site: Site, old: OldServer, now: datetime, secure: Callable[[str], OldServer]) -> None:
        """Compare *old* with what *site* would answer *now*; *secure* makes the server at an address by HTTPS.

        Raises SiteError if nothing is deployed.
        """
        self._site, self._old, self._now, self._secure = site, old, now, secure
        follower = Follower(site)
        follower.follow()
        if follower.live is None:
            raise SiteError("nothing is deployed yet; deploy a commit first: gitupd deploy main")
        self._live: Live = self._with_master(follower)
        self._computing = Computing(site.settings, site)
        self._enrolling = Enrolling(site.rollouts, site.answers)
        sightings = Sightings(site.inventory)
        self._poll = Poll(follower, sightings, self._computing, Redeeming(site), self._enrolling)
        self._evidence = Evidence()
        self._contacts: dict[tuple[str, str], bool] = {}
        self._failed_in_a_row = 0
        self._checks: _Checks | None = None

    def run(self, wanted: Wanted, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Findings:
        """Ask for all devices that are *wanted*, and tell *progress* after each how many are done, and of how many.

        Raises OldServerFault if the old server is none, or not to be reached.
        """
        endpoint = self._probed(self._old)
        fleet = Fleet(self._site, self._live, self._now)
        known = fleet.find(wanted.search, limit=1).total
        count = known if wanted.limit is None else min(known, wanted.limit)
        ways = self._ways(endpoint, fleet, wanted)
        try:
            for done, device in enumerate(fleet.each(wanted.search)):
                if done == count:
                    break
                self._prove(self._site.inventory.device(device.serial) or device, ways, wanted)
                progress(done + 1, count)
        except _Interrupted as error:
            self._evidence.trouble(str(error))
        finally:
            self._stop()
            for server, _ in ways:
                server.close()
        return self._evidence.findings(known)

    def _stop(self) -> None:
        self._computing.stop()
        self._enrolling.stop()

    def _with_master(self, follower: Follower) -> Live:
        """Return what is live, once the master device was asked if its answer is old: so does the old server."""
        live = follower.live
        assert live is not None  # noqa: S101 - the caller has looked
        master = live.snapshot.policy.firmware.followed
        if master is not None and is_due(self._site.masters.answers().get(master.url), master, self._now):
            ask(self._site.masters, master, self._now)
            follower.follow()
        return follower.live or live

    def _probed(self, server: OldServer) -> Endpoint:
        """Return where *server* believes that it is; raises OldServerFault if it is no update server."""
        answer = server.probe()
        endpoint = base_in(answer)
        if endpoint is None:
            raise OldServerFault(f"{server.url} gives devices an address that is none; see: curl {server.url}")
        if answer.says("gitupd "):
            self._evidence.notes[f"{server.url} is a gitupd itself"] = None
        if f"{endpoint.base}/update.php" != server.url:
            self._evidence.notes[f"{server.url} calls itself {endpoint.base}/update.php, which is no difference"] = None
        return endpoint

    def _ways(self, endpoint: Endpoint, fleet: Fleet, wanted: Wanted) -> list[tuple[OldServer, Endpoint]]:
        """Return the ways by which devices ask: where HTTPS is required, first the one that leads to it."""
        ways = [(self._old, endpoint)]
        policy = self._live.snapshot.policy
        if policy.transport.https != "required" or endpoint.scheme == "https":
            return ways
        for device in fleet.each(wanted.search):
            identity = identity_of_device(device, policy)
            if not identity.get("type"):
                continue
            *_, last = questions(identity, device.phase, policy)
            # A device that has something to do for its certificate first is not sent there by the PHP server yet.
            answers = (self._old.ask(last.arguments), self._new(device, last.arguments, endpoint))
            places = [place for each in answers if (place := base_in(each)) is not None and place.scheme == "https"]
            if not places:
                break
            moved = places[0]
            server = self._secure(f"{moved.base}/update.php")
            try:
                ways.append((server, self._probed(server)))
            except OldServerFault as error:
                self._evidence.trouble(f"what devices get by HTTPS was not compared: {error}")
            return ways
        self._evidence.trouble("HTTPS is required, and it is not known where: no device was sent there")
        return ways

    def _prove(self, device: Device, ways: list[tuple[OldServer, Endpoint]], wanted: Wanted) -> None:
        identity = identity_of_device(device, self._live.snapshot.policy)
        if not identity.get("type"):
            self._evidence.leave_out(_NAMELESS, device.serial)
            return
        asked = list(questions(identity, device.phase, self._live.snapshot.policy))
        if not wanted.rollouts and self._is_moving(device, asked[-1], ways[-1][1]):
            self._evidence.leave_out(_IN_A_ROLLOUT, device.serial)
            return
        is_whole = True
        for number, (server, endpoint) in enumerate(ways):
            self._checks = None
            self._first_contact(device, identity, server, endpoint)
            leads_on = number < len(ways) - 1
            for question in asked[-1:] if leads_on else asked:
                is_whole &= self._ask(device, question, server, endpoint)
        if is_whole:
            self._evidence.asked.add(device.serial)

    def _is_moving(self, device: Device, question: PollQuestion, endpoint: Endpoint) -> bool:
        """Whether a poll of *device* is answered with a step of a roll-out."""
        facts = self._facts(device, question.arguments, endpoint)
        return any(isinstance(fact, Enrolled) and fact.need.stage in _MOVING for fact in facts)

    def _first_contact(
        self, device: Device, identity: Mapping[str, str], server: OldServer, endpoint: Endpoint
    ) -> None:
        """Ask as a device out of the box, once for all that name the same environments."""
        question = first_contact(identity)
        key = (server.url, question.arguments.get("env", ""))
        if key not in self._contacts:
            self._contacts[key] = self._ask(device, question, server, endpoint)

    def _ask(self, device: Device, question: PollQuestion, server: OldServer, endpoint: Endpoint) -> bool:
        """Compare the answers to *question*; return whether that could be done."""
        if question.needs_check and self._checks is None:
            return True  # nothing tells devices to keep one
        theirs, ours = self._checks or _Checks(None, None)
        old_question = question.with_check(theirs) if question.needs_check and theirs else question
        new_question = question.with_check(ours) if question.needs_check and ours else question
        old = self._answer(device, old_question.arguments, server)
        if old is not None and old.cause is Cause.SKIPPED:
            old = self._answer(device, old_question.arguments, server)
        if old is None:
            return False
        for complaint in old.complaints[:1]:
            self._evidence.notes[f"PHP shows its errors in scripts, which are passed over: {complaint[:120]}"] = None
        if old.cause is not None:
            self._evidence.trouble(f"the old server gave no script: {old.cause}", device.serial)
            return False
        try:
            new = self._new(device, new_question.arguments, endpoint)
        except MalformedRequest as error:
            self._evidence.trouble(f"gitupd refuses such a poll: {error}", device.serial)
            return False
        comparison = compared(old, new)
        if old.check is not None:
            # Scripts that differ have other serials; what is said to those who have executed them is compared still.
            self._checks = _Checks(old.check, new.check if comparison.changes else old.check)
        self._evidence.add(question.title, device.serial, _personal(device), comparison)
        return True

    def _answer(self, device: Device, arguments: Mapping[str, str], server: OldServer) -> ScriptAnswer | None:
        try:
            answer = server.ask(arguments)
        except OldServerFault as error:
            self._evidence.trouble(str(error), device.serial)
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= _MOST_IN_A_ROW:
                raise _Interrupted(f"given up after {_MOST_IN_A_ROW} polls in succession without a script") from error
            return None
        self._failed_in_a_row = 0
        return answer

    def _new(self, device: Device, arguments: Mapping[str, str], endpoint: Endpoint) -> ScriptAnswer:
        caller = parse_caller(arguments, endpoint)
        origin = Origin(device.address, device.proxy)
        return ScriptAnswer(self._poll.preview(self._live, caller, self._now, origin).body)

    def _facts(self, device: Device, arguments: Mapping[str, str], endpoint: Endpoint) -> Iterator[object]:
        try:
            caller = parse_caller(arguments, endpoint)
        except MalformedRequest:
            return iter(())
        return iter(self._poll.preview(self._live, caller, self._now, Origin(device.address, device.proxy)).facts)


def _personal(device: Device) -> tuple[str, ...]:
    """Return the words that lines of this device alone have."""
    serial = device.serial
    return (str(serial), serial.place, serial.digits, device.hardware_id or "")
