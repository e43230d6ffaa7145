"""Policies: what documents say, what contradicts itself, and that schemas, reader and core have the same defaults."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest

from gitupd.config.loader import build, load
from gitupd.core.certificates.approval import ApprovalRule
from gitupd.core.deployments.brake import Brake, Limit
from gitupd.core.deployments.rule import Deploy
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
    InClass,
    InEnvironment,
    Master,
    Rate,
    Status,
    Transport,
    Window,
)
from gitupd.errors import has_errors
from gitupd.resources import schema

POLICIES = {
    "delivery": Delivery(),
    "firmware": Firmware(),
    "backup": Backup(),
    "transport": Transport(),
    "admission": Admission(),
    "certificates": Certificates(),
    "status": Status(),
    "deploy": Deploy(),
    "audit": AuditKeeping(),
}
FROM_ELSEWHERE = {
    "no_firmware", "no_bootcode", "file_names", "ignore", "hide",  # the built-in lists
    "https_rewrite", "authorities", "dn",  # too long for a default in the core
}  # fmt: skip
"""Fields of which the core declares no default that means anything."""


def _declared(rules: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults that a schema declares, as a document."""
    return {key: each["default"] for key, each in rules["properties"].items() if "default" in each}


@pytest.mark.parametrize("name", POLICIES)
def test_a_document_that_says_the_defaults_says_nothing_new(name: str) -> None:
    files = {f"policies/{name}.yaml": json.dumps(_declared(schema(name))).encode()}
    files["certificates/CAkey.pem"] = b"the chain must be there if it is named"
    assert getattr(load(files).policy, name) == getattr(load({}).policy, name)


@pytest.mark.parametrize("name", POLICIES)
def test_the_core_has_the_same_defaults(name: str) -> None:
    read = getattr(load({}).policy, name)
    fields = [field for field in read.__dataclass_fields__ if field not in FROM_ELSEWHERE]
    assert fields
    for field in fields:
        assert getattr(read, field) == getattr(POLICIES[name], field), field


def read(name: str, text: str) -> tuple[Any, list[str]]:
    """Return the policy that a document makes, and what is told of it."""
    snapshot, problems = build({f"policies/{name}.yaml": text.encode()})
    return getattr(snapshot.policy, name), [str(problem).removeprefix(f"policies/{name}.yaml:") for problem in problems]


def test_delivery_says_when_and_how() -> None:
    assert read("delivery", "window: {hours: [22, 3], initial_minutes: 5}\nfast_poll: 9")[0] == Delivery(
        window=Window(("22", "3"), 5), fast_poll=9
    )
    assert read("delivery", "window: {initial_minutes: 5}")[0].window == Window(None, 5)
    assert read("delivery", "window: {hours: [1]}")[0].window == Window(("1",), None)


def test_firmware_says_what_whom_and_where_from() -> None:
    policy, problems = read(
        "firmware",
        """\
master: {url: "http://10.0.0.1/x", cache: 2h}
firmware: master
bootcode: "007"
applies: [{class: phone}, {environment: default}]
no_firmware: [IP0]
file_names: {IP222: {prot: my.bin}, Own: {boot: own.bin}}
""",
    )
    assert problems == []
    assert policy.master == Master("http://10.0.0.1/x", 7200)
    assert (policy.firmware, policy.bootcode) == ("master", Build("007"))
    assert policy.applies == (InClass("phone"), InEnvironment("default"))
    assert policy.no_firmware == {"ip0"}
    assert (policy.file_names["ip222"], policy.file_names["own"]) == ({"prot": "my.bin"}, {"boot": "own.bin"})
    assert "mypbxa" in policy.file_names, "what is built in stays"


@pytest.mark.parametrize(
    ("name", "text", "problems"),
    [
        (
            "firmware",
            "firmware: master",
            ["1:11: firmware follows a master device, but there is none; add master: {url: ...}, or name a build"],
        ),
        (
            "firmware",
            "storage: 'else/{build}/'",
            [
                (
                    "1:10: warning: 'else/{build}/' lies beside update.php, where gitupd serves nothing but "
                    "fw/{build}/; have a proxy serve it"
                )
            ],
        ),
        ("firmware", "storage: 'https://files.example/{build}/'", []),
        ("firmware", "storage: '/fw/{build}/{filename}'", []),
        ("backup", "ignore: ['^a', '(x']", ["1:16: '(x' is no regular expression: missing ): (x"]),
        (
            "backup",
            f"hide: [{', '.join(['a' * 900] * 4)}, '(']",
            ["1:2714: the list is longer than 3,000 characters; write fewer or shorter ones"],
        ),
        (
            "transport",
            "https_rewrite: {pattern: '(?=x)'}",
            [
                (
                    "1:26: '(?=x)' can't be used: (?= looks around, or back, which can take for ever; "
                    "write what is there instead"
                )
            ],
        ),
        (
            "transport",
            "https_rewrite: {pattern: 'a(b)', replacement: '\\2'}",
            [
                (
                    "1:16: 'a(b)' can't be replaced by '\\\\2': invalid group reference 2 at position 1; "
                    "write groups as \\1"
                )
            ],
        ),
        ("transport", "https: required", []),
        ("transport", "https: required\nclient_certificate: required", []),
        (
            "transport",
            "client_certificate: required",
            [
                (
                    "1:21: warning: by HTTP no certificate is shown, so devices that poll so get nothing, and nobody "
                    "sends them to HTTPS; add https: required"
                )
            ],
        ),
        (
            "certificates",
            "chain: certificates/CAkey*",
            ["1:8: no file fits 'certificates/CAkey*'; add the authority's certificates, or correct the path"],
        ),
        ("certificates", "enabled: true\nsigning: authority", []),
        ("certificates", "enabled: true\nsigning: manual", []),
        ("certificates", "enabled: false", []),
        (
            "certificates",
            "approve: [{identified_by: old-certificate}]",
            [
                (
                    "1:10: warning: rules have no effect with signing: manual, where people decide; "
                    "write signing: automatic, or remove them"
                )
            ],
        ),
        (
            "certificates",
            "valid_for: 100d",
            [("1:12: warning: it has no effect with signing: manual, where another authority decides; remove it")],
        ),
    ],
)
def test_what_contradicts_itself_or_can_not_be_met_is_told(name: str, text: str, problems: list[str]) -> None:
    assert read(name, text)[1] == problems


def test_patterns_of_backups_are_the_built_in_ones_unless_there_are_own() -> None:
    own = read("backup", "enabled: false\nignore: ['^a']\nhide: []")[0]
    assert ([each.pattern for each in own.ignore], own.hide, own.enabled) == (["^a"], (), False)
    built_in = read("backup", "")[0]
    assert built_in.ignore
    assert built_in.hide


def test_an_address_is_rewritten_as_the_policy_says_or_not_at_all() -> None:
    assert read("transport", "https_rewrite: null")[0].https_rewrite is None
    default = read("transport", "https: optional")[0].https_rewrite
    assert default("https://h/MTLS/update.php") == "https://h/update.php"
    own = read("transport", "https_rewrite: {pattern: 'a(b)', replacement: '\\1'}")[0].https_rewrite
    assert (own("xabAB"), own("AB")) == ("xbAB", "AB")


def test_times_are_in_seconds_whatever_they_were_written_in() -> None:
    assert read("status", "missing_after: 2h\nforget_after: 1w\nlog_keep: 3d\nrefresh: 7")[0] == Status(
        7200, 604800, 7, 259200
    )
    assert read("deploy", "grace: 15m\nmode: manual")[0] == Deploy("main", "manual", 900)
    assert read("certificates", "renew_before: 2w")[0].renew_before == 1209600


@pytest.mark.parametrize(
    ("text", "brake"),
    [
        ("mode: manual", Brake()),
        ("brake: {}", Brake()),
        ("brake: null", None),
        ("brake:", None),
        ("brake: {changed: 30%, restarted: 100}", Brake(changed=Limit(30), restarted=Limit(100, is_share=False))),
        ("brake: {changed: null, shrunk: 0%}", Brake(changed=None, shrunk=0)),
        ("brake: {restarted: 100%, shrunk: null}", Brake(restarted=Limit(100), shrunk=None)),
    ],
)
def test_the_brake_is_on_unless_it_is_taken_off(text: str, brake: Brake | None) -> None:
    assert read("deploy", text)[0].brake == brake


def test_certificates_are_requested_as_is_written() -> None:
    files = {
        "policies/certificates.yaml": b"chain: certificates/CA*\nrequest: {dns: [a.example], ip: ['{ip}']}",
        "certificates/CA.pem": b"",
    }
    snapshot, problems = build(files)
    assert not has_errors(problems)
    assert (snapshot.policy.certificates.dns, snapshot.policy.certificates.ip) == (("a.example",), ("{ip}",))


FORGEABLE = (
    "warning: whoever reaches the server can make such a request in the name of a device; "
    "add identified_by: old-certificate, or a network that you trust"
)
EVERYBODY = (
    "this rule approves whatever anybody asks for; add identified_by: old-certificate, or a network that you trust"
)
NO_RULE = (
    "without a rule, nothing is signed by itself; add rules under approve, such as {identified_by: old-certificate}, "
    "or write signing: authority"
)
NO_NETWORK = "no network: 10.0.0.1/8 has host bits set; write a network such as 10.0.0.0/8, or one address"
AT_ONCE = (
    "a certificate would be renewed as soon as it is issued: renew_before and renew_spread take all of it; "
    "make valid_for longer, or the others shorter"
)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("approve: [{identified_by: old-certificate}, {network: 10.0.0.0/8, known: true, at_most: 100/d}]", []),
        ("approve: [{environment: default, network: '::1'}]", []),
        ("", [f"1:10: {NO_RULE}"]),
        ("approve: []", [f"1:10: {NO_RULE}"]),
        ("approve: [{}]", ["2:11: this is empty; what a rule asks: at least one thing"]),
        ("approve: [{at_most: 1/h}]", [f"2:11: {EVERYBODY}"]),
        ("approve: [{known: false}]", [f"2:11: {EVERYBODY}"]),
        ("approve: [{network: 0.0.0.0/0}, {network: '::/0'}]", [f"2:11: {EVERYBODY}", f"2:33: {EVERYBODY}"]),
        ("approve: [{network: 0.0.0.0/0, known: true}]", [f"2:11: {FORGEABLE}"]),
        ("approve: [{same_names: true, type: IP222}]", [f"2:11: {FORGEABLE}"]),
        ("approve: [{network: 10.0.0.1/8}]", [f"2:21: {NO_NETWORK}"]),
        ("approve: [{environment: berlin, network: '::1'}]", ["2:25: unknown environment 'berlin'; known: default"]),
        ("approve: [{identified_by: old-certificate}]\nvalid_for: 120d", [f"3:12: {AT_ONCE}"]),
        ("approve: [{identified_by: old-certificate}]\nvalid_for: 120d\nrenew_spread: 29d", []),
    ],
)  # fmt: skip
def test_rules_by_which_requests_are_approved_are_meant_as_they_are_written(text: str, problems: list[str]) -> None:
    assert read("certificates", f"signing: automatic\n{text}")[1] == problems


def test_requests_are_approved_by_rules_all_of_whose_conditions_hold() -> None:
    said = """
signing: automatic
approve:
  - {identified_by: old-certificate, same_names: true}
  - {network: 10.0.0.0/8, known: true, type: IP222, environment: default, at_most: 100/d}
"""
    assert read("certificates", said)[0].approve == (
        ApprovalRule(identified=True, same_names=True),
        ApprovalRule(
            network=ipaddress.ip_network("10.0.0.0/8"),
            known=True,
            model="ip222",
            environment="default",
            at_most=Rate(100, 86400),
        ),
    )


def test_renewals_are_spread_unless_people_sign() -> None:
    assert read("certificates", "signing: authority")[0].renew_spread == 30 * 86400
    assert read("certificates", "signing: external\nrenew_spread: 0")[0].renew_spread == 0
    assert read("certificates", "renew_spread: 1w")[0].renew_spread == 7 * 86400


def test_devices_are_accepted_by_rules_all_of_whose_conditions_hold() -> None:
    said = """
unknown: refuse
most: 5
forget_after: 1h
accept:
  - {network: 10.0.0.0/8, type: IP222}
  - {network: "2001:db8::1", hardware_id: "^IP2"}
  - {certificate: trusted}
"""
    policy, problems = read("admission", said)
    assert problems == []
    office, one, trusted = policy.accept
    assert (policy.unknown, policy.most, policy.forget_after) == ("refuse", 5, 3600)
    assert office == Accept(network=ipaddress.ip_network("10.0.0.0/8"), model="ip222")
    assert one.network == ipaddress.ip_network("2001:db8::1/128")
    assert one.hardware_id is not None
    assert one.hardware_id.search("IP222-30-00-af") is not None
    assert one.hardware_id.search("XIP222") is None
    assert trusted == Accept(certificate=True)


def test_a_rule_whose_hardware_id_is_no_pattern_is_told() -> None:
    _, problems = read("admission", "accept: [{hardware_id: '('}]")
    assert problems == ["1:24: '(' is no regular expression: missing ): ("]


def test_any_number_of_versions_is_kept_where_that_is_said() -> None:
    policy, problems = read("backup", "per_device: null\nper_address: 5/m")
    assert (policy.per_device, policy.per_address, problems) == (None, Rate(5, 60), [])


def test_notify_says_whom_to_tell_what() -> None:
    text = "rules:\n  - {on: [missing, rolled-back], to: ops, at_most: 1h}\n  - {on: [braked], to: x}"
    assert read("notify", text) == (
        (
            NoticeRule(frozenset({NoticeKind.MISSING, NoticeKind.ROLLED_BACK}), "ops", 3600),
            NoticeRule(frozenset({NoticeKind.BRAKED}), "x"),
        ),
        [],
    )
    assert read("notify", "{}")[0] == ()
    assert set(schema("notify")["properties"]["rules"]["items"]["properties"]["on"]["items"]["enum"]) == set(NoticeKind)
    (fault,) = read("notify", "rules:\n  - {on: [mising], to: ops}")[1]
    assert fault.endswith("did you mean 'missing'?")


def test_the_audit_keeps_what_it_is_told_and_never_less_than_a_month() -> None:
    assert read("audit", "keep_changes: 52w\nkeep_looks: 30d\nkeep_log_ins: 0") == (
        AuditKeeping(changes=364 * 86400, log_ins=0, looks=30 * 86400),
        [],
    )
    _, problems = read("audit", "keep_changes: 29d\nkeep_looks: 1s")
    fault = (
        "whoever pushes a commit could have the audit forget who did it; keep it for 30d at the least, or for ever: 0"
    )
    assert [str(problem) for problem in problems] == [f"1:15: {fault}", f"2:13: {fault}"]
