"""Signed histories: read by Git and OpenSSH, which know nothing of gitupd, and rewritten by somebody else."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.offices import LINES, SERIAL, Office, dump, git, opened, sign

from gitupd.errors import SiteError
from gitupd.service.backups.upkeep import verify
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs OpenSSH's ssh-keygen")

_IDENTITY = ("-c", "user.name=gitupd", "-c", "user.email=gitupd@localhost")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office with two signed versions, behind one without a signature."""
    with opened(tmp_path / "site") as office:
        keep(office, "before")
        sign(office.site)
        office.upload(dump(*LINES, "first"))
        office.upload(dump(*LINES, "second"))
        assert office.commit() == 2
        yield office
    git(tmp_path / "site", "fsck", "--strict")


def keep(office: Office, line: str) -> None:
    assert office.upload(dump(*LINES, line)) == "kept"
    assert office.commit() == 1


def trust(site: Path) -> tuple[str, ...]:
    return ("-c", f"gpg.ssh.allowedSignersFile={site / 'backups.signers'}")


def test_git_itself_verifies_every_commit(office: Office) -> None:
    path = office.site.path
    told = git(path, *trust(path), "log", "--format=%G? %GS %s")
    good = f'G gitupd@localhost IP232 {SERIAL} "Desk 13": 1 line changed\n'
    assert told == f'{good}{good}N  IP232 {SERIAL} "Desk 13": first version, 201 lines\n'
    git(path, *trust(path), "verify-commit", "HEAD")
    assert git(path, "for-each-ref", "--format=%(refname)") == "refs/heads/main\n"
    versions = office.history().versions(SERIAL)
    assert [each.commit for each in versions] == git(path, "rev-list", "main").split()
    assert office.history().raw(versions[0]) == dump(*LINES, "second")


def test_the_key_is_nobody_elses_and_stays_the_same(office: Office) -> None:
    key = office.site.path / "backups.key"
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    again = Site(office.site.path)
    assert again.backup_key is not None
    assert key.read_bytes() == before
    assert len((office.site.path / "backups.signers").read_text().splitlines()) == 1
    again.close()


def test_what_a_killed_process_has_not_signed_yet_is_in_nobodys_way(office: Office) -> None:
    path = office.site.path
    left = git(path, *_IDENTITY, "commit-tree", "-m", "left behind", "HEAD^{tree}").strip()
    git(path, "update-ref", "refs/gitupd/unsigned", left)
    keep(office, "third")
    assert git(path, "for-each-ref", "--format=%(refname)") == "refs/heads/main\n"
    assert next(iter(verify(office.site))).startswith("signed: 3 commits")


def test_verify_counts_what_is_signed(office: Office) -> None:
    assert list(verify(office.site)) == [
        "signed: 2 commits, which vouch for 1 without a signature before them",
        "3 versions, every object is whole",
    ]


def test_verify_says_when_nothing_is_signed_yet(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as office:
        keep(office, "before")
        assert list(verify(office.site)) == ["1 version, every object is whole"]
        sign(office.site)
        assert next(iter(verify(office.site))) == "nothing is signed yet; that begins with the next version"


def test_a_key_that_was_replaced_still_counts_for_what_it_signed(office: Office) -> None:
    (office.site.path / "backups.key").unlink()
    (office.site.path / "backups.key.new").write_text("half a key of a killed process")
    with_new_key = Office(Site(office.site.path))
    keep(with_new_key, "third")
    assert next(iter(verify(office.site))).startswith("signed: 3 commits")
    with_new_key.intake.stop()
    with_new_key.site.close()


def test_the_present_key_counts_though_the_list_of_keys_is_lost(office: Office) -> None:
    (office.site.path / "backups.signers").unlink()
    assert next(iter(verify(office.site))).startswith("signed: 2 commits")
    (office.site.path / "backups.signers").unlink()
    keep(office, "third")
    assert git(office.site.path, *trust(office.site.path), "log", "--format=%G?").split() == ["G", "G", "G", "N"]


def test_what_was_made_while_signing_was_off_is_told_and_signed_for_later(office: Office) -> None:
    office.site.settings = replace(office.site.settings, sign_backups=False)
    off = Office(office.site)
    keep(off, "third")
    assert list(verify(off.site))[:2] == [
        "signed: 2 commits, which vouch for 1 without a signature before them",
        "not signed, because sign_backups is off: the last 1 commit",
    ]
    off.intake.stop()
    on = Office(Site(office.site.path))
    with pytest.raises(SiteError, match="the backup history ends with 1 commit without a signature"):
        list(verify(on.site))
    keep(on, "fourth")
    assert next(iter(verify(on.site))) == "signed: 3 commits, which vouch for 2 without a signature before them"
    on.intake.stop()
    on.site.close()


@pytest.mark.parametrize("signature", [(), ("-S",)])
def test_a_rewritten_history_is_seen(office: Office, tmp_path: Path, signature: tuple[str, ...]) -> None:
    """Whoever writes to the repository only can't make commits that look like the site's, even with a key."""
    path = office.site.path
    foreign = tmp_path / "foreign"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "gitupd@localhost", "-f", str(foreign)]
    subprocess.run(command, check=True, timeout=60)
    message = git(path, "log", "-1", "--format=%B", "HEAD~1")
    settings = (*_IDENTITY, "-c", "gpg.format=ssh", "-c", f"user.signingKey={foreign}")
    changed = git(path, *settings, "commit-tree", *signature, "-p", "HEAD~2", "-m", message, "HEAD^{tree}").strip()
    git(path, "update-ref", "refs/heads/main", changed)
    fault = (
        f"commit {changed} of the backup history is not signed with a key"
        if signature
        else "ends with 2 commits without a signature"
    )
    with pytest.raises(SiteError, match=fault):
        list(verify(office.site))


def test_a_commit_whose_text_was_changed_below_its_signature_is_seen(office: Office) -> None:
    path = office.site.path
    content = git(path, "cat-file", "commit", "HEAD").replace("1 line changed", "2 lines changed")
    command = ["git", "-C", str(path / "backups.git"), "hash-object", "-t", "commit", "-w", "--stdin"]
    made = subprocess.run(command, input=content, capture_output=True, text=True, check=True, timeout=60)
    git(path, "update-ref", "refs/heads/main", made.stdout.strip())
    with pytest.raises(SiteError, match=r"is not signed with a key that backups\.signers lists"):
        list(verify(office.site))


@pytest.mark.parametrize(
    "signature",
    [b"", b"nonsense", b"\xff\xfe", b"-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----", b"cut off"],
)
def test_what_is_no_signature_is_nobodys(office: Office, signature: bytes) -> None:
    key = office.site.backup_key
    assert key is not None
    good = key.sign(b"content")
    assert office.site.backup_signers.vouch(b"content", good)
    if signature == b"cut off":
        lines = good.splitlines()
        signature = b"\n".join((lines[0], *lines[2:]))
    assert not office.site.backup_signers.vouch(b"content", signature)


def test_the_list_of_signers_may_have_comments(office: Office) -> None:
    with (office.site.path / "backups.signers").open("a") as listed:
        listed.write("\n# the key of the year before\n")
    assert next(iter(verify(office.site))).startswith("signed: 2 commits")


def test_a_key_that_can_not_be_read_is_told(office: Office) -> None:
    (office.site.path / "backups.key").unlink()
    (office.site.path / "backups.key").mkdir()
    with pytest.raises(SiteError, match=r"backups\.key can't be read or written"):
        assert office.site.backup_key


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("backups.key", "nonsense", "no private key in OpenSSH's form"),
        ("backups.key", "", "no private key in OpenSSH's form"),
        ("backups.signers", "gitupd ssh-rsa AAAA", "no list of Ed25519 keys"),
        ("backups.signers", 'gitupd namespaces="git" ssh-ed25519 AAAA', "no list of Ed25519 keys"),
    ],
)
def test_files_that_are_no_keys_are_named(office: Office, name: str, content: str, fault: str) -> None:
    (office.site.path / name).write_text(content)
    again = Site(office.site.path)
    with pytest.raises(SiteError, match=rf"{name} is {fault}"):
        assert again.backup_key if name == "backups.key" else again.backup_signers
    again.close()


def test_another_kind_of_key_is_refused_and_backups_wait(office: Office, tmp_path: Path) -> None:
    made = tmp_path / "ecdsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(made)], check=True, timeout=60)
    (office.site.path / "backups.key").write_bytes(made.read_bytes())
    again = Office(Site(office.site.path))
    assert again.upload(dump(*LINES, "third")) == "kept"
    with pytest.raises(SiteError, match="is no Ed25519 key; put one there, or remove it"):
        again.commit()
    assert again.site.backup_inbox.count() == 1
    (office.site.path / "backups.key").unlink()
    assert again.commit() == 1
    again.intake.stop()
    again.site.close()
