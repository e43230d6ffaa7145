import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitupd.emulator.exchange import Request, Talk, answered
from gitupd.emulator.phone import Phone
from gitupd.emulator.xmlinfo import answer

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")

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

    def variable(self, path: str) -> str:
        return self.phone.device.variables[path].value


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
