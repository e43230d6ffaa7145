"""Signatures of SSH, of kinds that nobody has a program for at hand, and such as nobody should take."""

from __future__ import annotations

import base64
import hashlib
import struct
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificateBuilder,
    SSHCertificateType,
)
from hypothesis import given
from hypothesis import strategies as st

from gitupd.config.signers import read_signers
from gitupd.core.deployments.signature import Discounted, Flaw, SignatureVerdict, SignedBy
from gitupd.store.signatures.commits import CommitJudge, split
from gitupd.store.signatures.ssh import BEGIN, END, MAGIC, VERSION, SshSignature, TooWeak, Unsound, covered, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AT = datetime(2026, 5, 6, tzinfo=UTC)
COMMIT = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n"
APPLICATION = b"ssh:"


def armoured(key: bytes, value: bytes, digest: bytes = b"sha512", namespace: bytes = b"git") -> bytes:
    blob = MAGIC + VERSION + b"".join(map(text, (key, namespace, b"", digest, value)))
    return f"{BEGIN}\n{base64.b64encode(blob).decode()}\n{END}\n".encode()


def mpint(number: int) -> bytes:
    return text(number.to_bytes(number.bit_length() // 8 + 1))


def by_token(sign: Callable[[bytes], bytes], kind: bytes, key: bytes, flags: int = 1) -> bytes:
    """Return what a token makes of *sign*, with its counter at seven."""
    rest = struct.pack(">BI", flags, 7)
    message = covered(COMMIT, b"git", b"sha512")
    signed = sign(hashlib.sha256(APPLICATION).digest() + rest + hashlib.sha256(message).digest())
    return armoured(key, text(kind) + text(signed) + rest)


def sk_ed25519() -> tuple[bytes, bytes]:
    secret = ed25519.Ed25519PrivateKey.generate()
    kind, point = b"sk-ssh-ed25519@openssh.com", secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = text(kind) + text(point) + text(APPLICATION)
    return key, by_token(secret.sign, kind, key)


def sk_ecdsa() -> tuple[bytes, bytes]:
    secret = ec.generate_private_key(ec.SECP256R1())
    point = secret.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    kind = b"sk-ecdsa-sha2-nistp256@openssh.com"
    key = text(kind) + text(b"nistp256") + text(point) + text(APPLICATION)

    def sign(data: bytes) -> bytes:
        return b"".join(map(mpint, decode_dss_signature(secret.sign(data, ec.ECDSA(hashes.SHA256())))))

    return key, by_token(sign, kind, key)


def rsa_key(bits: int, name: bytes, digest: hashes.HashAlgorithm) -> tuple[bytes, bytes]:
    secret = rsa.generate_private_key(65537, bits)
    numbers = secret.public_key().public_numbers()
    key = text(b"ssh-rsa") + mpint(numbers.e) + mpint(numbers.n)
    value = secret.sign(covered(COMMIT, b"git", b"sha512"), padding.PKCS1v15(), digest)
    return key, armoured(key, text(name) + text(value))


def judged(key: bytes, signature: bytes) -> SignatureVerdict:
    kind = key[4 : 4 + struct.unpack_from(">I", key)[0]].decode()
    line = f"vera {kind} {base64.b64encode(key).decode()}\n"
    head, _, message = COMMIT.partition(b"\n\n")
    header = b"\ngpgsig " + signature.rstrip(b"\n").replace(b"\n", b"\n ") + b"\n\n"
    commit = head + header + message
    assert split(commit).signed == COMMIT
    return CommitJudge(read_signers({"signers/allowed_signers": line.encode()})).judge(commit, AT, AT)


@pytest.mark.parametrize("make", [sk_ed25519, sk_ecdsa])
def test_a_token_signs_as_openssh_takes_it(make: Callable[[], tuple[bytes, bytes]], tmp_path: Path) -> None:
    key, signature = make()
    assert isinstance(judged(key, signature), SignedBy)
    kind = key[4 : 4 + struct.unpack_from(">I", key)[0]].decode()
    (tmp_path / "signers").write_text(f"vera {kind} {base64.b64encode(key).decode()}\n")
    (tmp_path / "sig").write_bytes(signature)
    asked = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "vera", "-n", "git", "-s", "sig"]
    assert subprocess.run(asked, cwd=tmp_path, input=COMMIT, check=False, capture_output=True).returncode == 0
    other = make()[0]
    found = judged(other, armoured(other, SshSignature.parse(signature).value))
    assert isinstance(found, Discounted)
    assert found.flaw is Flaw.OTHER_CONTENT


def test_what_is_too_weak_does_not_count() -> None:
    assert isinstance(judged(*rsa_key(2048, b"rsa-sha2-256", hashes.SHA256())), SignedBy)
    key, signature = rsa_key(2048, b"ssh-rsa", hashes.SHA1())  # noqa: S303 - that is the point
    verdict = judged(key, signature)
    assert isinstance(verdict, Discounted)
    assert verdict.flaw is Flaw.WEAK
    small, signature = rsa_key(1024, b"rsa-sha2-512", hashes.SHA512())
    with pytest.raises(TooWeak, match="1024 bits"):
        SshSignature.parse(signature).check(COMMIT)
    assert judged(small, signature) == Discounted(Flaw.UNKNOWN_KEY, "", judged(small, signature).key)  # type: ignore[union-attr]
    with pytest.raises(TooWeak, match="its hash is md5"):
        SshSignature.parse(armoured(key, b"", digest=b"md5")).check(COMMIT)


def plain(secret: ed25519.Ed25519PrivateKey) -> bytes:
    return text(b"ssh-ed25519") + text(secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def test_a_certificate_counts_only_if_its_authority_has_signed_it() -> None:
    authority, rogue, own = (ed25519.Ed25519PrivateKey.generate() for _ in range(3))
    builder = SSHCertificateBuilder().public_key(own.public_key()).serial(1).type(SSHCertificateType.USER)
    builder = builder.key_id(b"x").valid_principals([b"ada"]).valid_after(0).valid_before(2**64 - 1)
    value = text(b"ssh-ed25519") + text(own.sign(covered(COMMIT, b"git", b"sha512")))
    line = f"ada cert-authority ssh-ed25519 {base64.b64encode(plain(authority)).decode()}\n"
    judge = CommitJudge(read_signers({"signers/allowed_signers": line.encode()}))

    def judged_with(certificate: bytes) -> SignatureVerdict:
        header = b"\ngpgsig " + armoured(certificate, value).rstrip(b"\n").replace(b"\n", b"\n ") + b"\n\n"
        return judge.judge(COMMIT.replace(b"\n\n", header, 1), AT, AT)

    good, bad = (base64.b64decode(builder.sign(by).public_bytes().split()[1]) for by in (authority, rogue))
    assert isinstance(judged_with(good), SignedBy)
    forged = bad.replace(plain(rogue), plain(authority))
    for certificate, flaw in ((bad, Flaw.UNKNOWN_KEY), (forged, Flaw.OTHER_CONTENT), (good[:-9], Flaw.DAMAGED)):
        verdict = judged_with(certificate)
        assert isinstance(verdict, Discounted)
        assert verdict.flaw is flaw
    changed = judged_with(good.replace(text(b"x"), text(b"y"), 1))
    assert isinstance(changed, Discounted)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        text(b"ssh-ed25519"),
        text(b"ssh-ed25519") + text(b"x" * 63),
        text(b"ssh-ed25519") + text(b"x" * 64) + b"more",
        text(b"rsa-sha2-512") + text(b"x" * 64),
        text(b"ssh-ed25519") + b"\xff\xff\xff\xff",
    ],
)
def test_a_signature_with_another_value_is_unsound(value: bytes) -> None:
    key = text(b"ssh-ed25519") + text(b"k" * 32)
    with pytest.raises(Unsound):
        SshSignature.parse(armoured(key, value)).check(COMMIT)


_KEY, _SIGNATURE = sk_ed25519()


@given(st.data())
def test_whatever_is_changed_in_a_signature_it_is_told_and_never_taken(data: st.DataObject) -> None:
    blob = bytearray(base64.b64decode(b"".join(_SIGNATURE.split(b"\n")[1:-2])))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(blob) - 1))
        match data.draw(st.sampled_from(("flip", "cut", "more"))):
            case "flip":
                blob[at] ^= data.draw(st.integers(1, 255))
            case "cut":
                del blob[at : at + data.draw(st.integers(1, 40))]
            case _:
                blob[at:at] = data.draw(st.binary(min_size=1, max_size=8))
        if not blob:
            break
    changed = f"{BEGIN}\n{base64.b64encode(bytes(blob)).decode()}\n{END}\n".encode()
    original = base64.b64decode(b"".join(_SIGNATURE.split(b"\n")[1:-2]))
    verdict = judged(_KEY, changed)
    assert isinstance(verdict, Discounted) or bytes(blob) == original


@given(st.binary(max_size=300))
def test_whatever_is_no_signature_is_told(content: bytes) -> None:
    for signature in (content, f"{BEGIN}\n".encode() + content, armoured(content, content)):
        assert isinstance(judged(_KEY, signature.replace(b"\n\n", b"\n") or b"x"), Discounted)
