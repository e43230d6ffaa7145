from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.authorities import (
    EXPIRED,
    VALID,
    Authority,
    Issued,
    _authority,
    _builder,
    _named,
    new_key,
    out_of_order,
    rsa_key,
    untrustworthy,
    usage,
)

from gitupd.core.caller import claim_in
from gitupd.core.identity import identify
from gitupd.core.policy import Certificates
from gitupd.store.certificates.trust import TrustStore, contents, read_trust

DEVICE = "IP232-30-00-af"
CLAIM = claim_in({"sn": "00-90-33-30-00-af", "hwid": DEVICE})
NOW = datetime.now(UTC)


def store(folder: Path, *files: bytes) -> TrustStore:
    folder.mkdir(exist_ok=True)
    for number, content in enumerate(files):
        kind = "crl" if b"X509 CRL" in content else "pem"
        (folder / f"{number}.{kind}").write_bytes(content)
    return read_trust(folder)


def reason(trust: TrustStore, shown: Issued, now: datetime = NOW) -> str:
    """Return why what is shown is not trusted, an empty text if it is."""
    identity = identify(trust.shown(shown.presented), CLAIM, Certificates(), now)
    return "" if identity.is_trusted else identity.reason


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority.root()


@pytest.fixture(scope="module")
def good(issuing: Authority) -> Issued:
    return issuing.device(DEVICE)


@pytest.fixture(scope="module")
def issuing(root: Authority) -> Authority:
    return root.issuing()


def test_a_device_of_a_trusted_authority_is_trusted(tmp_path: Path, root: Authority, issuing: Authority) -> None:
    good = issuing.device(DEVICE)
    for files in ((root.pem,), (issuing.pem,), (root.pem, issuing.pem), (root.pem + issuing.pem,)):
        trust = store(tmp_path / str(len(files)), *files)
        assert reason(trust, good) == ""
    assert reason(store(tmp_path / "both", root.pem, issuing.pem), good.alone()) == ""


def test_chains_may_be_out_of_order_and_have_more_in_them(tmp_path: Path, root: Authority, issuing: Authority) -> None:
    trust = store(tmp_path / "trust", root.pem)
    deep = issuing.issuing("Plant").issuing("Line").device(DEVICE)
    assert reason(trust, out_of_order(deep)) == ""
    assert reason(trust, replace(deep, chain=(*deep.chain, root.issued.certificate))) == ""


@pytest.mark.parametrize("key", [rsa_key(1), rsa_key(2, 1024)], ids=["2048", "1024"])
def test_keys_may_be_rsa(tmp_path: Path, key: object) -> None:
    root = Authority.root(key=rsa_key(0))
    assert reason(store(tmp_path / "trust", root.pem), root.device(DEVICE, key=key)) == ""


def test_nothing_else_is(tmp_path: Path) -> None:
    root = Authority.root()
    issuing = root.issuing()
    wrong = untrustworthy(issuing, DEVICE)
    trust = store(tmp_path / "trust", root.pem, issuing.pem, issuing.crl())
    trusted = {fault for fault, shown in wrong.items() if not reason(trust, shown)}
    assert trusted == {"chain missing"}  # its issuer is an authority of the site here
    alone = store(tmp_path / "alone", root.pem)
    assert reason(alone, wrong["chain missing"]).endswith(
        "it leads to no authority of this site, but to innovaphone Device Certification Authority"
    )


def test_reasons_name_the_fault(tmp_path: Path, root: Authority, issuing: Authority) -> None:
    wrong = untrustworthy(issuing, DEVICE)
    trust = store(tmp_path / "trust", root.pem, issuing.pem, issuing.crl())
    why = {fault: reason(trust, shown) for fault, shown in wrong.items()}
    assert why["revoked"].endswith("it was revoked")
    assert why["self-signed"].endswith(f"but to {DEVICE}")
    assert why["foreign certificate, our chain"].endswith("but not its signature")
    assert why["signed by a device"].endswith("which may not sign others")
    assert why["server only"].endswith("it is not for clients, by its key usage")
    assert "has expired on" in why["expired"]
    assert "is of an authority that has expired" in why["expired authority"]


def test_a_foreign_authority_of_the_same_name_does_no_harm(tmp_path: Path, root: Authority, issuing: Authority) -> None:
    foreign = Authority.root(root.common_name).issuing(issuing.common_name)
    good = issuing.device(DEVICE)
    mixed = replace(good, chain=(foreign.issued.certificate, *foreign.issued.chain, *good.chain))
    assert reason(store(tmp_path / "trust", root.pem), mixed) == ""


def test_one_way_that_holds_is_enough(tmp_path: Path) -> None:
    """The same key certified by two roots, of which one has expired or is unknown."""
    key = new_key()
    old, new, unknown = Authority.root("Old", valid=EXPIRED), Authority.root("New"), Authority.root("Unknown")
    ways = [above.issuing("Crossed", key=key) for above in (old, new, unknown)]
    certificates = tuple(way.issued.certificate for way in ways)
    shown = replace(ways[0].device(DEVICE), chain=certificates)
    assert reason(store(tmp_path / "trust", old.pem, new.pem), shown) == ""
    assert "has expired" in reason(store(tmp_path / "old", old.pem), shown)


def test_an_authority_bounds_those_below_it(tmp_path: Path, root: Authority) -> None:
    trust = store(tmp_path / "trust", root.pem)
    bounded = root.issuing("Bounded", length=0)
    assert reason(trust, bounded.device(DEVICE)) == ""
    assert reason(trust, bounded.issuing("Below").device(DEVICE)).endswith("which allows no such authority below it")
    one = root.issuing("One", length=1)
    assert reason(trust, one.issuing("Below").device(DEVICE)) == ""
    assert reason(trust, one.issuing("Below").issuing("Deeper").device(DEVICE)) != ""


def test_whoever_may_not_sign_certificates_does_not(tmp_path: Path, root: Authority) -> None:
    key = new_key()
    builder = _builder(_named("No signer"), root.name, key, VALID)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = builder.add_extension(usage(), critical=True).sign(root.issued.key, SHA256())
    unable = Authority(Issued(certificate, key, ()), root)
    assert reason(store(tmp_path / "trust", root.pem), unable.device(DEVICE)).endswith("may not sign others")


def _limited(root: Authority, constraints: x509.NameConstraints) -> Authority:
    key = new_key()
    builder = _authority(_builder(_named("Limited"), root.name, key, VALID), None)
    certificate = builder.add_extension(constraints, critical=True).sign(root.issued.key, SHA256())
    return Authority(Issued(certificate, key, ()), root)


def _directory(common_name: str) -> x509.DirectoryName:
    return x509.DirectoryName(_named(common_name))


@pytest.mark.parametrize(
    ("permitted", "excluded", "is_good"),
    [
        ([_directory(DEVICE)], None, True),
        ([_directory(DEVICE.lower())], None, True),
        ([_directory("IP111-99-99-99")], None, False),
        ([x509.DNSName("example.com")], None, True),
        (None, [_directory(DEVICE)], False),
        (None, [_directory("ip232-30-00-AF")], False),
        (None, [_directory("IP111-99-99-99")], True),
        (None, [x509.DNSName("example.com")], True),
    ],
)
def test_an_authority_for_other_names_has_no_say(
    tmp_path: Path, root: Authority, permitted: list | None, excluded: list | None, *, is_good: bool
) -> None:
    limited = _limited(root, x509.NameConstraints(permitted, excluded))
    assert (reason(store(tmp_path / "trust", root.pem), limited.device(DEVICE)) == "") == is_good


def test_a_critical_extension_that_nobody_knows_is_respected(tmp_path: Path, root: Authority) -> None:
    key = new_key()
    builder = _builder(_named(DEVICE), root.name, key, VALID)
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    for critical in (True, False):
        shown = Issued(builder.add_extension(unknown, critical=critical).sign(root.issued.key, SHA256()), key)
        assert ("1.2.3.4" in reason(store(tmp_path / "trust", root.pem), shown)) == critical


def test_an_authority_that_was_revoked_has_no_say_though_it_is_in_the_folder(tmp_path: Path) -> None:
    root = Authority.root()
    issuing = root.issuing()
    good = issuing.device(DEVICE)
    root.revoke(issuing.issued)
    trust = store(tmp_path / "trust", root.pem, issuing.pem, root.crl())
    assert "is of an authority that was revoked" in reason(trust, good)


def test_a_list_counts_only_if_its_authority_signed_it(tmp_path: Path) -> None:
    root = Authority.root()
    foreign = Authority.root(root.common_name)
    good = root.device(DEVICE)
    foreign.revoke(good)
    trust = store(tmp_path / "trust", root.pem, foreign.crl())
    assert reason(trust, good) == ""
    assert trust.troubles(NOW) == (
        "1.crl: no authority in trust/ has signed this list of revoked certificates: it counts where its own is shown",
    )


def test_a_stale_list_counts_and_is_told(tmp_path: Path) -> None:
    root = Authority.root()
    gone = root.revoke(root.device(DEVICE))
    old = NOW - timedelta(days=9)
    trust = store(tmp_path / "trust", root.pem, root.crl(updated=old, next_update=old + timedelta(days=1)))
    assert "it was revoked" in reason(trust, gone)
    assert "was to be replaced by" in trust.troubles(NOW)[0]


def test_what_cannot_be_read_is_named_and_the_rest_counts(tmp_path: Path, root: Authority) -> None:
    junk = [
        b"",
        b"junk",
        b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
        root.pem[:200],
        b"\0" * 10**6,
    ]
    trust = store(tmp_path / "trust", *junk, root.pem)
    assert reason(trust, root.device(DEVICE)) == ""
    assert [text.split(":")[0] for text in trust.troubles(NOW)] == ["0.pem", "1.pem", "2.pem", "3.pem", "4.pem"]


def test_what_is_no_authority_is_named(tmp_path: Path, root: Authority) -> None:
    trust = store(tmp_path / "trust", root.device(DEVICE).pem)
    assert trust.troubles(NOW) == (f"0.pem: {DEVICE} may not sign others",)
    assert reason(trust, root.device(DEVICE)) != ""


def test_a_site_without_the_folder_trusts_nobody(tmp_path: Path, root: Authority) -> None:
    trust = read_trust(tmp_path / "absent")
    assert trust == TrustStore()
    assert reason(trust, root.device(DEVICE)) != ""


@pytest.mark.parametrize("shown", [b"", b"junk", b"\x30\x82\xff\xff", b"\0" * 100_000])
def test_what_is_no_certificate_identifies_nobody(tmp_path: Path, root: Authority, shown: bytes) -> None:
    trust = store(tmp_path / "trust", root.pem)
    assert trust.shown((shown, root.device(DEVICE).der)).certificate is None
    good = root.device(DEVICE)
    assert trust.shown((good.der, shown, *good.presented)).paths


def test_an_authority_identifies_nobody_itself(tmp_path: Path) -> None:
    root = Authority.root(DEVICE)
    assert reason(store(tmp_path / "trust", root.pem), root.issued) != ""


def test_an_old_root_of_version_1_may_sign(tmp_path: Path) -> None:
    """Certificates of version 1 say nothing of authorities: one that an operator trusts is one."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program")
    key, request, certificate = (str(tmp_path / name) for name in ("key", "request", "certificate"))
    new = [
        "openssl",
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-subj",
        "/CN=Old",
        "-out",
        request,
    ]
    sign = ["openssl", "x509", "-req", "-in", request, "-signkey", key, "-days", "9", "-out", certificate]
    for command in (new, sign):
        subprocess.run(command, check=True, capture_output=True)
    parsed = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
    assert parsed.version is x509.Version.v1
    old = Authority(Issued(parsed, load_pem_private_key(Path(key).read_bytes(), None)))
    soon = NOW + timedelta(days=1)
    assert reason(store(tmp_path / "trust", old.pem), old.device(DEVICE), soon) == ""
    above = Authority.root()
    assert reason(store(tmp_path / "other", above.pem), replace(old.device(DEVICE), chain=(parsed,)), soon) != ""


def test_a_maze_of_certificates_takes_no_time(tmp_path: Path, root: Authority) -> None:
    """Ten certificates with the same name, each of which could have signed each."""
    names = [Authority.root("Maze").issuing("Maze") for _ in range(9)]
    lost = replace(names[0].device(DEVICE), chain=tuple(each.issued.certificate for each in names))
    assert reason(store(tmp_path / "trust", root.pem), lost).endswith("but to Maze")


def test_files_may_be_der(root: Authority) -> None:
    (reading,) = contents(root.der)
    assert reading.certificate.common_name == "Test Root"
    der = x509.load_pem_x509_crl(root.crl()).public_bytes(Encoding.DER)
    (listed,) = contents(der)
    assert listed.issuer == root.name.public_bytes()


def test_names_and_usage_are_as_the_certificate_has_them(tmp_path: Path, root: Authority) -> None:
    shown = root.device(DEVICE, purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,))
    certificate = store(tmp_path / "trust", root.pem).shown(shown.presented).certificate
    assert certificate is not None
    assert (certificate.common_name, certificate.issuer) == (DEVICE, "Test Root")
    assert certificate.usage == ("client authentication",)
    assert certificate.fingerprint == shown.certificate.fingerprint(SHA256()).hex()
    twice = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in (DEVICE, "IP111-99-99-99")])
    key = new_key()
    two = Issued(_builder(twice, root.name, key, VALID).sign(root.issued.key, SHA256()), key)
    assert "without one common name" in reason(store(tmp_path / "trust", root.pem), two)


def test_a_list_counts_below_an_authority_that_is_only_shown(tmp_path: Path) -> None:
    root = Authority.root()
    issuing, foreign = root.issuing(), Authority.root(root.common_name).issuing()
    good, revoked = issuing.device(DEVICE), issuing.revoke(issuing.device(DEVICE))
    foreign.revoked.append(good.certificate.serial_number)
    trust = store(tmp_path / "trust", root.pem, issuing.crl(), foreign.crl())
    for _ in range(2):
        assert reason(trust, good) == ""
        assert reason(trust, revoked).endswith("it was revoked")


@pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")
def test_of_an_endless_certificate_little_is_kept() -> None:
    key = new_key()
    endless = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x" * 10_000, _validate=False)])
    builder = _builder(endless, endless, key, VALID)
    purposes = x509.ExtendedKeyUsage([ObjectIdentifier(f"1.3.6.{number}") for number in range(3_000)])
    made = builder.add_extension(purposes, critical=False).sign(key, SHA256())
    shown = TrustStore().shown((made.public_bytes(Encoding.DER),))
    assert shown.certificate is not None
    assert shown.certificate.common_name is None
    assert len(repr(shown)) < 2_000


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_certificate_that_was_tampered_with_is_never_trusted(
    tmp_path: Path, root: Authority, good: Issued, data: st.DataObject
) -> None:
    trust = store(tmp_path / "trust", root.pem)
    which = data.draw(st.integers(0, 1))
    parts = [bytearray(each) for each in good.presented]
    at = data.draw(st.integers(0, len(parts[which]) - 1))
    parts[which][at] ^= data.draw(st.integers(1, 255))
    if data.draw(st.booleans()):
        parts[which] = parts[which][: data.draw(st.integers(0, len(parts[which])))]
    shown = trust.shown(tuple(map(bytes, parts)))
    assert shown.paths == ()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400), at=st.integers(0, 400))
def test_nothing_in_a_file_stops_the_others(tmp_path: Path, root: Authority, content: bytes, at: int) -> None:
    crl = bytearray(x509.load_pem_x509_crl(root.crl()).public_bytes(Encoding.DER))
    crl[at % len(crl)] ^= 0x41
    trust = store(tmp_path / "trust", root.pem, content, content + b"-----BEGIN X509 CRL-----", bytes(crl))
    assert len(trust.authorities) >= 1
    assert isinstance(trust.troubles(NOW), tuple)
