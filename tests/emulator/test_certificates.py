import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import NOW, VALID, YEAR, Authority, Validity, rsa_key

from gitupd.emulator.exchange import Request, Talk, answered
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.phone import Phone
from gitupd.emulator.signing import RequestKeys, read_key
from gitupd.emulator.xmlinfo import answer

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")

ORDER = (
    "mod cmd X509 servercert-create /cmd servercert-create /target device /type Signing%20request /key 1024-bit "
    "/signature SH256 /dn-cn 009033460af2 /dn-ou IP222-46-0a-f2 /dn-o My%20Org%20%26%20Co /dn-st  /dn-c  "
    "/san-dns phone.example.com /san-dns  /san-ip 10.0.0.7 /san-ip nonsense"
)


class Polls:
    """Lets a phone poll, and gives it one script after the other."""

    def __init__(self, phone: Phone, pass_time: Callable[[float], None]) -> None:
        self.phone = phone
        self.pass_time = pass_time
        self.life: Talk[None] = phone.life()
        self.life.send(None)

    def brings(self, script: str) -> str:
        """Give the phone's state of certificates after a script and some time."""
        assert isinstance(self.life.send(None), Request)
        self.life.send(answered(script))
        self.pass_time(900)
        return answer(self.phone.device, "mod cmd X509 xml-info")

    def takes(self, authority: Authority, valid: Validity = VALID) -> str:
        """Give the state after a certificate for the phone's request, by *authority*, was delivered."""
        leaf = authority.answer(bytes.fromhex(self.variable("X509/REQUEST")), valid)
        parts = [leaf, authority.issued.certificate]
        lines = [
            f"vars create X509/REQUESTRESPONSE/{number:05} pb {part.public_bytes(Encoding.DER).hex()}"
            for number, part in enumerate(parts)
        ]
        return self.brings("\n".join([*lines, "config activate"]))

    def variable(self, path: str) -> str:
        return self.phone.device.variables[path].value


@pytest.fixture
def requested(make_phone: Callable[..., Phone], pass_time: Callable[[float], None]) -> Callable[..., Polls]:
    """Make a phone that has made a request; keywords are those of `make_phone`."""

    def make(*misbehaviours: Misbehaviour, **chosen: object) -> Polls:
        polls = Polls(make_phone(misbehaviours=frozenset(misbehaviours), **chosen), pass_time)
        polls.brings(ORDER)
        polls.brings("vars del NOTHING")
        return polls

    return make


@pytest.fixture
def polls(make_phone: Callable[..., Phone], pass_time: Callable[[float], None]) -> Polls:
    return Polls(make_phone(), pass_time)


def openssl(*arguments: object) -> str:
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


def signed(request: Path, folder: Path) -> str:
    """Sign a request with a new authority; gives the certificate as hex."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test CA", "-days", "30",
            "-keyout", folder / "ca.key", "-out", folder / "ca.pem")  # fmt: skip
    openssl("x509", "-req", "-inform", "DER", "-in", request, "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
            "-days", "30", "-set_serial", "7", "-outform", "DER", "-out", folder / "leaf.der")  # fmt: skip
    return (folder / "leaf.der").read_bytes().hex()


@needs_openssl
def test_a_certificate_is_requested_signed_and_installed(polls: Polls, tmp_path: Path) -> None:
    assert "<busy/>" in polls.brings(f"{ORDER}\nvars del NOTHING")
    status = polls.brings("# time passes, and the next line finds the request ready\nvars del NOTHING")
    assert "<busy/>" not in status
    assert "<requests><request" in status
    request = tmp_path / "request.der"
    request.write_bytes(bytes.fromhex(polls.variable("X509/REQUEST")))
    text = openssl("req", "-inform", "DER", "-in", request, "-verify", "-noout", "-text")
    assert "CN = 009033460af2, OU = IP222-46-0a-f2, O = My Org & Co\n" in text
    assert "DNS:phone.example.com, IP Address:10.0.0.7\n" in text
    assert "Digital Signature, Key Encipherment" in text
    leaf = signed(request, tmp_path)
    status = polls.brings(f"vars create X509/REQUESTRESPONSE/00000 pb {leaf}")
    assert "Test CA" not in status, "it takes effect when activated"
    status = polls.brings("config activate")
    assert '<certificate subject_cn="009033460af2" issuer_cn="Test CA" not_before="' in status
    assert "<request" not in status
    assert not [path for path in polls.phone.device.variables if path.startswith("X509/")]


@needs_openssl
def test_a_certificate_for_another_key_is_refused(polls: Polls, tmp_path: Path) -> None:
    key, request = tmp_path / "other.key", tmp_path / "other.der"
    openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key, "-outform", "DER", "-out", request
    )
    polls.brings(ORDER)
    polls.brings("vars del NOTHING")
    status = polls.brings(f"vars create X509/REQUESTRESPONSE/00000 pb {signed(request, tmp_path)}\nconfig activate")
    assert '<request-error text="the%20certificate%20does%20not%20match%20the%20key"/>' in status
    assert "innovaphone Device Certification Authority" in status
    assert "<requests>" in status
    status = polls.brings("vars del X509/REQUESTERROR\nvars del X509/REQUEST\nvars del X509/REQUESTKEY")
    assert "<request" not in status


def test_garbage_is_refused(polls: Polls) -> None:
    assert "<request-error" in polls.brings("vars create X509/REQUESTRESPONSE/00000 pb zz\nconfig activate")


ERROR = '<request-error text="{}"/>'


def test_keys_are_shared_or_not(requested: Callable[..., Polls]) -> None:
    for kind, is_shared in ((RequestKeys.SHARED_RSA, True), (RequestKeys.OWN_RSA, False), (RequestKeys.ECDSA, False)):
        polls = requested(request_keys=kind)
        first = polls.variable("X509/REQUESTKEY")
        polls.brings(ORDER)
        polls.brings("vars del NOTHING")
        assert (polls.variable("X509/REQUESTKEY") == first) is is_shared
        status = polls.takes(Authority.root("Test CA"))
        assert 'issuer_cn="Test CA"' in status, kind
        credential = polls.phone.device.credential
        assert credential is not None
        assert credential.chain[0].public_key() == credential.secret.public_key()
        assert isinstance(credential.secret, EllipticCurvePrivateKey) is (kind is RequestKeys.ECDSA)


def test_an_old_device_takes_no_elliptic_curves(requested: Callable[..., Polls]) -> None:
    polls = requested(Misbehaviour.NO_ECDSA)
    assert ERROR.format("a%20key%20of%20another%20kind") in polls.takes(Authority.root("Test CA"))
    polls = requested(Misbehaviour.NO_ECDSA)
    assert 'issuer_cn="Test CA"' in polls.takes(Authority.root("Test CA", key=rsa_key()))


def test_a_device_may_compare_dates_with_its_own_clock(requested: Callable[..., Polls]) -> None:
    ours = Authority.root("Test CA")
    started = NOW.timestamp()
    assert 'issuer_cn="Test CA"' in requested(Misbehaviour.CHECKS_DATES, started_at=started).takes(ours)
    for clock in (Misbehaviour.WRONG_CLOCK, Misbehaviour.FAST_CLOCK, Misbehaviour.NO_CLOCK):
        polls = requested(Misbehaviour.CHECKS_DATES, clock, started_at=started)
        status = polls.takes(ours, Validity(NOW - YEAR, NOW + YEAR))
        assert ERROR.format("the%20certificate%20is%20not%20valid%20now") in status, clock
        assert 'issuer_cn="Test CA"' in requested(clock, started_at=started).takes(ours)


def test_a_key_may_get_lost(requested: Callable[..., Polls]) -> None:
    assert ERROR.format("there%20is%20no%20request") in requested(Misbehaviour.LOST_KEY).takes(Authority.root())


def test_what_is_not_understood_is_not_installed(requested: Callable[..., Polls]) -> None:
    for polls in (requested(Misbehaviour.IGNORED_CERTIFICATES), requested(release="12r1 sr7")):
        status = polls.takes(Authority.root("Test CA"))
        assert "Test CA" not in status
        assert "request-error" not in status
        assert "<requests>" in status
    for release in ("12r1 sr8", "12r2", "13r1 dvl"):
        assert "Test CA" in requested(release=release).takes(Authority.root("Test CA"))


@pytest.mark.parametrize(
    ("clock", "year"), [(None, 2001), (Misbehaviour.WRONG_CLOCK, 2000), (Misbehaviour.FAST_CLOCK, 2011)]
)
def test_what_a_device_signs_itself_is_dated_by_its_own_clock(
    make_phone: Callable[..., Phone], clock: Misbehaviour | None, year: int
) -> None:
    misbehaviours = {Misbehaviour.SELF_MADE_CERTIFICATE} | ({clock} if clock else set())
    (own,) = make_phone(misbehaviours=frozenset(misbehaviours)).device.chain
    ages = int(own.not_before[:4]), int(own.not_after[:4])
    assert ages in ((year, year + 10), (year - 1, year + 9))


@pytest.mark.parametrize("blob", [b"", b"no key", bytes(50)])
def test_what_is_no_key_is_said_to_be_none(blob: bytes) -> None:
    with pytest.raises(ValueError, match="key"):
        read_key(blob)
