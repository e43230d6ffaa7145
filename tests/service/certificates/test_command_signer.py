"""Commands that sign: real programs, what they may say, and what becomes of those that do not keep to it."""

from __future__ import annotations

import os
import threading
import time
import tomllib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from support.authorities import NOW, Authority, new_key, signing_request
from support.waiting import until

from gitupd.core.caller import Serial
from gitupd.service.certificates.command_signer import CommandSigner
from gitupd.service.certificates.signers import SigningDelayed, SigningOrder, SigningRefused

GUIDE = Path(__file__).parents[3] / "docs/how-to/have-an-external-authority-sign.md"
SERIAL = Serial("0090333000af")
AUTHORITY = Authority.root("Our Root").issuing("Our CA")
KEY = new_key()
OWN = AUTHORITY.device(SERIAL.digits, key=KEY)
ORDER = SigningOrder(SERIAL, signing_request(SERIAL.digits, KEY), NOW)


def signer(folder: Path, script: str, *arguments: str, seconds: float = 60) -> CommandSigner:
    """Have a script sign; `$1` … are the arguments."""
    path = folder / "sign.sh"
    path.write_text(script)
    return CommandSigner(("sh", str(path), *arguments), seconds, folder, threading.Event())


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A file with the certificate that the orders of these tests are about, and that of its issuer."""
    file = tmp_path / "signed.pem"
    file.write_bytes(AUTHORITY.pem + OWN.pem)
    return file


def test_openssl_signs_as_the_guide_has_it(tmp_path: Path) -> None:
    root = Authority.root("Our CA")
    files = root.issued.files(tmp_path, "ca")
    example = GUIDE.read_text("utf-8").partition("```toml\n")[2].partition("```")[0]
    assert "openssl" in example
    words = {"/etc/phones-ca/ca.pem": str(files.certificate), "/etc/phones-ca/ca.key": str(files.key)}
    command = [words.get(word, word) for word in tomllib.loads(example)["signing"]["command"]]
    own, *others = CommandSigner(command, 60, tmp_path, threading.Event()).sign(ORDER)
    made = x509.load_der_x509_certificate(own)
    assert made.public_key() == KEY.public_key()
    made.verify_directly_issued_by(root.issued.certificate)
    assert others == []


@pytest.mark.parametrize("form", [Encoding.PEM, Encoding.DER])
def test_a_chain_in_any_form_comes_back_with_the_own_certificate_first(tmp_path: Path, form: Encoding) -> None:
    both = [AUTHORITY.issued.certificate, OWN.certificate]
    (tmp_path / "signed.p7b").write_bytes(pkcs7.serialize_certificates(both, form))
    assert signer(tmp_path, 'cat "$1"', str(tmp_path / "signed.p7b")).sign(ORDER) == (OWN.der, AUTHORITY.der)


def test_a_request_is_read_from_standard_input_from_a_file_and_by_words(tmp_path: Path, signed: Path) -> None:
    script = """
cat > "$PWD/stdin"; cat "$GITUPD_REQUEST_FILE" > "$PWD/file"; cat "$2" > "$PWD/word"; echo "$3 $4" > "$PWD/words"
env > "$PWD/environment"; cp "$1" "$5"
"""
    words = (str(signed), "{request}", "{serial}", "x{digest}", "{certificate}")
    assert signer(tmp_path, script, *words).sign(ORDER) == (OWN.der, AUTHORITY.der)
    for name in ("stdin", "file", "word"):
        request = x509.load_pem_x509_csr((tmp_path / name).read_bytes())
        assert request.public_bytes(Encoding.DER) == ORDER.request
    assert (tmp_path / "words").read_text().startswith("00-90-33-30-00-af x")
    names = {line.partition("=")[0] for line in (tmp_path / "environment").read_text().splitlines()}
    assert names - {"PWD", "_", "SHLVL", "OLDPWD"} == {
        *("PATH", "HOME", "LANG"),
        *("GITUPD_SERIAL", "GITUPD_REQUEST_FILE", "GITUPD_CERTIFICATE_FILE", "GITUPD_REQUEST_DIGEST"),
    }


@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        ("echo 'no such\n  profile' >&2; exit 1", SigningRefused, "refuses, with exit code 1: no such profile"),
        ("exit 3", SigningRefused, "refuses, with exit code 3$"),
        ("echo wait >&2; exit 75", SigningDelayed, "puts it off: wait"),
        ("kill -TERM $$", SigningDelayed, "was ended by signal 15"),
        ("sleep 60", SigningDelayed, "takes longer than 0.3 seconds"),
        ("cat /dev/zero", SigningDelayed, "prints more than any certificate has|takes longer"),
        ("cat /dev/zero >&2", SigningDelayed, "prints more than any certificate has|takes longer"),
        ("exit 0", SigningRefused, "says that it has signed, but: that is no certificate"),
        ("echo hello", SigningRefused, "says that it has signed, but: that is no certificate"),
        ('cat "$1"', SigningRefused, "but: the certificate .* is not for the key"),
    ],
)  # fmt: skip
def test_what_is_not_signed_says_why_and_whether_to_come_again(
    tmp_path: Path, script: str, kind: type[Exception], reason: str
) -> None:
    (tmp_path / "other.pem").write_bytes(AUTHORITY.device(SERIAL.digits).pem)
    seconds = 0.3 if "sleep" in script or "zero" in script else 60
    with pytest.raises(kind, match=reason):
        signer(tmp_path, script, str(tmp_path / "other.pem"), seconds=seconds).sign(ORDER)


def test_a_command_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    with pytest.raises(SigningDelayed, match="can't be started: No such file"):
        CommandSigner((str(tmp_path / "absent"),), 60, tmp_path, threading.Event()).sign(ORDER)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("end", ["exec cat", "wait", 'cat "$1"'])
def test_all_that_a_command_has_started_ends_with_it(tmp_path: Path, signed: Path, end: str) -> None:
    """Whether it takes too long, or has left something behind in the background."""
    script = f'sleep 300 >/dev/null 2>&1 </dev/null & echo $! > "$2"; {end}'
    child = tmp_path / "child"
    made = signer(tmp_path, script.replace("exec cat", "sleep 300"), str(signed), str(child), seconds=1)
    if end == 'cat "$1"':
        made.sign(ORDER)
    else:
        with pytest.raises(SigningDelayed, match="longer"):
            made.sign(ORDER)
    until(lambda: not is_running(int(child.read_text())), "what it has started is left behind")


def test_a_server_that_stops_waits_for_no_command(tmp_path: Path) -> None:
    stopping = threading.Event()
    began = time.monotonic()
    threading.Timer(0.2, stopping.set).start()
    with pytest.raises(SigningDelayed, match="the server is stopped"):
        CommandSigner(("sleep", "300"), 300, tmp_path, stopping).sign(ORDER)
    assert time.monotonic() - began < 60


def test_nothing_of_a_request_is_read_by_a_shell_and_nothing_is_left_in_a_folder(tmp_path: Path) -> None:
    script = 'printf %s "$2" > "$PWD/said"; printf %s "$(dirname "$GITUPD_REQUEST_FILE")" > "$PWD/folder"; exit 1'
    with pytest.raises(SigningRefused):
        signer(tmp_path, script, "", "$(touch hacked); {serial}").sign(ORDER)
    assert (tmp_path / "said").read_text() == "$(touch hacked); 00-90-33-30-00-af"
    assert not (tmp_path / "hacked").exists()
    assert not Path((tmp_path / "folder").read_text()).exists()
