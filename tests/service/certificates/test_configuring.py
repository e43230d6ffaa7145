"""What the configuration has to say for the site's authority to sign, brought into it by a program."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from support.signing_sites import signing_site

from gitupd.config.loader import load
from gitupd.errors import SiteError
from gitupd.resources import template_files
from gitupd.service.certificates.configuring import (
    POLICY,
    add_to_folder,
    changes_for,
    commit_configured,
    keeps_factory_certificates,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitupd.service.site import Site
    from gitupd.store.certificates.authority import OwnAuthority

NAMES = ("Example Issuing CA", "Example Root CA")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with signing_site(tmp_path_factory.mktemp("configuring") / "site") as made:
        yield made


@pytest.fixture(scope="module")
def authority(site: Site) -> OwnAuthority:
    known = site.authority.current()
    assert known is not None
    return known


@pytest.mark.parametrize(
    ("before", "names", "rest"),
    [
        ("", NAMES, ""),
        ("# why\nenabled: true # on", NAMES, "# why\nenabled: true # on\n"),
        ("authorities: [Ours]\nenabled: true\n", (*NAMES, "Ours"), "enabled: true\n"),
        ("authorities:\n- Ours\n- Theirs\nenabled: true\n", (*NAMES, "Ours", "Theirs"), "enabled: true\n"),
        ("authorities:\n  - Ours\n\nenabled: true\n", (*NAMES, "Ours"), "\nenabled: true\n"),
        ("enabled: true\nauthorities: [\n  Ours,\n  ]\nsigning: manual\n", (*NAMES, "Ours"), "enabled: true\n"),
        ("signing: automatic\napprove: [{identified_by: old-certificate}]\n", NAMES, "signing: automatic\n"),
    ],
)
def test_a_policy_keeps_what_it_says_besides(
    authority: OwnAuthority, before: str, names: tuple[str, ...], rest: str
) -> None:
    files = {**template_files(), **({POLICY: before.encode()} if before else {})}
    changes = changes_for(files, authority)
    text = (changes[POLICY] or b"").decode()
    policy = load({**files, **{path: content for path, content in changes.items() if content}}).policy.certificates
    assert policy.authorities == names
    assert policy.signing == ("automatic" if "automatic" in before else "authority")
    assert rest in text
    assert text.count("authorities:") == 1
    assert sorted(set(changes) - {POLICY}) == ["certificates/CAkey-01.pem", "certificates/CAkey-02.pem"]


def test_a_policy_that_no_program_changes_is_left_as_it_is(authority: OwnAuthority) -> None:
    files = {**template_files(), POLICY: b"{enabled: true, authorities: [Ours]}\n"}
    with pytest.raises(SiteError, match="do it by hand: authorities: "):
        changes_for(files, authority)


def test_the_certificates_of_another_authority_make_room(authority: OwnAuthority) -> None:
    files = {**template_files(), "certificates/CAkey-07.pem": b"", "certificates/CAkeys": b"", "notes/CAkey": b""}
    changes = changes_for(files, authority)
    assert [path for path, content in changes.items() if content is None] == [
        "certificates/CAkey-07.pem",
        "certificates/CAkeys",
    ]


def test_a_commit_changes_nothing_else_and_is_made_once(site: Site, authority: OwnAuthority) -> None:
    assert commit_configured(site, authority, "test") is None
    head = site.config.head("main")
    files = dict(site.config.files(head)) | {POLICY: b"enabled: true\n"}
    head = site.config.commit_files(files, "Back", "Test <test@localhost>")
    commit = commit_configured(site, authority, "test")
    assert commit is not None
    git = ["git", "-C", site.path / "config.git"]
    done = subprocess.run([*git, "diff", "--stat", head, commit], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].startswith(" 1 file changed")
    subprocess.run([*git, "fsck", "--strict"], check=True, capture_output=True)
    assert not keeps_factory_certificates(site.config.files(commit))


def test_a_checked_out_folder_is_changed(authority: OwnAuthority, tmp_path: Path) -> None:
    for path, content in template_files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "certificates").mkdir(exist_ok=True)
    (tmp_path / "certificates/CAkey.pem").write_bytes(authority.reading.der)
    changed = add_to_folder(tmp_path, authority)
    assert changed == [
        *("certificates/CAkey-01.pem", "certificates/CAkey-02.pem", "certificates/CAkey.pem"),
        POLICY,
    ]
    assert not (tmp_path / "certificates/CAkey.pem").exists()
    assert add_to_folder(tmp_path, authority) == []
