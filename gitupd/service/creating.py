"""New sites: from the template, or from an installation of the PHP server."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gitupd.config.loader import load
from gitupd.importer import import_installation
from gitupd.resources import template_files
from gitupd.service.deploying import deploy
from gitupd.service.master import MasterFault, parse_box_info
from gitupd.service.site import Site
from gitupd.store.masters import MasterAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitupd.errors import Problem
    from gitupd.importer import Imported
    from gitupd.store.deployments import Deployment

_AUTHOR = "gitupd <gitupd@localhost>"


def create_site(path: Path, *, who: str, now: datetime) -> tuple[Site, Deployment]:
    """Create a site at *path* with the template as its first commit, deployed; nothing is left if that fails."""
    site = _site_with(path, template_files(), "Start with the template")
    with _nothing_left(path):
        deployment, _ = deploy(site, "main", who=who, now=now)
    return site, deployment


_DEMO_BUILD = "137213"
_DEMO_FILES = ("ip222.bin", "ip112.bin", "ip232.bin", "ip6010.bin", "ip811.bin")
_DEMO_POLICIES = {
    "policies/firmware.yaml": (
        f"# A build that every device of the demonstration loads first.\nfirmware: {_DEMO_BUILD}\nbootcode: none\n"
    ).encode(),
    "policies/deploy.yaml": b"# So that a commit waits for gitupd deploy.\nmode: manual\n",
}


def create_demo_site(path: Path, *, who: str, now: datetime) -> Site:
    """Create a site at *path* as :func:`create_site` does, with a firmware build to load."""
    site = _site_with(path, {**template_files(), **_DEMO_POLICIES}, "Start with the template")
    with _nothing_left(path), TemporaryDirectory() as folder:
        deploy(site, "main", who=who, now=now)
        for name in _DEMO_FILES:
            file = Path(folder) / name
            file.write_bytes(f"Not a firmware for {name}, but enough for an emulated device.\n".encode() * 1000)
            site.firmware.add(_DEMO_BUILD, file)
    return site


def import_site(source: Path, path: Path, *, who: str, now: datetime) -> tuple[Site, Deployment, tuple[Problem, ...]]:
    """Create a site at *path* from the PHP server's installation in *source*; return the report, too.

    Raises InvalidConfiguration with all errors of the installation; nothing is left of the site then.
    """
    imported = import_installation(source)
    site = _site_with(path, imported.files, f"Import from the PHP based Update Server in {source.name or source}")
    with _nothing_left(path):
        deployment, warnings = deploy(site, "main", who=who, now=now)
        _take_over(site, imported)
    return site, deployment, (*imported.notes, *warnings)


def _site_with(path: Path, files: Mapping[str, bytes], message: str) -> Site:
    site = Site.create(path)
    with _nothing_left(path):
        site.config.commit_files(files, message, _AUTHOR)
    return site


@contextmanager
def _nothing_left(path: Path) -> Iterator[None]:
    """Remove the half-made site at *path* if what the block does fails."""
    try:
        yield
    except BaseException:
        shutil.rmtree(path)
        raise


def _take_over(site: Site, imported: Imported) -> None:
    """Take over what is not configuration: firmware files, and the last answer of the master device."""
    for target, source in imported.firmware:
        build, _, name = target.partition("/")
        if name and "/" not in name:
            site.firmware.add(build, source)
    master = load(imported.files).policy.firmware.master
    if imported.master_info is None or master is None:
        return
    content, modified = imported.master_info
    try:
        builds = parse_box_info(content)
    except MasterFault:
        return  # it is asked anew
    at = datetime.fromtimestamp(modified, UTC)
    site.masters.save(MasterAnswer(master.url, builds.firmware, builds.bootcode, at, at))
