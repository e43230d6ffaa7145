"""A site with a past for the tests of pages, and what one reads on a page."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.people.person import Role
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy
from support.fleets import fill
from support.serving import Server, serving
from support.visitors import add_person

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

ADA = "Ada <ada@example.org>"
SECRETS = ("s3cret-of-phones", "hunter22-variable", "device-pin-4711")
HIDING = {
    "environments.yaml": (
        "environments:\n  default: {}\n  homeoffice: {implies: [intranet]}\n"
        "  intranet: {variables: {gatekeeper: 10.1.0.1, sip_password: hunter22-variable}}\n"
    ),
    "devices.yaml": "devices:\n  00-90-33-00-00-01: {name: Reception, variables: {pin: device-pin-4711}}\n",
    "snippets/update-phone-all.txt": (
        "config add PHONE/SIG /gk-pwd s3cret-of-phones /prot SIP\n# for the intranet: hunter22-variable\n"
    ),
    "policies/delivery.yaml": "interval: 10\nwindow: {hours: [22, 23, 0, 1]}\n",
    "certificates/logo.bin": "\0\1\2",
}


@dataclass(frozen=True)
class Scene:
    """A site with a past: the template, a commit with secrets that is deployed, one that waits, and one with errors."""

    site: Site
    server: Server
    first: CommitId
    live: CommitId
    head: CommitId
    broken: CommitId


def commit(site: Site, changes: Mapping[str, str], message: str = "Change", branch: str = "main") -> CommitId:
    files = {**template_files(), **{path: text.encode() for path, text in changes.items()}}
    return site.config.commit_files(files, message, ADA, branch)


def populate(site: Site) -> None:
    for name, role in (("vera", Role.VIEWER), ("olga", Role.OPERATOR)):
        add_person(site, name, role)


@contextmanager
def showing(folder: Path, devices: int = 0) -> Iterator[Scene]:
    """Serve such a site in *folder*, with so many devices, while the block runs."""
    site, first = create_site(folder / "site", who="test", now=now())
    populate(site)
    live = commit(site, HIDING, "Secrets <b>of</b> phones\n\nAnd why: <script>alert(1)</script>")
    deploy(site, live, who="tess", now=now())
    fill(site, devices, now())
    broken = commit(site, {"policies/delivery.yaml": "intervall: 10\n"}, "Broken", "broken")
    waiting = HIDING | {"snippets/update-gw-all.txt": "config add X /y z\nconfig write\n"}
    head = commit(site, waiting, "More for gateways")
    with serving(site.path, workers=1) as server:
        server.ready(live)
        yield Scene(site, server, first.commit, live, head, broken)
    site.close()
