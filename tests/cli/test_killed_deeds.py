"""Whoever is killed at a deed has done it, with its entry in the audit, or has not: whatever the moment."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support import fleets
from support.authorities import Authority
from support.killing import killed_at_many_moments
from support.offices import LINES, dump, opened
from support.signing_sites import SERIAL, VERA, asks, signing_site

from gitupd.core.caller import Serial
from gitupd.core.people.audit import Event, Kind
from gitupd.resources import template_files
from gitupd.service.certificates.signing import Signing
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gitupd.core.snapshot import CommitId

pytestmark = pytest.mark.slow

DEVICES = 1_100
"""More than are forgotten or touched at once."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made, _ = create_site(tmp_path / "site", who="test", now=now() - timedelta(days=1))
    return made


def edit(site: Site, line: str) -> CommitId:
    files = {**template_files(), "snippets/all-all-all.txt": line.encode()}
    return site.config.commit_files(files, "Change", "Test <test@localhost>")


def outcomes(
    site: Site, kind: Kind, done: Callable[[Site], int], *arguments: str | Path, step: int = 3
) -> Counter[int]:
    """Kill a command at every moment; return how often how much was done, which is what the audit says each time.

    The audit has a whole deed, or as many devices as its entries name.
    """
    site.close()
    found: Counter[int] = Counter()
    for copy in killed_at_many_moments(site.path, site.path.with_name("killed"), *arguments, step=step):
        with closing(Site(copy)) as killed:
            entries = killed.audit.entries(99, kind=kind)
            told = sum(_counted(entry.subject) for entry in entries)
            amount = done(killed)
            assert told == amount, f"before call {copy.name}: {amount} done, {told} in the audit"
            found[amount] += 1
        shutil.rmtree(copy)
    return found


def _counted(subject: str) -> int:
    several = re.fullmatch(r"([0-9]+) devices", subject)
    return int(several[1]) if several else 1


def test_a_deployment_and_its_entry(site: Site) -> None:
    commit = edit(site, "config add A /b\n")
    seen = outcomes(site, Kind.DEPLOY, lambda killed: len(killed.deployments.latest()), "deploy", commit)
    assert set(seen) == {1, 2}


def test_a_rollback_and_its_entry(site: Site) -> None:
    first = site.config.resolve("main")
    commit = edit(site, "config add A /b\n")
    deploy(site, commit, who="test", now=now())

    def done(killed: Site) -> int:
        live, blocked = killed.deployments.live(), killed.deployments.blocked()
        assert live is not None
        assert (live.commit == first) == (commit in blocked)
        return len(blocked)

    assert set(outcomes(site, Kind.ROLLBACK, done, "rollback", first)) == {0, 1}


def test_lifting_a_block_and_its_entry(site: Site) -> None:
    first = site.config.resolve("main")
    commit = edit(site, "config add A /b\n")
    deploy(site, commit, who="test", now=now())
    rollback(site, first, who="test", now=now())
    seen = outcomes(site, Kind.UNBLOCK, lambda killed: 1 - len(killed.deployments.blocked()), "unblock", commit)
    assert set(seen) == {0, 1}


def test_devices_are_forgotten_with_an_entry_for_each_thousand(site: Site) -> None:
    fleets.fill(site, DEVICES, now())
    serials = [str(device.serial) for device in site.inventory.devices()]
    seen = outcomes(
        site, Kind.DEVICE_FORGET, lambda killed: DEVICES - len(killed.inventory.devices()), "forget", *serials, step=1
    )
    assert set(seen) == {0, 1_000, 1_100}


def test_devices_are_touched_with_an_entry_for_each_thousand(site: Site) -> None:
    fleets.fill(site, DEVICES, now())
    filled = now()
    serials = [str(device.serial) for device in site.inventory.devices()]

    def done(killed: Site) -> int:
        return sum(device.last_seen is not None and device.last_seen > filled for device in killed.inventory.devices())

    assert set(outcomes(site, Kind.DEVICE_TOUCH, done, "touch", *serials, step=1)) == {0, 1_000, 1_100}


@pytest.mark.parametrize("before", [None, b"older firmware"], ids=["new", "replaced"])
def test_a_firmware_file_and_its_entry(site: Site, tmp_path: Path, before: bytes | None) -> None:
    file, content = tmp_path / "ip222.bin", b"firmware" * 10_000
    file.write_bytes(content)
    if before is not None:
        (site.path / "firmware/137213").mkdir()
        (site.path / "firmware/137213/ip222.bin").write_bytes(before)

    def done(killed: Site) -> int:
        listed = [(each.build, each.name) for each in killed.firmware.files()]
        path = killed.firmware.find("137213", "ip222.bin")
        assert listed == ([("137213", "ip222.bin")] if path else [])
        added = path is not None and path.read_bytes()
        assert added in (content, before or False)
        assert not list(killed.path.glob("firmware/*/.*")), "something is left"
        return int(added == content)

    assert set(outcomes(site, Kind.FIRMWARE_ADD, done, "firmware", "add", "137213", file)) == {0, 1}


def test_beginning_the_backup_history_anew_and_its_entry(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        assert office.upload(dump(*LINES)) == "kept"
        assert office.commit() == 1
        site = office.site
    shutil.rmtree(site.backups.path / "objects")

    def done(killed: Site) -> int:
        return 1 - killed.backup_index.count()

    arguments = ("backups", "begin-anew", "--yes")
    assert set(outcomes(site, Kind.BACKUP_BEGIN_ANEW, done, *arguments)) == {0, 1}


@pytest.mark.parametrize("deed", ["add", "remove"])
def test_trust_in_an_authority_and_its_entry(site: Site, tmp_path: Path, deed: str) -> None:
    file = tmp_path / "root.pem"
    file.write_bytes(Authority.root("Root").pem)
    kind = {"add": Kind.TRUST_ADD, "remove": Kind.TRUST_REMOVE}[deed]
    if deed == "remove":
        site.trust.add(file.read_bytes(), Event(now(), "test", Kind.TRUST_ADD))

    def done(killed: Site) -> int:
        killed.trust.settle()
        assert not list(killed.path.glob("trust/.*")), "something is left"
        is_trusted = len(killed.trust.read().authorities) == 1
        return int(is_trusted == (deed == "add"))

    assert set(outcomes(site, kind, done, "trust", deed, file if deed == "add" else "root.pem")) == {0, 1}


def test_an_authority_is_made_with_all_that_belongs_to_it_or_not_at_all(site: Site) -> None:
    def done(killed: Site) -> int:
        killed.authority.settle()
        killed.trust.settle()
        assert not [*killed.path.glob("trust/.*"), *killed.path.glob("authority/.new*")], "something is left"
        authority, store = killed.authority.current(), killed.trust.read()
        if authority is None:
            assert (store.authorities, store.lists) == ((), ())
            return 0
        assert [each.reading.der for each in store.authorities] == list(authority.chain)
        assert [each.is_signed for each in store.lists] == [True]
        killed.authority.issuer(authority)  # its key can be used
        return 1

    arguments = ("certificates", "init", "--name", "Example", "--key", "ecdsa-p256")
    assert set(outcomes(site, Kind.AUTHORITY_ADD, done, *arguments)) == {0, 1}


def test_what_is_approved_is_signed_written_down_and_told_or_waits_still(tmp_path: Path) -> None:
    devices = [Serial(f"0090333000{number:02x}") for number in range(3)]
    with signing_site(tmp_path / "site") as site:
        for serial in devices:
            asks(site, serial)

    def done(killed: Site) -> int:
        records = [killed.rollouts.of(serial) for serial in devices]
        signed = {record.rollout.signed[0] for record in records if record and record.rollout.signed}
        assert signed == {entry.certificate for entry in killed.issued.latest(99)}
        assert len(killed.rollouts.waiting()) == len(devices) - len(signed)
        return len(signed)

    assert set(outcomes(site, Kind.CERTIFICATE_SIGN, done, "certificates", "approve", "--all")) == {0, 3}


def test_what_is_revoked_is_on_the_list_or_good_still(tmp_path: Path) -> None:
    with signing_site(tmp_path / "site") as site:
        asks(site, SERIAL)
        Signing(site).approve([SERIAL], VERA, now())

    def done(killed: Site) -> int:
        killed.trust.settle()
        (entry,) = killed.issued.of(SERIAL)
        (listed,) = killed.trust.read().lists
        record = killed.rollouts.of(SERIAL)
        assert record is not None
        is_revoked = entry.revoked is not None
        assert is_revoked == (int(entry.number, 16) in listed.list.numbers)
        assert is_revoked == bool(record.rollout.rejected)
        return int(is_revoked)

    arguments = ("certificates", "revoke", str(SERIAL), "--reason", "stolen")
    assert set(outcomes(site, Kind.CERTIFICATE_REVOKE, done, *arguments)) == {0, 1}
