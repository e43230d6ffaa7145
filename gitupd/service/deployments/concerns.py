"""What a commit would do to the devices and the site that it is deployed for: warnings that name numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from gitupd.config.documents import PATHS
from gitupd.config.snippets import FOLDER
from gitupd.core.firmware import wanted_bootcode, wanted_firmware
from gitupd.core.names import fold
from gitupd.core.policy import Everyone, InClass, InEnvironment
from gitupd.core.url import firmware_file
from gitupd.core.words import counted
from gitupd.errors import Problem, Severity
from gitupd.service.deployments.live import known_builds

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from datetime import datetime

    from gitupd.core.policy import Policy
    from gitupd.core.snapshot import Snapshot
    from gitupd.service.site import Site
    from gitupd.store.fleet import DeviceKind

_SERVED = "fw/{build}/"


@dataclass(frozen=True, slots=True)
class Concern:
    """What a commit would do: ``message`` and ``cure`` are about ``path``; ``subject`` is the same for all commits."""

    subject: str
    path: str
    message: str
    cure: str


def concerns(site: Site, snapshot: Snapshot, told: Container[str] = ()) -> tuple[Problem, ...]:
    """Return warnings on what *snapshot* means for the inventory and the settings of *site*.

    Those on a subject that was *told* already are left out.
    """
    found = (each for each in concerning(site, snapshot) if each.subject not in told)
    return tuple(sorted(Problem(each.path, 0, 0, each.message, each.cure, Severity.WARNING) for each in found))


def concerning(site: Site, snapshot: Snapshot, seen_since: datetime | None = None) -> Iterator[Concern]:
    """Yield what *snapshot* means for *site*, and its devices: those seen since then, None for all."""
    kinds = site.fleet.kinds(seen_since)
    yield from _devices(site, snapshot, kinds)
    yield from _firmware(site, snapshot, kinds)
    yield from _transport(site, snapshot)
    yield from _signing(site, snapshot)
    for name in sorted({rule.to for rule in snapshot.policy.notify} - site.settings.notify.to.keys()):
        message = f"{name!r} is told of nothing here, for the settings of this site do not know it"
        yield Concern(f"notices for {name}", PATHS["notify"], message, f"add [notify.to.{name}] to gitupd.toml")


def _devices(site: Site, snapshot: Snapshot, kinds: Sequence[DeviceKind]) -> Iterator[Concern]:
    if kinds and not snapshot.snippets and snapshot.scripting is None:
        number = sum(kind.count for kind in kinds)
        message = f"no snippet at all, for {counted(number, 'device')}"
        yield Concern("snippets", FOLDER, message, "look whether they were moved")
    yield from _gone(snapshot.policy, kinds)
    if snapshot.scripting is not None and not site.settings.scripting:
        message = "not run here, as the site does not allow it"
        yield Concern("scripting", "scripting.py", message, "set scripting = true in gitupd.toml")


def _gone(policy: Policy, kinds: Sequence[DeviceKind]) -> Iterator[Concern]:
    """Yield the phases and the environments that devices are in and that *policy* does not know."""
    gone: Counter[tuple[str, str]] = Counter()
    for kind in kinds:
        if kind.phase and kind.phase not in policy.staged_phases:
            gone["phase", kind.phase] += kind.count
        for name in kind.environments:
            if name not in policy.environments:
                gone["environment", name] += kind.count
    first = {"phase": policy.staged_phases[0], "environment": next(iter(policy.environments))}
    cures = {"phase": "they start over with {!r}", "environment": "they count as in {!r} if they name no other one"}
    for (what, name), number in sorted(gone.items()):
        are = "is" if number == 1 else "are"
        message = f"no {what} {name!r} any more, in which {counted(number, 'device')} {are}"
        yield Concern(f"{what} {name}", PATHS[f"{what}s"], message, cures[what].format(first[what]))


def _transport(site: Site, snapshot: Snapshot) -> Iterator[Concern]:
    """Yield what is demanded of devices that they can't give here; options of ``gitupd serve`` are not known."""
    rule, path = snapshot.policy.transport, PATHS["transport"]
    by_proxy = bool(site.settings.trusted_proxies)
    secure = [each for each in site.settings.listen if each.tls and "devices" in each.serves]
    if rule.https == "required" and not secure and not by_proxy:
        message = "HTTPS is required, but no address of this site speaks TLS to devices, and no proxy is trusted to"
        yield Concern("https", path, message, "set https in gitupd.toml, or trusted_proxies")
    if not rule.wants_certificate:
        return
    if not _asks_for_certificates(site):
        message = "a client certificate is required, but no address of this site asks devices for one, nor does a proxy"
        yield Concern("client certificate", path, message, "set mtls in gitupd.toml, or client_certificate_header")
    if not any(each.fault is None for each in site.trust.read().authorities):
        message = "a client certificate is required, but the site trusts no authority, so no device is identified"
        yield Concern("client certificate", path, message, "gitupd trust add FILE")


def _asks_for_certificates(site: Site) -> bool:
    """Whether devices are asked for a certificate at an address of this site, or by a proxy that hands it on."""
    settings = site.settings
    by_proxy = bool(settings.trusted_proxies) and bool(settings.client_certificate_header)
    secure = [each for each in settings.listen if each.tls and "devices" in each.serves]
    return by_proxy or any(each.client_certificates != "none" for each in secure)


def _signing(site: Site, snapshot: Snapshot) -> Iterator[Concern]:
    """Yield that nobody is here who signs as the policy says, so that all requests wait."""
    rule, settings = snapshot.policy.certificates, site.settings.signing
    if not rule.enabled or rule.signing == "manual":
        return
    by_rules = rule.signing in ("automatic", "external")
    if by_rules and any(each.identified for each in rule.approve) and not _asks_for_certificates(site):
        message = "a rule asks for the old certificate, but no address of this site asks devices for one, nor a proxy"
        cure = "set mtls in gitupd.toml, [[listen]], or client_certificate_header"
        yield Concern("signing", PATHS["certificates"], message, cure)
    if rule.signing == "external":
        if not (settings.command or settings.acme):
            message = "an authority elsewhere is to sign, and the settings of this site name none"
            cure = "name a command, or acme, under [signing] in gitupd.toml"
            yield Concern("signing", PATHS["certificates"], message, cure)
    elif site.authority.current() is None:
        message = "the site's authority is to sign, and this site has none"
        yield Concern("signing", PATHS["certificates"], message, "make one: gitupd certificates init")


def _firmware(site: Site, snapshot: Snapshot, kinds: Sequence[DeviceKind]) -> Iterator[Concern]:
    """Yield what devices would ask this server for in vain; other servers are not asked."""
    policy = snapshot.policy.firmware
    if not policy.storage.removeprefix("/").startswith(_SERVED):
        return
    builds = known_builds(site, snapshot)
    wanted = (
        ("prot", wanted_firmware(policy, builds), policy.no_firmware),
        ("boot", wanted_bootcode(policy, builds), policy.no_bootcode),
    )
    missing: Counter[tuple[str, str]] = Counter()
    for kind in (kind for kind in kinds if _is_meant(kind, snapshot.policy)):
        for filetype, build, exempt in wanted:
            runs = kind.firmware if filetype == "prot" else kind.bootcode
            model = kind.model or ""
            if build and build != runs and fold(model) not in exempt:
                missing[build, firmware_file(policy, model, filetype)] += kind.count
    for (build, name), number in sorted(missing.items()):
        if site.firmware.find(build, name) is None:
            message = f"fw/{build}/{name} is not there, and {counted(number, 'device')} would load it"
            cure = f"gitupd firmware add {build} {name}"
            yield Concern(f"firmware {build} {name}", PATHS["firmware"], message, cure)


def _is_meant(kind: DeviceKind, policy: Policy) -> bool:
    """Whether the policy on firmware is about devices of a *kind*, as far as they have said what they are."""
    if kind.model is None:
        return False
    classes = [each.name for each in policy.classes_of(kind.model)]
    for condition in policy.firmware.applies:
        match condition:
            case InClass(name) if name not in classes:
                return False
            case InEnvironment(name) if name not in kind.environments:
                return False
            case InClass() | InEnvironment() | Everyone():
                pass
            case _:
                assert_never(condition)
    return True
