"""What stands in signers/, and what is wrong with it."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitupd.config.intake import LARGEST_SIGNERS, EntryKind, TreeEntry, admit, concerns_devices
from gitupd.config.loader import build
from gitupd.config.signers import MOST_OPENPGP, read_signers, signer_problems
from gitupd.core.deployments.signers import AllowedSigner
from gitupd.errors import InvalidConfiguration, has_errors

if TYPE_CHECKING:
    from collections.abc import Mapping


def text(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def key(*parts: bytes) -> str:
    return f"{parts[0].decode()} {base64.b64encode(text(*parts)).decode()}"


ED25519 = key(b"ssh-ed25519", b"k" * 32)
RSA = key(b"ssh-rsa", b"\1\0\1", b"\0" + b"\xff" * 512)
MEDIUM_RSA = key(b"ssh-rsa", b"\1\0\1", b"\0" + b"\xff" * 256)
SMALL_RSA = key(b"ssh-rsa", b"\1\0\1", b"\xff" * 128)
ECDSA = key(b"ecdsa-sha2-nistp256", b"nistp256", b"\4" + b"p" * 64)
SK = key(b"sk-ssh-ed25519@openssh.com", b"k" * 32, b"ssh:")
BLOCK = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----\n"
SECRET = b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"


def allowed(*lines: str) -> dict[str, bytes]:
    return {"signers/allowed_signers": "\n".join(lines).encode()}


def problems(files: Mapping[str, bytes], *, required: bool = False) -> list[str]:
    return [str(each) for each in signer_problems(files, required=required)]


@pytest.mark.parametrize("line", [ED25519, RSA, MEDIUM_RSA, ECDSA, SK])
def test_each_kind_of_key_is_taken(line: str) -> None:
    (signer,) = read_signers(allowed(f"vera@example.com {line} Vera's laptop")).allowed
    assert signer == AllowedSigner(1, "vera@example.com", base64.b64decode(line.split()[1]))
    assert problems(allowed(f"vera@example.com {RSA}"), required=True) == []


def test_a_line_has_names_options_and_a_key() -> None:
    lines = (
        "# those who sign",
        "",
        f'  *@example.com,!eve@example.com cert-authority,NAMESPACES="git,file" {ED25519} authority\r',
        f'"Vera Vogel" valid-after="20260101Z",valid-before="202612312359Z" {ECDSA}',
        f'v\tvalid-before="20260101235959z"\t{ED25519}'.replace("\t", " "),
    )
    first, second, third = read_signers(allowed(*lines)).allowed
    assert (first.line, first.principals, first.authority) == (3, "*@example.com,!eve@example.com", True)
    assert (first.namespaces, first.name) == ("git,file", "*@example.com")
    assert (second.principals, second.after) == ("Vera Vogel", datetime(2026, 1, 1, tzinfo=UTC))
    assert second.before == datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert third.before == datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)
    assert problems(allowed(*lines)) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("vera", "no name, or no key behind it"),
        (f'"" {ED25519}', "no name, or no key behind it"),
        (f", {ED25519}", "no name, or no key behind it"),
        (f"v {ED25519[:-20]}", "no ssh-ed25519 key: it is damaged or cut off"),
        ("v ssh-ed25519", "no ssh-ed25519 key: it is another kind, or damaged"),
        ("v ssh-ed25519 ä", "no ssh-ed25519 key: it is damaged or cut off"),
        (f"v ssh-ed25519 {ECDSA.split()[1]}", "no ssh-ed25519 key: it is another kind, or damaged"),
        (f"v {SMALL_RSA}", "an RSA key of 1,024 bits, too weak to count"),
        ("v ssh-dss AAAA", "neither an option nor a kind of key that commits are signed with: 'ssh-dss AAAA'"),
        (f'v namespaces="git" ssh-dss {ED25519}', "no kind of key that commits are signed with: 'ssh-dss'"),
        (f"v {ED25519.replace('ssh-ed25519', 'ssh-ed25519-cert-v01@openssh.com')}", "neither an option nor a kind of"),
        (f'v no-touch="x" {ED25519}', "neither an option nor a kind of key that commits are signed with: 'no-touch"),
        (f'v cert-authority="x" {ED25519}', "cert-authority takes no value"),
        (f"v namespaces {ED25519}", "namespaces takes a value in quotation marks"),
        (f'v namespaces="a",namespaces="b" {ED25519}', "namespaces is there twice"),
        (f'v namespaces="git {ED25519}', "neither an option"),
        (f'v valid-after="2026" {ED25519}', "'2026' is no time; write 20261231Z, or 202612312359Z"),
        (f'v valid-after="20261340Z" {ED25519}', "'20261340Z' is no time; write 20261231Z, or 202612312359Z"),
        ("v cert-authority", "neither an option"),
    ],
)
def test_a_malformed_line_is_an_error_and_lets_nobody_sign(line: str, told: str) -> None:
    files = allowed("# signers", line)
    assert read_signers(files).is_empty
    found = list(signer_problems(files, required=False))
    if line == "v cert-authority":
        assert found
        return
    (problem,) = found
    assert (problem.path, problem.line) == ("signers/allowed_signers", 2)
    assert problem.message.startswith(told)
    assert has_errors([problem])


def test_what_is_no_text_is_an_error() -> None:
    assert problems({"signers/allowed_signers": b"v\xff " + ED25519.encode()})[0].startswith(
        "signers/allowed_signers:1: not UTF-8; "
    )


def test_what_is_weak_or_hardly_meant_is_a_warning() -> None:
    lines = (
        f"a {MEDIUM_RSA}",
        f'b namespaces="file" {ED25519}',
        f'c valid-after="20260102Z",valid-before="20260101Z" {ED25519}',
        f'd valid-after="20260102" {ED25519}',
    )
    found = [told.removeprefix("signers/allowed_signers:") for told in problems(allowed(*lines))]
    assert found == [
        "1: warning: a weak key: RSA of 2,048 bits; replace it by: ssh-keygen -t ed25519",
        '2: warning: b may sign for file, and not commits; write namespaces="git"',
        "3: warning: it expires before it is valid, so that it never counts; exchange the times",
        "4: warning: 20260102 is UTC here, and local time for ssh-keygen; write 20260102Z",
    ]


def test_revoked_keys_are_listed_one_a_line() -> None:
    files = {"signers/revoked_keys": f"# lost\n{ED25519} Vera\nx\n".encode(), **allowed(f"v {ED25519}")}
    assert read_signers(files).revoked == {base64.b64decode(ED25519.split()[1])}
    assert read_signers(files).is_empty
    assert problems(files)[0].startswith("signers/revoked_keys:3: no kind of key that commits are signed with: 'x'; ")
    binary = {"signers/revoked_keys": b"SSHKRL\n\0\0\0\0\1"}
    assert problems(binary) == [
        "signers/revoked_keys: a binary list of revoked keys (KRL); write the public keys themselves, one a line"
    ]
    assert read_signers(binary).revoked == frozenset()


def test_openpgp_keys_are_files_of_their_own() -> None:
    assert read_signers({"signers/vera.asc": BLOCK}).certificates == (("signers/vera.asc", BLOCK),)
    assert problems({"signers/vera.asc": BLOCK}, required=True) == []
    assert problems({"signers/vera.asc": b"x"}) == [
        "signers/vera.asc: no OpenPGP public key; write it by: gpg --export --armor vera@example.com"
    ]
    many = {f"signers/{number}.asc": BLOCK for number in range(MOST_OPENPGP + 1)}
    assert problems(many)[0].startswith("signers/: more than 200 files with OpenPGP keys; ")
    assert len(read_signers(many).certificates) == MOST_OPENPGP


@pytest.mark.parametrize("name", ["signers/vera.asc", "signers/allowed_signers", "signers/id_ed25519", "signers/x/y"])
def test_a_secret_key_is_an_error(name: str) -> None:
    for secret in (SECRET, b"-----BEGIN OPENSSH PRIVATE KEY-----\n", b"-----BEGIN RSA PRIVATE KEY-----\n"):
        (told, *_) = problems({name: secret})
        assert told.startswith(f"{name}: a secret key, which everybody gets who may read the configuration; ")
    assert read_signers({"signers/vera.asc": SECRET + BLOCK}).is_empty


def test_other_files_are_not_read() -> None:
    (told,) = problems({"signers/README.md": b"x", "certificates/CAkey": b"x"})
    assert told.startswith("signers/README.md: warning: not read by gitupd; SSH keys are in signers/allowed_signers ")


def test_where_signatures_are_required_somebody_has_to_be_able_to_sign() -> None:
    required = {"policies/deploy.yaml": b"require_signatures: true\n"}
    (problem,) = build(required)[1]
    assert problem.message.startswith("require_signatures is on, and signers/ has no key")
    assert has_errors([problem])
    assert build({**required, **allowed(f"v {ED25519}")})[1] == ()


def test_they_are_read_and_concern_no_device() -> None:
    entries = [TreeEntry(b"signers/allowed_signers", EntryKind.FILE, 10)]
    assert admit(entries) == ["signers/allowed_signers"]
    assert not concerns_devices("signers/allowed_signers")
    with pytest.raises(InvalidConfiguration, match="bytes, more than"):
        admit([TreeEntry(b"signers/a.asc", EntryKind.FILE, LARGEST_SIGNERS + 1)])


@given(st.lists(st.sampled_from(("v", " ", '"', ",", "=", "\n", "cert-authority", "valid-after", ED25519, "ä", "\0"))))
def test_whatever_stands_there_is_taken_or_told(parts: list[str]) -> None:
    files = {name: "".join(parts).encode() for name in ("signers/allowed_signers", "signers/revoked_keys")}
    found = list(signer_problems(files, required=False))
    lines = [line for line in "".join(parts).split("\n") if line.strip(" \t\r")]
    read = read_signers(files)
    malformed = [each for each in found if each.path == "signers/allowed_signers" and has_errors([each])]
    assert len(read.allowed) + len(malformed) == len([line for line in lines if not line.strip().startswith("#")])
