"""What belongs into the configuration repository for the site's own authority to sign, and how it gets there."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from gitupd.config.loader import load
from gitupd.core.identity import VENDOR_AUTHORITIES
from gitupd.errors import InvalidConfiguration, SiteError
from gitupd.resources import modeline
from gitupd.service.deployments.live import live_now
from gitupd.store.tree import read_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site
    from gitupd.store.certificates.authority import OwnAuthority

POLICY = "policies/certificates.yaml"
_CHAIN = "certificates/CAkey-{:02}.pem"


def chain_files(authority: OwnAuthority) -> dict[str, bytes]:
    """Return the certificates that go along with a device's, by their paths: the issuing authority's first."""
    line = (authority.reading, *authority.above)
    return {_CHAIN.format(number): each.parsed.public_bytes(Encoding.PEM) for number, each in enumerate(line, start=1)}


def changes_for(files: Mapping[str, bytes], authority: OwnAuthority) -> dict[str, bytes | None]:
    """Return what is to be changed in the *files* of a configuration for the *authority* of the site to sign by them.

    None removes a file. Authorities that are named already stay so, and come behind. Raises InvalidConfiguration if
    *files* have errors, and SiteError if they are written in a way that no program changes.
    """
    policy = load(files).policy.certificates
    names = tuple(dict.fromkeys((*authority.names, *policy.authorities)))
    text = files.get(POLICY, modeline(POLICY, "certificates").encode()).decode("utf-8", errors="replace")
    text = _with_key(text, "authorities", json.dumps(list(names), ensure_ascii=False))
    if policy.signing == "manual":
        text = _with_key(text, "signing", "authority")
    gone: dict[str, bytes | None] = {path: None for path in files if fnmatchcase(path, policy.chain)}
    changes = {**gone, **chain_files(authority), POLICY: text.encode()}
    merged = {path: content for path, content in {**files, **changes}.items() if content is not None}
    try:
        after = load(merged).policy.certificates
    except InvalidConfiguration as error:
        raise SiteError(f"{POLICY} can't be changed by a program; do it by hand: {by_hand(authority)}") from error
    if set(after.authorities) != set(names) or after.signing == "manual":
        raise SiteError(f"{POLICY} is written in a way that no program changes; by hand: {by_hand(authority)}")
    return {path: content for path, content in changes.items() if content != files.get(path)}


def commit_configured(site: Site, authority: OwnAuthority, who: str) -> CommitId | None:
    """Commit that to the branch that *site* follows, and return the commit's id; None if all of it is there.

    Raises GitupdError if the head of the branch has errors, or is written in a way that no program changes.
    """
    live = live_now(site)
    branch = live.snapshot.policy.deploy.branch if live else "main"
    head = site.config.head(branch)
    changes = changes_for(site.config.files(head), authority)
    if not changes:
        return None
    message = f"Have {authority.reading.certificate.name} sign certificates of devices"
    return site.config.commit_changes(changes, head, message, f"{who} <{who}>", branch)


def add_to_folder(folder: Path, authority: OwnAuthority) -> list[str]:
    """Write that into the *folder* of a checked-out configuration; return the paths of the files that changed in it."""
    changes = changes_for(read_tree(folder), authority)
    try:
        for path, content in changes.items():
            if content is None:
                (folder / path).unlink()
            else:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
    except OSError as error:
        raise SiteError(f"can't write {error.filename}: {error.strerror}") from error
    return sorted(changes)


def keeps_factory_certificates(files: Mapping[str, bytes]) -> bool:
    """Whether devices with a certificate of their factory keep it, by what *files* say: the vendor's are good."""
    return not set(VENDOR_AUTHORITIES).isdisjoint(load(files).policy.certificates.authorities)


def by_hand(authority: OwnAuthority) -> str:
    """Return the lines that belong into the policy."""
    return f"authorities: {json.dumps(list(authority.names), ensure_ascii=False)}\nsigning: authority"


def _with_key(text: str, key: str, value: str) -> str:
    """Return the text of a YAML document with another *value* for a *key* of its top level, on one line."""
    line = f"{key}: {value}\n"
    known = re.compile(rf"^{key}:.*\n?(?:(?:[ \t]+.*|-.*)(?:\n|\Z))*", re.MULTILINE)
    if known.search(text):
        return known.sub(lambda _: line, text, count=1)
    return text + ("" if not text or text.endswith("\n") else "\n") + line
