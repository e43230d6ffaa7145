"""What a commit means for the devices that are there: warnings that name numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.authorities import Authority

from gitupd.config.loader import load
from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.core.people.audit import Event, Kind
from gitupd.service.deployments.concerns import concerning, concerns
from gitupd.service.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sample

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
STAGING = "phases: {staging: {order: 1}, update: {order: 2}}"


def known(sample: Sample, **facts: str) -> None:
    """Let three devices be in the inventory that are alike but for their serial numbers."""
    devices = [
        Device(Serial(f"0090333000a{number}"), first_seen=NOON, last_seen=NOON, **facts)  # type: ignore[arg-type] # the texts among its fields
        for number in range(3)
    ]
    sample.site.inventory.save_sightings(devices)


def told(sample: Sample, files: dict[str, str]) -> list[str]:
    snapshot = load({path: content.encode() for path, content in files.items()})
    return [str(each) for each in concerns(sample.site, snapshot)]


def test_a_phase_that_devices_are_in_is_missed(sample: Sample) -> None:
    known(sample, phase="staging", model="IP222")
    snippet = {"snippets/all-all-all.txt": "x\n"}
    assert told(sample, {"phases.yaml": STAGING, **snippet}) == []
    assert told(sample, snippet) == [
        "phases.yaml: warning: no phase 'staging' any more, in which 3 devices are; they start over with 'update'"
    ]


def test_an_environment_that_devices_are_in_is_missed(sample: Sample) -> None:
    known(sample, model="IP222", environments=("berlin", "default"))  # type: ignore[arg-type] # names, and no text
    files = {"snippets/all-all-all.txt": "x\n", "environments.yaml": "environments: {default: {}, berlin: {}}"}
    assert told(sample, files) == []
    (line,) = told(sample, {**files, "environments.yaml": "environments: {default: {}, Berlin: {}}"})
    problem, _, cure = line.partition("; ")
    assert problem == "environments.yaml: warning: no environment 'berlin' any more, in which 3 devices are"
    assert cure == "they count as in 'default' if they name no other one"


def test_a_subject_that_was_told_is_told_once(sample: Sample) -> None:
    known(sample, model="IP222", phase="staging")
    snapshot = load({"phases.yaml": b""})
    subjects = [each.subject for each in concerning(sample.site, snapshot)]
    assert subjects == ["snippets", "phase staging"]
    (left,) = concerns(sample.site, snapshot, {"snippets"})
    assert left.path == "phases.yaml"
    assert [each.subject for each in concerning(sample.site, snapshot, NOON + timedelta(seconds=1))] == []


def test_a_configuration_without_snippets_names_the_devices(sample: Sample) -> None:
    assert told(sample, {"phases.yaml": ""}) == []
    known(sample, model="IP222")
    assert told(sample, {"phases.yaml": ""}) == [
        "snippets/: warning: no snippet at all, for 3 devices; look whether they were moved"
    ]


def test_computed_lines_that_are_not_run_here(sample: Sample) -> None:
    source = "class Own:\n    def pre(self, device):\n        return []\n"
    assert told(sample, {"scripting.py": source}) == [
        "scripting.py: warning: not run here, as the site does not allow it; set scripting = true in gitupd.toml"
    ]


@pytest.mark.parametrize(
    ("policy", "files"),
    [
        ("firmware: '137213'\nbootcode: none", ["ip222.bin"]),
        ("firmware: '137213'\nbootcode: firmware", ["boot222.bin", "ip222.bin"]),
        ("firmware: '137213'\nfile_names: {ip222: {prot: own.bin}}", ["own.bin"]),
        ("firmware: '137213'\nno_firmware: [ip222]", []),
        ("firmware: '137213'\napplies: [{class: gw}]", []),
        ("firmware: '137213'\napplies: [{class: phone}]", ["ip222.bin"]),
        ("firmware: '137213'\napplies: [{environment: other}]\n", []),
        ("firmware: '137213'\nstorage: http://elsewhere/", []),
        ("firmware: '131286'", []),
    ],
)
def test_firmware_that_is_not_there(sample: Sample, policy: str, files: list[str]) -> None:
    known(sample, model="IP222", firmware="131286", bootcode="131286")
    configuration = {
        "policies/firmware.yaml": policy,
        "environments.yaml": "environments: {default: {}, other: {}}",
        "snippets/all-all-all.txt": "x\n",
    }
    assert told(sample, configuration) == [
        f"policies/firmware.yaml: warning: fw/137213/{name} is not there, and 3 devices would load it; "
        f"gitupd firmware add 137213 {name}"
        for name in files
    ]


def test_firmware_that_is_there(sample: Sample, tmp_path: Path) -> None:
    known(sample, model="IP222")
    file = tmp_path / "IP222.bin"
    file.write_bytes(b"x")
    sample.site.firmware.add("137213", file, Event(NOON, "test", Kind.FIRMWARE_ADD))
    assert told(sample, {"policies/firmware.yaml": "firmware: '137213'", "snippets/all-all-all.txt": "x\n"}) == []


def test_somebody_must_be_here_who_signs(sample: Sample) -> None:
    files = {"policies/certificates.yaml": "enabled: true\nsigning: external", "snippets/all-all-all.txt": "x\n"}
    assert at(sample, "", files) == ["an authority elsewhere is to sign, and the settings of this site name none"]
    assert at(sample, '[signing]\ncommand = ["sign"]', files) == []
    files["policies/certificates.yaml"] = "enabled: true\nsigning: authority"
    assert at(sample, "", files) == ["the site's authority is to sign, and this site has none"]
    files["policies/certificates.yaml"] = "enabled: false\nsigning: authority"
    assert at(sample, "", files) == []
    rule = "enabled: true\nsigning: external\napprove: [{identified_by: old-certificate}]"
    files["policies/certificates.yaml"] = rule
    by_command = '[signing]\ncommand = ["sign"]'
    nowhere = "a rule asks for the old certificate, but no address of this site asks devices for one, nor a proxy"
    assert at(sample, by_command, files) == [nowhere]
    assert at(sample, f'mtls = "127.0.0.1:8443"\n{by_command}', files) == []


DEMANDING = {
    "policies/transport.yaml": "https: required\nclient_certificate: required",
    "snippets/all-all-all.txt": "x\n",
}


def at(sample: Sample, settings: str, files: dict[str, str]) -> list[str]:
    """Return what is told of a site with these settings."""
    (sample.site.path / "gitupd.toml").write_text(settings)
    site = Site(sample.site.path)
    snapshot = load({path: content.encode() for path, content in files.items()})
    try:
        return [each.message for each in concerns(site, snapshot)]
    finally:
        site.close()


def test_what_is_demanded_of_devices_must_be_possible_here(sample: Sample) -> None:
    nobody = "a client certificate is required, but the site trusts no authority, so no device is identified"
    nowhere = "HTTPS is required, but no address of this site speaks TLS to devices, and no proxy is trusted to"
    unasked = "a client certificate is required, but no address of this site asks devices for one, nor does a proxy"
    assert at(sample, "", DEMANDING) == sorted([nobody, nowhere, unasked])
    assert at(sample, 'https = "127.0.0.1:8443"', DEMANDING) == sorted([nobody, unasked])
    people = '[[listen]]\naddress = "127.0.0.1:8443"\ntls = true\nclient_certificates = "asked"\nserves = ["people"]'
    assert at(sample, people, DEMANDING) == sorted([nobody, nowhere, unasked])
    assert at(sample, 'trusted_proxies = ["127.0.0.1"]', DEMANDING) == sorted([nobody, unasked])
    proxied = 'trusted_proxies = ["127.0.0.1"]\nclient_certificate_header = "Client-Cert"'
    assert at(sample, proxied, DEMANDING) == [nobody]
    sample.site.trust.add(Authority.root().pem, Event(NOON, "vera", Kind.TRUST_ADD))
    assert at(sample, 'mtls = "127.0.0.1:8443"', DEMANDING) == []
    assert at(sample, "", {"snippets/all-all-all.txt": "x\n"}) == []
