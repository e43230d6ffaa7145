"""New sites: from the template, or from an installation of the PHP server."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gitupd.config.loader import load
from gitupd.core.people.audit import Event, Kind
from gitupd.errors import GitupdError, Problem, Severity
from gitupd.importer import import_installation
from gitupd.importer.report import listed, shown
from gitupd.resources import modeline, schema_files, template_files
from gitupd.service import demonstration
from gitupd.service.backups.importing import import_backups
from gitupd.service.certificates.importing import Importing
from gitupd.service.deployments.deploying import deploy
from gitupd.service.importing import import_devices
from gitupd.service.master import MasterFault, parse_box_info
from gitupd.service.people.access import add_first_administrator
from gitupd.service.pushing.installing import install_hooks
from gitupd.service.site import Site
from gitupd.store.masters import MasterAnswer
from gitupd.store.places import CONFIG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.policy import Master
    from gitupd.importer import Imported

_AUTHOR = "gitupd <gitupd@localhost>"


def create_site(path: Path, *, who: str, now: datetime, password: str | None = None) -> tuple[Site, Deployment]:
    """Create a site at *path* with the template as its first commit, deployed; nothing is left if that fails.

    *password* is that of the first administrator; None means that nobody can log in yet.
    """
    site = _site_with(path, template_files(), "Start with the template")
    with _nothing_left(path):
        deployment, _ = deploy(site, "main", who=who, now=now)
        if password is not None:
            add_first_administrator(site, password, who=who, now=now)
    return site, deployment


def create_demo_site(path: Path, *, who: str, now: datetime) -> Site:
    """Create a site at *path* for a demonstration: with a past, firmware to load, and devices that are gone."""
    site = Site.create(path)
    with _nothing_left(path):
        install_hooks(site.path / CONFIG)
        files = dict(template_files())
        for number, (message, documents) in enumerate(demonstration.COMMITS, start=1):
            files |= {path: _led_by_modeline(path, text).encode() for path, text in documents.items()}
            commit = site.config.commit_files(files, message, _AUTHOR)
            if number < len(demonstration.COMMITS):
                deploy(site, commit, who=who, now=now)
        site.inventory.save_sightings(demonstration.gone(now))
        add_first_administrator(site, demonstration.ACCOUNT[1], who=who, now=now)
        _add_demo_firmware(site, Event(now, who, Kind.FIRMWARE_ADD))
    return site


def _led_by_modeline(path: str, text: str) -> str:
    """Return *text* as it stands in the file at *path*: documents begin with a line for editors."""
    return f"{modeline(path, Path(path).stem)}{text}" if path.endswith(".yaml") else text


def _add_demo_firmware(site: Site, event: Event) -> None:
    with TemporaryDirectory() as folder:
        for name in demonstration.FIRMWARE_FILES:
            file = Path(folder) / name
            file.write_bytes(f"Not a firmware for {name}, but enough for an emulated device.\n".encode() * 1000)
            site.firmware.add(demonstration.BUILD, file, event)


def import_site(
    source: Path, path: Path, *, who: str, now: datetime, password: str | None = None
) -> tuple[Site, Deployment, tuple[Problem, ...]]:
    """Create a site at *path* from the PHP server's installation in *source*; return the report, too.

    *password* is as in :func:`create_site`. Raises InvalidConfiguration with all errors of the installation; nothing is
    left of the site then.
    """
    imported = import_installation(source)
    files = {**schema_files(), **imported.files}
    site = _site_with(path, files, f"Import from the PHP based Update Server in {source.name or source}")
    with _nothing_left(path):
        notes = _take_over(site, imported, source, Event(now, who, Kind.FIRMWARE_ADD))
        deployment, warnings = deploy(site, "main", who=who, now=now)  # which warns of what all of this lacks
        if password is not None:
            add_first_administrator(site, password, who=who, now=now)
    return site, deployment, (*imported.notes, *notes, *warnings)


def _site_with(path: Path, files: Mapping[str, bytes], message: str) -> Site:
    site = Site.create(path)
    with _nothing_left(path):
        site.config.commit_files(files, message, _AUTHOR)
        install_hooks(site.path / CONFIG)
    return site


@contextmanager
def _nothing_left(path: Path) -> Iterator[None]:
    """Remove the half-made site at *path* if what the block does fails."""
    try:
        yield
    except BaseException:
        shutil.rmtree(path)
        raise


def _trust_authorities(site: Site, imported: Imported, adding: Event) -> None:
    """Trust the authorities of the installation, which come with the configuration; other files are told already."""
    for path, content in imported.files.items():
        if path.startswith("certificates/"):
            with suppress(GitupdError):
                site.trust.add(content, adding)


def _take_over(site: Site, imported: Imported, source: Path, adding: Event) -> tuple[Problem, ...]:
    """Take over what is not configuration: firmware files, backups, devices, roll-outs, the master device's answer.

    Return notes on what of that could not be: everything in *source* is taken over, or named.
    """
    for target, file in imported.firmware:
        build, _, name = target.partition("/")
        if name and "/" not in name:
            site.firmware.add(build, file, adding)
    snapshot = load(imported.files)
    policy = snapshot.policy
    left_out = import_backups(site, imported.backups, policy.backup)
    _trust_authorities(site, imported, replace(adding, kind=Kind.TRUST_ADD))
    of_devices = import_devices(site, imported.devices, policy, adding.at)
    importing = Importing(policy.certificates, snapshot.chain, adding.who, adding.at)
    of_rollouts = importing.take_over(site.rollouts, imported.rollouts, imported.devices)
    return (
        *_backups_left_out(left_out, source),
        *_grouped([*of_devices, *of_rollouts]),
        *_take_over_master(site, imported, policy.firmware.master),
    )


def _backups_left_out(files: Sequence[tuple[Path, str]], source: Path) -> Iterator[Problem]:
    """Yield a note for each reason and folder, however many files it has."""
    alike: dict[tuple[Path, str], list[str]] = {}
    for path, fault in files:
        alike.setdefault((path.parent, fault), []).append(path.name)
    for (folder, fault), names in alike.items():
        yield _left_out(f"{os.path.relpath(folder, source)}/", f"{fault}: {listed(names)}")


def _grouped(notes: Sequence[tuple[str, str]]) -> Iterator[Problem]:
    """Yield *notes* on files, those of one folder that say the same as one."""
    alike: dict[tuple[str, str], list[str]] = {}
    for path, message in notes:
        alike.setdefault((path.rpartition("/")[0], message), []).append(path)
    for (folder, message), paths in alike.items():
        if len(paths) == 1:
            yield Problem(paths[0], 0, 0, message, "", Severity.WARNING)
        else:
            names = listed(path.rpartition("/")[2] for path in paths)
            yield Problem(f"{folder}/", 0, 0, f"{len(paths):,} {message}: {names}", "", Severity.WARNING)


def _take_over_master(site: Site, imported: Imported, master: Master | None) -> Iterator[Problem]:
    """Take over what the master device answered last; yield a note if nobody can read that."""
    if imported.master_info is None or master is None:
        return
    content, modified = imported.master_info
    try:
        builds = parse_box_info(content)
    except MasterFault as fault:
        yield _left_out(imported.master_path, f"no answer of a master device, which is asked anew: {fault}")
        return
    at = datetime.fromtimestamp(modified, UTC)
    site.masters.save(MasterAnswer(master.url, builds.firmware, builds.bootcode, at, at))


def _left_out(path: str, reason: str) -> Problem:
    return Problem(shown(path)[1:-1], 0, 0, f"left out: {reason}", "", Severity.WARNING)
