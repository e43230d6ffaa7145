"""Commits signed by real programs, in ways that count and that do not; ``git verify-commit`` is asked as well."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from support.signed_commits import Keyring, Work, keyring, revoked

from gitupd.config.signers import read_signers
from gitupd.core.deployments.signature import SignedBy, sentence
from gitupd.store.git.repository import ConfigRepository
from gitupd.store.signatures.commits import LARGEST_SIGNATURE, CommitJudge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from gitupd.core.snapshot import CommitId

NOW = datetime.now(UTC)
AT = 1_700_000_000
"""2023-11-14, when most commits of these tests are made."""
YEAR = 31_557_600
BEFORE, AFTER = "20230101Z", "20240101Z"


class Signing:
    """What a case may use: keys, a repository, and how to say who signs."""

    def __init__(self, keys: Keyring, work: Work, folder: Path) -> None:
        self.keys, self.work, self.folder = keys, work, folder

    def allowed(self, key: str, options: str = "", principal: str = "vera@example.com") -> dict[str, bytes]:
        line = self.keys.ssh(key).line
        return {"signers/allowed_signers": f"# those who sign\n\n{principal} {options} {line} vera\n".encode()}

    def certificate(self, *names: str) -> dict[str, bytes]:
        return {f"signers/{name}.asc": self.keys.gpg(name).public for name in names}


@pytest.fixture(scope="module")
def keys() -> Iterator[Keyring]:
    with keyring() as made:
        yield made


@pytest.fixture
def signing(keys: Keyring, tmp_path: Path) -> Signing:
    return Signing(keys, Work.at(tmp_path / "work"), tmp_path)


Case = tuple["CommitId", "Mapping[str, bytes]"]
CASES: dict[str, tuple[Callable[[Signing], Case], str, bool | None]] = {}
"""By what it is about: how it is made, what is said of it, and what Git says; None where it does not matter."""


def case(said: str, *, git: bool | None) -> Callable[[Callable[[Signing], Case]], Callable[[Signing], Case]]:
    def add(make: Callable[[Signing], Case]) -> Callable[[Signing], Case]:
        CASES[make.__name__] = make, said, git
        return make

    return add


KINDS = {
    "ed25519": (),
    "rsa": ("-t", "rsa", "-b", "3072"),
    "ecdsa256": ("-t", "ecdsa", "-b", "256"),
    "ecdsa384": ("-t", "ecdsa", "-b", "384"),
    "ecdsa521": ("-t", "ecdsa", "-b", "521"),
}
for _kind, _options in KINDS.items():

    def _by_kind(s: Signing, kind: str = _kind, options: tuple[str, ...] = _options) -> Case:
        return s.work.commit(s.keys.ssh(kind, *options), at=AT), s.allowed(kind)

    CASES[f"ssh {_kind}"] = _by_kind, "is signed by vera@example.com", True

for _kind in ("ed25519", "rsa3072"):

    def _by_gpg(s: Signing, kind: str = _kind) -> Case:
        key = s.keys.gpg(f"gpg-{kind}", kind, made="20230101T000000")
        return s.work.commit(key, at=AT), s.certificate(f"gpg-{kind}")

    CASES[f"gpg {_kind}"] = _by_gpg, f"is signed by gpg-{_kind} <gpg-{_kind}@example.com>", True


@case("is not signed", git=False)
def not_signed(s: Signing) -> Case:
    return s.work.commit(None, at=AT), s.allowed("ed25519")


@case("is signed by an unknown key, SHA256:.*", git=False)
def unknown(s: Signing) -> Case:
    return s.work.commit(s.keys.ssh("stranger"), at=AT), s.allowed("ed25519")


@case("is signed by an unknown key, [0-9A-F]{40}", git=False)
def unknown_gpg(s: Signing) -> Case:
    return s.work.commit(s.keys.gpg("gpg-ed25519", made="20230101T000000"), at=AT), s.allowed("ed25519")


@case("is signed by an unknown key, SHA256:.*", git=False)
def nobody_signs(s: Signing) -> Case:
    return s.work.commit(s.keys.ssh("ed25519"), at=AT), {}


@case("is signed by vera@example.com", git=True)
def within_its_time(s: Signing) -> Case:
    return s.work.commit(s.keys.ssh("ed25519"), at=AT), s.allowed(
        "ed25519", f'valid-after="{BEFORE}",valid-before="{AFTER}"'
    )


@case(r"is signed by a key that had expired at its time \(signers/allowed_signers:3: not after 2023-.*", git=False)
def expired(s: Signing) -> Case:
    return s.work.commit(s.keys.ssh("ed25519"), at=AT), s.allowed("ed25519", f'valid-before="{BEFORE}"')


@case(r"is signed by a key that was not valid yet at its time \(signers/allowed_signers:3: not before .*", git=False)
def not_yet_valid(s: Signing) -> Case:
    return s.work.commit(s.keys.ssh("ed25519"), at=AT), s.allowed("ed25519", f'valid-after="{AFTER}"')


@case(r"is signed by a revoked key \(signers/revoked_keys lists it\), SHA256:.*", git=False)
def revoked_key(s: Signing) -> Case:
    key = s.keys.ssh("ed25519")
    return s.work.commit(key, at=AT), {**s.allowed("ed25519"), "signers/revoked_keys": f"{key.line} lost\n".encode()}


@case(r"is signed by a key that may not sign commits \(signers/allowed_signers:3 lets it sign for file.*", git=False)
def other_namespaces(s: Signing) -> Case:
    return s.work.commit(s.keys.ssh("ed25519"), at=AT), s.allowed("ed25519", 'namespaces="file"')


@case("is signed by vera@example.com", git=True)
def several_namespaces(s: Signing) -> Case:
    return s.work.commit(s.keys.ssh("ed25519"), at=AT), s.allowed("ed25519", 'namespaces="file,gi?"')


@case("has a signature of other content, SHA256:.*", git=False)
def other_message(s: Signing) -> Case:
    signed = s.work.commit(s.keys.ssh("ed25519"), at=AT)
    return s.work.rewritten(signed, (b"\n\nchange", b"\n\nother")), s.allowed("ed25519")


@case("has a signature of other content .*", git=False)
def other_message_gpg(s: Signing) -> Case:
    signed = s.work.commit(s.keys.gpg("gpg-ed25519", made="20230101T000000"), at=AT)
    return s.work.rewritten(signed, (b"\n\nchange", b"\n\nother")), s.certificate("gpg-ed25519")


@case(r"has a signature that was made for something else than Git \('file'\), SHA256:.*", git=False)
def other_namespace(s: Signing) -> Case:
    return _signed_by_hand(s, s.work.content(s.work.commit(None, at=AT)), "file"), s.allowed("ed25519")


@case("is signed by vera@example.com", git=True)
def by_hand(s: Signing) -> Case:
    return _signed_by_hand(s, s.work.content(s.work.commit(None, at=AT)), "git"), s.allowed("ed25519")


@case("has several signatures, where one is allowed", git=None)
def two_signatures(s: Signing) -> Case:
    once = s.work.commit(s.keys.ssh("ed25519"), at=AT)
    content = s.work.content(once)
    header = content[content.index(b"gpgsig ") : content.index(b"\n\n") + 1]
    return s.work.planted(content.replace(header, header * 2)), s.allowed("ed25519")


@case("has several signatures, where one is allowed", git=None)
def another_format_besides(s: Signing) -> Case:
    content = s.work.content(s.work.commit(s.keys.ssh("ed25519"), at=AT))
    return s.work.planted(content.replace(b"gpgsig ", b"gpgsig-sha256 x\ngpgsig ")), s.allowed("ed25519")


@case("has a damaged signature", git=False)
def cut_off(s: Signing) -> Case:
    return s.work.rewritten(s.work.commit(s.keys.ssh("ed25519"), at=AT), (b"U1NIU0lH", b"")), s.allowed("ed25519")


@case("has a damaged signature", git=None)
def cut_off_gpg(s: Signing) -> Case:
    key = s.keys.gpg("gpg-ed25519", made="20230101T000000")
    cut = (b"\n -----END PGP SIGNATURE-----", b"")
    return s.work.rewritten(s.work.commit(key, at=AT), cut), s.certificate("gpg-ed25519")


@case("has a damaged signature", git=None)
def no_signature(s: Signing) -> Case:
    content = s.work.content(s.work.commit(None, at=AT))
    return s.work.planted(content.replace(b"\n\n", b"\ngpgsig x\n\n", 1)), s.allowed("ed25519")


@case(r"has a damaged signature \([0-9,]+ bytes\)", git=None)
def huge_signature(s: Signing) -> Case:
    content = s.work.content(s.work.commit(None, at=AT))
    huge = b"\ngpgsig -----BEGIN SSH SIGNATURE-----\n " + b"A" * LARGEST_SIGNATURE + b"\n\n"
    return s.work.planted(content.replace(b"\n\n", huge, 1)), s.allowed("ed25519")


@case("has a signature of another kind than SSH and OpenPGP", git=False)
def x509(s: Signing) -> Case:
    content = s.work.content(s.work.commit(None, at=AT))
    block = b"\ngpgsig -----BEGIN SIGNED MESSAGE-----\n MIIB\n -----END SIGNED MESSAGE-----\n\n"
    return s.work.planted(content.replace(b"\n\n", block, 1)), s.allowed("ed25519")


@case("is not signed", git=False)
def signed_tag(s: Signing) -> Case:
    commit = s.work.commit(None, at=AT)
    signed = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={s.keys.ssh('ed25519').file}")
    s.work.git(*signed, "tag", "-s", "v1", "-m", "release")
    return commit, s.allowed("ed25519")


@case("has a signature of other content, SHA256:.*", git=False)
def signature_of_a_tag(s: Signing) -> Case:
    commit, signers = signed_tag(s)
    tag = subprocess.run(["git", "-C", s.work.path, "cat-file", "tag", "v1"], check=True, capture_output=True).stdout
    signature = tag[tag.index(b"-----BEGIN") :].rstrip(b"\n").replace(b"\n", b"\n ")
    header = b"\ngpgsig " + signature + b"\n\n"
    return s.work.planted(s.work.content(commit).replace(b"\n\n", header, 1)), signers


def _authority(s: Signing, options: str = "cert-authority") -> dict[str, bytes]:
    return s.allowed("authority", options, "*@example.com")


def _certified(s: Signing, name: str, *options: str) -> CommitId:
    return s.work.commit(s.keys.certified(name, s.keys.ssh("authority"), *options), at=AT)


LONG = ("-V", "20200101:20300101")


@case("is signed by ada@example.com", git=True)
def certificate(s: Signing) -> Case:
    return _certified(s, "good", "-n", "root,ada@example.com", *LONG), _authority(s)


@case("is signed by ada@example.com", git=True)
def certificate_by_rsa(s: Signing) -> Case:
    key = s.keys.certified("by-rsa", s.keys.ssh("rsa", *KINDS["rsa"]), "-n", "ada@example.com", *LONG)
    return s.work.commit(key, at=AT), s.allowed("rsa", "cert-authority", "*@example.com")


@case("is signed by ada@example.com", git=True)
def certificate_of_ecdsa(s: Signing) -> Case:
    of = s.keys.ssh("ecdsa256", *KINDS["ecdsa256"])
    key = s.keys.certified("of-ecdsa", s.keys.ssh("authority"), "-n", "ada@example.com", *LONG, of=of)
    return s.work.commit(key, at=AT), _authority(s)


@case(r"is signed by a key that may not sign commits \(eve@evil.example\), .*", git=False)
def certificate_of_somebody_else(s: Signing) -> Case:
    return _certified(s, "other", "-n", "eve@evil.example", *LONG), _authority(s)


@case(r"is signed by a key that may not sign commits, .*", git=False)
def certificate_of_nobody(s: Signing) -> Case:
    return _certified(s, "nobody", *LONG), _authority(s)


@case(r"is signed by a key that had expired at its time \(its certificate: not after 2022-.*", git=False)
def certificate_expired(s: Signing) -> Case:
    return _certified(s, "expired", "-n", "ada@example.com", "-V", "20210101:20220101"), _authority(s)


@case(r"is signed by a key that was not valid yet at its time \(its certificate: not before .*", git=False)
def certificate_to_be(s: Signing) -> Case:
    return _certified(s, "to-be", "-n", "ada@example.com", "-V", "20250101:20300101"), _authority(s)


@case("is signed by an unknown key, .*", git=False)
def certificate_where_its_authority_is_a_plain_key(s: Signing) -> Case:
    return _certified(s, "good", "-n", "root,ada@example.com", *LONG), _authority(s, "")


@case("is signed by an unknown key, .*", git=False)
def plain_key_of_an_authority(s: Signing) -> Case:
    return s.work.commit(s.keys.ssh("authority"), at=AT), _authority(s)


@case(r"is signed by a key that may not sign commits \(its certificate is one of hosts.*", git=None)
def certificate_of_a_host(s: Signing) -> Case:
    return _certified(s, "host", "-h", "-n", "ada@example.com", *LONG), _authority(s)


@case(r"is signed by a key that may not sign commits \(its certificate .* critical options\)", git=None)
def certificate_with_critical_options(s: Signing) -> Case:
    forced = ("-n", "ada@example.com", *LONG, "-O", "force-command=true")
    return _certified(s, "critical", *forced), _authority(s)


@case(r"is signed by a revoked key .*", git=False)
def certificate_of_a_revoked_authority(s: Signing) -> Case:
    commit = _certified(s, "good", "-n", "root,ada@example.com", *LONG)
    return commit, {**_authority(s), "signers/revoked_keys": s.keys.ssh("authority").public}


@case("is signed by good-for-a-year <.*", git=None)
def gpg_expired_since(s: Signing) -> Case:
    key = s.keys.gpg("good-for-a-year", made="20230101T000000", good_for="1y")
    return s.work.commit(key, at=AT), s.certificate("good-for-a-year")


@case(r"is signed by a key that had expired at its time \(good-for-a-year .*", git=None)
def gpg_expired(s: Signing) -> Case:
    key = s.keys.gpg("good-for-a-year", made="20230101T000000", good_for="1y")
    # Whoever lets a key expire has it still, and can have it sign by saying to himself that it has not.
    longer = s.keys.prolonged(key, "longer")
    return s.work.commit(longer, at=AT + 2 * YEAR), s.certificate("good-for-a-year")


@case(r"is signed by a revoked key \(gone .*", git=False)
def gpg_revoked(s: Signing) -> Case:
    key = s.keys.gpg("gone", made="20230101T000000")
    return s.work.commit(key, at=AT), {"signers/gone.asc": revoked(key, s.folder)}


@case(r"is dated in the future \(2099-.*", git=None)
def future(s: Signing) -> Case:
    return s.work.commit(s.keys.ssh("ed25519"), at=4_080_000_000), s.allowed("ed25519")


@case("is signed by vera@example.com", git=True)
def merge(s: Signing) -> Case:
    key = s.keys.ssh("ed25519")
    s.work.commit(None, at=AT)
    s.work.git("checkout", "-q", "-b", "side")
    s.work.commit(None, at=AT)
    s.work.git("checkout", "-q", "main")
    return s.work.commit(key, "side", verb=("merge", "--no-ff"), at=AT), s.allowed("ed25519")


@pytest.mark.parametrize("name", CASES)
def test_a_signature_is_worth_what_it_is(name: str, signing: Signing) -> None:
    make, said, git = CASES[name]
    commit, files = make(signing)
    judge = CommitJudge(read_signers(files))
    with ConfigRepository(signing.work.path) as repository:
        verdict = judge.verdict(repository.describe(commit), repository.content, NOW)
    assert re.fullmatch(said, sentence(verdict)), sentence(verdict)
    if git is not None:
        assert signing.work.vouched(commit, files, signing.folder) is git is isinstance(verdict, SignedBy)


def _signed_by_hand(s: Signing, content: bytes, namespace: str) -> CommitId:
    text = s.folder / "text"
    text.write_bytes(content)
    (s.folder / "text.sig").unlink(missing_ok=True)
    key = s.keys.ssh("ed25519").file
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", namespace, text], check=True)
    signature = (s.folder / "text.sig").read_bytes().rstrip(b"\n").replace(b"\n", b"\n ")
    return s.work.planted(content.replace(b"\n\n", b"\ngpgsig " + signature + b"\n\n", 1))
