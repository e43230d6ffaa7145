"""The documents under ``policies/`` as values, and what in them contradicts itself."""

from __future__ import annotations

import ipaddress
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from gitupd.config.builtin import BUILTIN
from gitupd.config.duration import seconds
from gitupd.config.freezes import freezes
from gitupd.config.patterns import UnfitPatternError, compiled
from gitupd.config.schema import excerpt
from gitupd.core.certificates.approval import ApprovalRule
from gitupd.core.deployments.brake import Brake, Limit
from gitupd.core.deployments.rule import Deploy
from gitupd.core.names import fold
from gitupd.core.notices.notice import NoticeKind, NoticeRule
from gitupd.core.policy import (
    Accept,
    Admission,
    AuditKeeping,
    Backup,
    Build,
    Certificates,
    Delivery,
    Firmware,
    Master,
    Rate,
    Rewrite,
    Status,
    Transport,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gitupd.config.documents import Document
    from gitupd.config.structure import Conditions
    from gitupd.core.patterns import TextPattern
    from gitupd.errors import Problem

_LONGEST_PATTERNS = 3000  # a class of all letters in both cases takes milliseconds to compile
_SPREAD_DAYS = 30
_DEFAULT_REWRITE = {"pattern": "mtls/", "replacement": "", "ignore_case": True}
_SHORTEST_KEPT = 30 * 86400
"""Seconds that every entry of the audit is kept; log-ins are asked from where somebody came within that time."""


def delivery(document: Document) -> Delivery:
    """Return the policy on delivery."""
    values = dict(document.said)
    window = values.pop("window", None)
    if window is not None:
        hours = window.get("hours")
        values["window"] = Window(None if hours is None else tuple(map(str, hours)), window.get("initial_minutes"))
    return Delivery(**values)


def firmware(document: Document, conditions: Conditions, problems: list[Problem]) -> Firmware:
    """Return the policy on firmware; whoever follows a master device needs one."""
    master = document.get("master")
    result = Firmware(
        master=None if master is None else Master(master["url"], seconds(master.get("cache", "1h"))),
        firmware=_source(document.get("firmware", default="none")),
        bootcode=_source(document.get("bootcode", default="none")),
        applies=conditions.read(document, ["applies"], problems),
        storage=document.get("storage", default="fw/{build}/"),
        no_firmware=frozenset(map(fold, document.get("no_firmware", default=BUILTIN.no_firmware))),
        no_bootcode=frozenset(map(fold, document.get("no_bootcode", default=BUILTIN.no_bootcode))),
        file_names=_file_names(document.get("file_names", default={})),
    )
    if "://" not in result.storage and not result.storage.lstrip("/").startswith("fw/{build}/"):
        message = f"{excerpt(result.storage)} lies beside update.php, where gitupd serves nothing but fw/{{build}}/"
        problems.append(document.problem(["storage"], message, "have a proxy serve it", warning=True))
    for key in ("firmware", "bootcode"):
        if getattr(result, key) == "master" and master is None:
            hint = "add master: {url: ...}, or name a build"
            problems.append(document.problem([key], f"{key} follows a master device, but there is none", hint))
    return result


def _source(name: str) -> Any:
    return name if name in ("master", "firmware", "none") else Build(name)


def _file_names(own: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    names = {fold(model): dict(kinds) for model, kinds in BUILTIN.file_names.items()}
    for model, kinds in own.items():
        names.setdefault(fold(model), {}).update(kinds)
    return names


def backup(document: Document, problems: list[Problem]) -> Backup:
    """Return the policy on backups."""
    return Backup(
        enabled=document.get("enabled", default=True),
        upload_url=document.get("upload_url", default=Backup().upload_url),
        ignore=_patterns(document, "ignore", BUILTIN.volatile_lines, problems),
        hide=_patterns(document, "hide", BUILTIN.secret_patterns, problems),
        per_device=_rate(document.said, "per_device", Backup().per_device),
        per_address=_rate(document.said, "per_address", Backup().per_address),
    )


def _rate(said: Mapping[str, Any], key: str, default: Rate | None) -> Rate | None:
    if key not in said:
        return default
    text = said[key]
    if text is None:
        return None
    count, _, unit = text.partition("/")
    return Rate(int(count), seconds(f"1{unit}"))


def _patterns(document: Document, key: str, default: Iterable[str], problems: list[Problem]) -> tuple[TextPattern, ...]:
    patterns = []
    length = 0
    for index, pattern in enumerate(document.get(key, default=default)):
        length += len(pattern)
        if length > _LONGEST_PATTERNS:
            message = f"the list is longer than {_LONGEST_PATTERNS:,} characters"
            problems.append(document.problem([key, index], message, "write fewer or shorter ones"))
            break
        try:
            patterns.append(compiled(pattern))
        except UnfitPatternError as error:
            problems.append(document.problem([key, index], f"{excerpt(pattern)} {error}"))
    return tuple(patterns)


def transport(document: Document, problems: list[Problem]) -> Transport:
    """Return the policy on HTTPS and client certificates."""
    rule = document.get("https_rewrite", default=_DEFAULT_REWRITE)
    rewrite = None
    if rule is not None:
        try:
            pattern = compiled(rule["pattern"], re.IGNORECASE if rule.get("ignore_case") else 0)
            pattern.check(rule.get("replacement", ""))
            rewrite = Rewrite(pattern, rule.get("replacement", ""))
        except UnfitPatternError as error:
            problems.append(document.problem(["https_rewrite", "pattern"], f"{excerpt(rule['pattern'])} {error}"))
        except (re.error, IndexError) as error:
            message = f"{excerpt(rule['pattern'])} can't be replaced by {excerpt(rule.get('replacement', ''))}: {error}"
            problems.append(document.problem(["https_rewrite"], message, "write groups as \\1"))
    result = Transport(
        https=document.get("https", default="optional"),
        https_port=document.get("https_port"),
        https_rewrite=rewrite,
        client_certificate=document.get("client_certificate", default="optional"),
    )
    problems += _unmet(document, result)
    return result


def _unmet(document: Document, policy: Transport) -> Iterator[Problem]:
    """Yield a warning if devices are demanded what nobody tells them how to give."""
    if policy.wants_certificate and policy.https != "required":
        message = "by HTTP no certificate is shown, so devices that poll so get nothing, and nobody sends them to HTTPS"
        yield document.problem(["client_certificate"], message, "add https: required", warning=True)


def admission(document: Document, problems: list[Problem]) -> Admission:
    """Return the policy on devices that nobody knows."""
    rules = document.get("accept", default=())
    accepted = tuple(_accept(document, index, rule, problems) for index, rule in enumerate(rules))
    default = Admission()
    forget_after = document.get("forget_after")
    return Admission(
        unknown=document.get("unknown", default=default.unknown),
        accept=accepted,
        most=document.get("most", default=default.most),
        forget_after=default.forget_after if forget_after is None else seconds(forget_after),
    )


def _accept(document: Document, index: int, rule: Mapping[str, Any], problems: list[Problem]) -> Accept:
    network, pattern = _network(document, ["accept", index], rule, problems), None
    if (text := rule.get("hardware_id")) is not None:
        try:
            pattern = compiled(text)
        except UnfitPatternError as error:
            problems.append(document.problem(["accept", index, "hardware_id"], f"{excerpt(text)} {error}"))
    model = rule.get("type")
    return Accept(network, None if model is None else fold(model), pattern, certificate="certificate" in rule)


def _network(
    document: Document, at: list[str | int], rule: Mapping[str, Any], problems: list[Problem]
) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    if (text := rule.get("network")) is None:
        return None
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        hint = "write a network such as 10.0.0.0/8, or one address"
        problems.append(document.problem([*at, "network"], f"no network: {error}", hint))
        return None


def certificates(
    document: Document, paths: Iterable[str], conditions: Conditions, problems: list[Problem]
) -> Certificates:
    """Return the policy on certificates; *paths* are those of the repository, among which the chain must be."""
    request: Mapping[str, Any] = document.get("request", default={})
    default = Certificates()
    result = Certificates(
        enabled=document.get("enabled", default=False),
        authorities=tuple(document.get("authorities", default=())),
        wildcard=document.get("wildcard"),
        renew_before=seconds(document.get("renew_before", default="90d")),
        chain=document.get("chain", default=default.chain),
        key=request.get("key", default.key),
        signature=request.get("signature", default.signature),
        dn=request.get("dn", {"cn": "{sn}"}),
        dns=tuple(request.get("dns", ())),
        ip=tuple(request.get("ip", ())),
        request_missing=document.get("missing", default="request") == "request",
        hold=document.get("hold", default=False),
        wait_for_words=request.get("unknown_words", "wait") == "wait",
        signing=document.get("signing", default="manual"),
        approve=tuple(
            _approval(document, index, rule, conditions, problems)
            for index, rule in enumerate(document.get("approve", default=()))
        ),
        valid_for=seconds(document.get("valid_for", default="730d")),
        renew_spread=_spread(document),
    )
    problems += _unsigned(document, result)
    if "chain" in document.said and not any(fnmatchcase(path, result.chain) for path in paths):
        message = f"no file fits {excerpt(result.chain)}"
        problems.append(document.problem(["chain"], message, "add the authority's certificates, or correct the path"))
    return result


def _spread(document: Document) -> int:
    """Return over how long renewals are spread: as the PHP server did, not at all, where people sign as it had them."""
    if "renew_spread" in document.said:
        return seconds(document.said["renew_spread"])
    return 0 if document.get("signing", default="manual") == "manual" else _SPREAD_DAYS * 86400


def _approval(
    document: Document, index: int, rule: Mapping[str, Any], conditions: Conditions, problems: list[Problem]
) -> ApprovalRule:
    at: list[str | int] = ["approve", index]
    network, model, environment = _network(document, at, rule, problems), rule.get("type"), rule.get("environment")
    if environment is not None:
        conditions.check_environment(document, at, environment, problems)
    result = ApprovalRule(
        identified="identified_by" in rule,
        network=network,
        known=rule.get("known", False),
        same_names=rule.get("same_names", False),
        model=None if model is None else fold(model),
        environment=environment,
        at_most=_rate(rule, "at_most", None),
    )
    if "network" in rule and network is None:
        return result  # which is told, and nothing follows from it
    if result.covers_everybody:
        hint = "add identified_by: old-certificate, or a network that you trust"
        problems.append(document.problem(at, "this rule approves whatever anybody asks for", hint))
    elif result.is_forgeable:
        message = "whoever reaches the server can make such a request in the name of a device"
        hint = "add identified_by: old-certificate, or a network that you trust"
        problems.append(document.problem(at, message, hint, warning=True))
    return result


def _unsigned(document: Document, policy: Certificates) -> Iterator[Problem]:
    """Yield what keeps certificates from being signed as *policy* says, or has no effect with this way of signing."""
    if policy.signing == "automatic" and not policy.approve:
        hint = "add rules under approve, such as {identified_by: old-certificate}, or write signing: authority"
        yield document.problem(["signing"], "without a rule, nothing is signed by itself", hint)
    if policy.approve and policy.signing in ("manual", "authority"):
        message = f"rules have no effect with signing: {policy.signing}, where people decide"
        yield document.problem(["approve"], message, "write signing: automatic, or remove them", warning=True)
    if policy.signing not in ("authority", "automatic"):
        if "valid_for" in document.said:
            message = f"it has no effect with signing: {policy.signing}, where another authority decides"
            yield document.problem(["valid_for"], message, "remove it", warning=True)
    elif policy.renew_before + policy.renew_spread >= policy.valid_for:
        key = next((key for key in ("renew_spread", "renew_before", "valid_for") if key in document.said), "signing")
        message = "a certificate would be renewed as soon as it is issued: renew_before and renew_spread take all of it"
        yield document.problem([key], message, "make valid_for longer, or the others shorter")


def status(document: Document) -> Status:
    """Return the policy on the status of devices."""
    values = dict(document.said)
    for key in ("missing_after", "forget_after", "log_keep"):
        if key in values:
            values[key] = seconds(values[key])
    return Status(**values)


def audit(document: Document, problems: list[Problem]) -> AuditKeeping:
    """Return the policy on how long the audit keeps what."""
    values = {key.removeprefix("keep_"): seconds(value) for key, value in document.said.items()}
    for name in (name for name, value in values.items() if 0 < value < _SHORTEST_KEPT):
        message = "whoever pushes a commit could have the audit forget who did it"
        problems.append(document.problem([f"keep_{name}"], message, "keep it for 30d at the least, or for ever: 0"))
    return AuditKeeping(**values)


def deploy(document: Document, problems: list[Problem]) -> Deploy:
    """Return the policy on deployments."""
    values = dict(document.said)
    if "grace" in values:
        values["grace"] = seconds(values["grace"])
    if values.get("brake") is not None:
        values["brake"] = _brake(values["brake"])
    values["freeze"] = freezes(document, problems)
    return Deploy(**values)


def notify(document: Document) -> tuple[NoticeRule, ...]:
    """Return the rules that say who is told of what."""
    return tuple(
        NoticeRule(frozenset(map(NoticeKind, rule["on"])), rule["to"], seconds(rule.get("at_most", "0")))
        for rule in document.get("rules", default=())
    )


def _brake(said: Mapping[str, str | None]) -> Brake:
    limits: dict[str, Any] = {key: text and _limit(text) for key, text in said.items()}
    if limits.get("shrunk") is not None:
        limits["shrunk"] = limits["shrunk"].number
    return Brake(**limits)


def _limit(text: str) -> Limit:
    return Limit(int(text.removesuffix("%")), is_share=text.endswith("%"))
