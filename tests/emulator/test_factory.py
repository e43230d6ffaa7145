import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID
from support.authorities import DAY, NOW, Authority, self_signed

from gitupd.emulator.factory import Credential, Factory, read_authority, read_credential
from gitupd.emulator.misbehaviour import Misbehaviour

MAC = bytes.fromhex("009033460af2")
NAME = "IP222-46-0a-f2"


def made(factory: Factory, *misbehaviours: Misbehaviour) -> Credential:
    credential = factory.credential(NAME, frozenset(misbehaviours))
    assert credential is not None
    return credential


def common_name(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def is_signed(credential: Credential) -> bool:
    """Tell whether the second certificate of a chain has signed the first."""
    try:
        credential.chain[0].verify_directly_issued_by(credential.chain[1])
    except (ValueError, TypeError, IndexError):
        return False
    return credential.chain[0].public_key() == credential.secret.public_key()


def test_a_made_up_authority_signs_what_is_valid_now() -> None:
    credential = made(Factory())
    leaf, authority = credential.chain
    assert common_name(leaf.subject) == NAME
    assert common_name(authority.subject) == "innovaphone Device Certification Authority"
    assert is_signed(credential)
    assert leaf.not_valid_before_utc < NOW < leaf.not_valid_after_utc


def test_devices_have_keys_of_their_own_unless_these_are_rsa() -> None:
    factory, slow = Factory(), Factory(rsa=True)
    assert made(factory).secret.public_key() != made(factory).secret.public_key()
    assert isinstance(made(slow).secret.public_key(), RSAPublicKey)
    assert made(slow).secret.public_key() == made(slow).secret.public_key()


@pytest.mark.parametrize(
    ("kind", "misbehaviour", "name"),
    [
        ("IP222", None, "IP222-46-0a-f2"),
        ("IP222", Misbehaviour.OLD_CERTIFICATE_NAME, "IP222s-46-0a-f2"),
        ("IP232", Misbehaviour.OLD_CERTIFICATE_NAME, "IP232s-46-0a-f2"),
        ("IP240", Misbehaviour.OLD_CERTIFICATE_NAME, "IP240a-46-0a-f2"),
        ("IP200", Misbehaviour.OLD_CERTIFICATE_NAME, "IP200a-46-0a-f2"),
        ("IP222", Misbehaviour.BORROWED_CERTIFICATE, "IP222-46-0a-f3"),
    ],
)
def test_common_names(kind: str, misbehaviour: Misbehaviour | None, name: str) -> None:
    misbehaviours = frozenset({misbehaviour} if misbehaviour else ())
    assert Factory().common_name(kind, MAC, misbehaviours) == name


def test_the_common_name_may_be_the_serial_number() -> None:
    assert Factory(serial_names=True).common_name("IP222", MAC, frozenset()) == "009033460af2"
    assert Factory().common_name("IP222", b"\xff" * 6, frozenset({Misbehaviour.BORROWED_CERTIFICATE})) == (
        "IP222-00-00-00"
    )


def test_certificates_may_end_soon() -> None:
    leaf, _ = made(Factory(until=NOW + DAY)).chain
    assert leaf.not_valid_after_utc == NOW + DAY


def test_certificates_that_nobody_should_trust() -> None:
    factory = Factory()
    ours = made(factory).chain[1]
    expired = made(factory, Misbehaviour.EXPIRED_CERTIFICATE)
    assert expired.chain[0].not_valid_after_utc < NOW
    assert expired.chain[1] == ours
    foreign = made(factory, Misbehaviour.FOREIGN_CERTIFICATE)
    assert is_signed(foreign)
    assert foreign.chain[1].subject == ours.subject
    assert foreign.chain[1] != ours
    (alone,) = made(factory, Misbehaviour.SELF_MADE_CERTIFICATE).chain
    assert alone.subject == alone.issuer
    assert factory.credential(NAME, frozenset({Misbehaviour.NO_CERTIFICATE})) is None


def test_an_authority_comes_from_files_with_those_above_it(tmp_path: Path) -> None:
    authority = Authority.root().issuing()
    files = authority.issued.files(tmp_path, "factory")
    files.certificate.write_bytes(authority.pem + authority.above.pem)  # type: ignore[union-attr]  # it has one
    credential = made(Factory(read_authority(files.certificate, files.key)))
    assert len(credential.chain) == 3
    assert is_signed(credential)


def test_an_authority_that_is_not_there_is_made_up_and_written(tmp_path: Path) -> None:
    certificate, key = tmp_path / "factory.pem", tmp_path / "factory.key"
    authority = read_authority(certificate, key)
    assert read_authority(certificate, key).chain == authority.chain
    assert b"PRIVATE" not in certificate.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_what_is_no_authority_is_named(tmp_path: Path) -> None:
    files = Authority.root().issued.files(tmp_path, "one")
    other = Authority.root().issued.files(tmp_path, "other")
    (tmp_path / "empty.pem").touch()
    with pytest.raises(ValueError, match=r"other\.key is not the key of .*one\.pem"):
        read_authority(files.certificate, other.key)
    with pytest.raises(ValueError, match=r"can't be read"):
        read_authority(tmp_path / "empty.pem", files.key)
    with pytest.raises(ValueError, match=r"can't be read"):
        read_authority(files.certificate, tmp_path / "none.key")
    with pytest.raises(ValueError, match=r"can be written into"):
        read_authority(tmp_path / "none" / "a.pem", tmp_path / "none" / "a.key")


def test_certificates_of_devices_come_from_a_folder(tmp_path: Path) -> None:
    shown = self_signed(NAME)
    files = shown.files(tmp_path)
    factory = Factory(folder=tmp_path)
    assert made(factory).chain == (shown.certificate,)
    assert factory.credential("IP222-00-00-01", frozenset()) is None
    files.key.unlink()
    with pytest.raises(ValueError, match=r"can't be read"):
        read_credential(files.certificate, files.key)
