"""Policies in sentences, for people who want to know what the rule is without reading YAML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from gitupd.core.policy import Build, Everyone, InClass, InEnvironment
from gitupd.core.words import capital, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gitupd.core.deployments.brake import Brake
    from gitupd.core.deployments.rule import Deploy
    from gitupd.core.policy import (
        Accept,
        Admission,
        Backup,
        Certificates,
        Condition,
        Delivery,
        Firmware,
        Policy,
        Query,
        Source,
        Status,
        Transport,
    )

_DAY = 24
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))
_CREDENTIALS = re.compile(r"(?<=//)[^/@]*@")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One rule in words, and the key in its document that says so; no ``keys`` means the document as a whole."""

    text: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """What one document says; ``document`` is the name of its schema."""

    title: str
    document: str
    sentences: tuple[Sentence, ...]


def sections(policy: Policy) -> tuple[Section, ...]:
    """Return every policy in sentences, the ones that concern every poll first."""
    return (
        Section("Delivery", "delivery", tuple(delivery(policy.delivery, policy.phases))),
        Section("Firmware", "firmware", tuple(firmware(policy.firmware))),
        Section("Deployment", "deploy", tuple(deploy(policy.deploy))),
        Section("Status", "status", tuple(status(policy.status))),
        Section("Transport", "transport", tuple(transport(policy.transport))),
        Section("Admission", "admission", tuple(admission(policy.admission))),
        Section("Backups", "backup", tuple(backup(policy.backup))),
        Section("Certificates", "certificates", tuple(certificates(policy.certificates))),
    )


def delivery(rule: Delivery, phases: Sequence[str]) -> Iterator[Sentence]:
    """Yield how scripts are delivered; *phases* are all, in order."""
    yield Sentence(f"Devices poll every {_interval(rule.interval, 'minute')}.", ("interval",))
    if len(phases) > 1:
        if rule.fast_poll:
            yield Sentence(
                f"While phases remain, they poll every {_interval(rule.fast_poll, 'second')}.", ("fast_poll",)
            )
        else:
            switched = "is never mentioned" if rule.fast_poll is None else "is switched off"
            yield Sentence(f"While phases remain, fast polling {switched}.", ("fast_poll",))
    yield from _window(rule, phases)
    if rule.check:
        yield Sentence("What a device has executed already is not sent to it again.", ("check",))
    else:
        yield Sentence("Scripts are sent at every poll, whether they were executed before or not.", ("check",))
    for name, placeholder in rule.url_arguments.items():
        how = "is left out" if placeholder is None else f"is carried as {placeholder}"
        yield Sentence(f"In the update URL, the argument {name} {how}.", ("url_arguments", name))


def _window(rule: Delivery, phases: Sequence[str]) -> Iterator[Sentence]:
    window = rule.window
    if window is None or (window.hours is None and window.initial_minutes is None):
        yield Sentence("Scripts run at any time.", ("window",))
        return
    parts = []
    if window.hours is not None:
        parts.append(f"only {hours(window.hours)}, in the device's local time")
    if window.initial_minutes is not None:
        parts.append(f"not within {counted(window.initial_minutes, 'minute')} after a restart")
    yield Sentence(f"Scripts run {', and '.join(parts)}.", ("window",))
    if window.hours is None:
        return
    if rule.staging_ignores_window and len(phases) > 1:
        before = _listed(phases[:-1])
        verb = "ignores" if len(phases) == 2 else "ignore"  # noqa: PLR2004 - one phase stands before the last
        yield Sentence(f"{capital(before)} {verb} these hours.", ("staging_ignores_window",))
    if rule.first_run_ignores_window:
        yield Sentence("A device's first run ignores these hours.", ("first_run_ignores_window",))


def hours(listed: Iterable[str]) -> str:
    """Return hours of the day in words, such as ``from 22:00 to 5:00``; what is no hour is repeated as it is."""
    texts = tuple(listed)
    if not texts:
        return "at no hour"
    if not all(text.isascii() and text.isdigit() and int(text[:3]) < _DAY for text in texts):
        return f"in the hours {', '.join(texts)}"
    present = {int(text) for text in texts}
    if len(present) == _DAY:
        return "at any hour"
    starts = sorted(hour for hour in present if (hour - 1) % _DAY not in present)
    return _listed([f"from {start}:00 to {_end(start, present)}:00" for start in starts])


def _end(start: int, present: set[int]) -> int:
    """Return the first hour after *start* that is not *present*; midnight is 24 for a span of one day, else 0."""
    hour = start
    while hour % _DAY in present:
        hour += 1
    return hour if hour == _DAY else hour % _DAY


def firmware(rule: Firmware) -> Iterator[Sentence]:
    """Yield which builds devices are to run, and where they find them."""
    if rule.firmware == "none" and rule.bootcode == "none":
        yield Sentence("Firmware and boot code are left as they are.", ("firmware",))
        return
    whom = conditions(rule.applies, all_of_them=True)
    yield Sentence(f"Firmware for {whom}: {_source(rule.firmware)}.", ("firmware",))
    yield Sentence(f"Boot code for {whom}: {_source(rule.bootcode)}.", ("bootcode",))
    if (master := rule.followed) is not None:
        cache = f"and counts as known for {duration(master.cache)}" if master.cache else "every time"
        yield Sentence(f"The master device is asked at {_CREDENTIALS.sub('', master.url)}, {cache}.", ("master",))
    place = "" if "://" in rule.storage else " of this server"
    yield Sentence(f"Devices load it from {_CREDENTIALS.sub('', rule.storage)}{place}.", ("storage",))
    if rule.no_firmware:
        yield Sentence(f"No firmware for {_listed(sorted(rule.no_firmware))}.", ("no_firmware",))
    if rule.no_bootcode:
        yield Sentence(f"No boot code for {_listed(sorted(rule.no_bootcode))}.", ("no_bootcode",))


def _source(source: Source | Build) -> str:
    match source:
        case Build(number):
            return f"build {number}"
        case "master":
            return "what the master device runs"
        case "firmware":
            return "the same build as the firmware"
        case "none":
            return "none"
        case _:
            assert_never(source)


def conditions(applies: Sequence[Condition], *, all_of_them: bool) -> str:
    """Return whom *applies* means; a device meets either all of them or any of them."""
    if any(isinstance(condition, Everyone) for condition in applies) and (not all_of_them or len(applies) == 1):
        return "every device"
    named = [condition for condition in applies if not isinstance(condition, Everyone)]
    if not named:
        return "every device" if all_of_them else "no device"
    return f"devices {(' ' if all_of_them else ' or ').join(map(_condition, named))}"


def _condition(condition: InClass | InEnvironment) -> str:
    match condition:
        case InClass(name):
            return f"of class {name}"
        case InEnvironment(name):
            return f"in {name}"
        case _:
            assert_never(condition)


def deploy(rule: Deploy) -> Iterator[Sentence]:
    """Yield how commits become deployed."""
    if rule.mode == "automatic":
        wait = f", {duration(rule.grace)} after they arrived" if rule.grace else " at once"
        yield Sentence(f"Commits of branch {rule.branch} are deployed by themselves{wait}.", ("mode",))
    else:
        yield Sentence(f"Commits of branch {rule.branch} wait until somebody deploys them.", ("mode",))
    if rule.require_signatures:
        text = "Every commit has to be signed by somebody whom signers/ of the deployed commit names."
        yield Sentence(text, ("require_signatures",))
    yield Sentence(_brake(rule.brake), ("brake",))
    if rule.approval == "second-person":
        yield Sentence("Somebody else than who made or pushed a commit approves it first.", ("approval",))
    if rule.rollback_reason == "required":
        yield Sentence("Whoever rolls back has to say why.", ("rollback_reason",))
    for index, freeze in enumerate(rule.freeze):
        why = f": {freeze.reason}" if freeze.reason else ""
        yield Sentence(f"Nothing is deployed by itself {freeze.words}{why}.", ("freeze", str(index)))


def _brake(brake: Brake | None) -> str:
    """Return what of a commit asks for a person's word."""
    if brake is None:
        return "A commit may change as much as it will."
    limits = [
        f"more than {limit} of the active devices would {what}"
        for limit, what in ((brake.changed, "get another script"), (brake.restarted, "restart"))
        if limit is not None
    ]
    limits += [f"a script would lose more than {brake.shrunk} % of its commands"] if brake.shrunk is not None else []
    limits += ["something is taken away that devices are in or call by"]
    return f"A commit waits for a person's word if {', or if '.join(limits)}."


def status(rule: Status) -> Iterator[Sentence]:
    """Yield when devices count as missing, and when they are forgotten."""
    if rule.missing_after:
        yield Sentence(
            f"A device that has not called for {duration(rule.missing_after)} is missing.", ("missing_after",)
        )
    else:
        yield Sentence("No device ever counts as missing.", ("missing_after",))
    if rule.forget_after:
        yield Sentence(f"One that has not called for {duration(rule.forget_after)} is forgotten.", ("forget_after",))
    else:
        yield Sentence("No device is ever forgotten.", ("forget_after",))
    yield Sentence(f"Messages of a device are kept for {duration(rule.log_keep)}.", ("log_keep",))
    if rule.refresh:
        yield Sentence(f"Pages refresh every {_interval(rule.refresh, 'second')}.", ("refresh",))


def transport(rule: Transport) -> Iterator[Sentence]:
    """Yield by which way devices must come."""
    if rule.https == "required":
        port = rule.https_port or 443
        yield Sentence(f"HTTPS is required: who comes otherwise is sent to port {port} first.", ("https",))
    else:
        yield Sentence("Devices may use HTTP or HTTPS.", ("https",))
    if rule.wants_certificate:
        yield Sentence(
            "Without a certificate that speaks for it, a device gets no snippets, and uploads nothing.",
            ("client_certificate",),
        )


_UNKNOWN = {
    "serve": "A device that nobody knows is served like all others.",
    "quarantine": "A device that nobody knows gets its update URL completed, and nothing else until it is accepted.",
    "refuse": "A device that nobody knows gets nothing until it is accepted.",
}


def admission(rule: Admission) -> Iterator[Sentence]:
    """Yield what becomes of devices that nobody knows, and who is known without a person's doing."""
    yield Sentence(_UNKNOWN[rule.unknown], ("unknown",))
    for index, accept in enumerate(rule.accept):
        yield Sentence(f"Accepted is any device {_listed(tuple(_accepted(accept)))}.", ("accept", str(index)))
    yield Sentence(f"Of unknown ones that have confirmed nothing, {rule.most:,} are remembered at a time.", ("most",))
    yield Sentence(f"They are forgotten {duration(rule.forget_after)} after their last call.", ("forget_after",))


def _accepted(rule: Accept) -> Iterator[str]:
    if rule.network is not None:
        yield f"that calls from {rule.network}"
    if rule.model is not None:
        yield f"of type {rule.model}"
    if rule.hardware_id is not None:
        yield f"whose hardware id matches {rule.hardware_id.pattern}"
    if rule.certificate:
        yield "with a trusted certificate"


def backup(rule: Backup) -> Iterator[Sentence]:
    """Yield whether devices upload their configurations, and what is left out of them."""
    if not rule.enabled:
        yield Sentence("Devices don't upload their configuration.", ("enabled",))
    else:
        yield Sentence("Devices upload their configuration at every poll.", ("enabled",))
        if rule.ignore:
            kinds = counted(len(rule.ignore), "kind")
            yield Sentence(f"{capital(kinds)} of volatile lines don't count as changes.", ("ignore",))
    if rule.hide:
        kinds = counted(len(rule.hide), "pattern")
        yield Sentence(f"What matches {kinds} is hidden from viewers.", ("hide",))
    else:
        yield Sentence("Nothing in scripts is hidden from viewers.", ("hide",))


def certificates(rule: Certificates) -> Iterator[Sentence]:
    """Yield whether devices get certificates, and how."""
    if rule.authorities:
        yield Sentence(f"Devices are identified by certificates of {_listed(rule.authorities)}.", ("authorities",))
    if not rule.enabled:
        yield Sentence("Devices keep the certificates that they have.", ("enabled",))
        return
    yield Sentence(f"Devices get certificates, {_SIGNED[rule.signing]}.", ("signing",))
    yield from _approved(rule)
    if not rule.request_missing:
        yield Sentence("A device without any certificate is left as it is.", ("missing",))
    if rule.hold:
        yield Sentence("All else waits until a device has a good one.", ("hold",))
    earlier = f", and up to {duration(rule.renew_spread)} earlier" if rule.renew_spread else ""
    yield Sentence(f"They are renewed {duration(rule.renew_before)} before they expire{earlier}.", ("renew_before",))


_SIGNED = {
    "manual": "which people sign",
    "authority": "which the site's authority signs for requests that people approve",
    "automatic": "which the site's authority signs",
    "external": "which an authority elsewhere signs",
}


def _approved(rule: Certificates) -> Iterator[Sentence]:
    """Yield which requests are signed without a person, and for how long where the site's authority signs."""
    if rule.signing in ("automatic", "external"):
        for index, approval in enumerate(rule.approve):
            bound = f", {approval.bound}" if approval.at_most else ""
            yield Sentence(f"Requests {approval.conditions} are approved{bound}.", ("approve", str(index)))
        others = "All other requests wait" if rule.approve else "Requests wait"
        yield Sentence(f"{others} until somebody approves them.", ("approve",))
    if rule.signing in ("authority", "automatic"):
        yield Sentence(f"They are valid for {duration(rule.valid_for)}.", ("valid_for",))


def query(rule: Query) -> str:
    """Return what a query asks of whom, as a sentence."""
    titles = f" and shows {_listed([value.title for value in rule.show])}" if rule.show else ""
    return f"Asks {conditions(rule.applies, all_of_them=False)} for the output of “{rule.command}”{titles}."


def duration(seconds: int) -> str:
    """Return *seconds* in the largest unit that tells them exactly: ``90 seconds``, ``7 days``, ``1 hour``."""
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            return counted(seconds // size, unit)
    return counted(seconds, "second")


def _interval(number: int, unit: str) -> str:
    return unit if number == 1 else counted(number, unit)


def _listed(words: Sequence[str]) -> str:
    if len(words) < 2:  # noqa: PLR2004 - one needs no "and"
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
