from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gitupd.core.actions import Say, Warn
from gitupd.core.caller import claim_in
from gitupd.core.identity import (
    NOT_BY_HTTP,
    NOT_SHOWN,
    PRESUMED,
    Certificate,
    Claim,
    Identity,
    Shown,
    corrected,
    identify,
    refusal,
    remarks,
)
from gitupd.core.policy import Certificates, Transport

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PHONE = Claim("0090333000af", "IP232-30-00-af")


def certificate(
    common_name: str | None = "IP232-30-00-af", *, start: int = -1, end: int = 1, **more: Any
) -> Certificate:
    fields: dict[str, Any] = {"issuer": "Device CA", "fingerprint": "ab" * 32, "key": "cd" * 32} | more
    return Certificate(common_name, not_before=NOON + start * DAY, not_after=NOON + end * DAY, **fields)


DEVICE_CA = certificate("Device CA", issuer="Root CA")
ROOT_CA = certificate("Root CA", issuer="Root CA")
EVERYBODY = Certificates()


def shown(common_name: str | None = "IP232-30-00-af", **more: Any) -> Shown:
    return Shown(certificate(common_name, **more), ((DEVICE_CA, ROOT_CA),))


def reason(what: Shown, claim: Claim = PHONE, policy: Certificates = EVERYBODY) -> str:
    identity = identify(what, claim, policy, NOON)
    assert not identity.is_trusted
    return identity.reason


@pytest.mark.parametrize(
    ("common_name", "claim"),
    [
        ("IP232-30-00-af", PHONE),
        ("0090333000af", PHONE),
        ("IP232s-30-00-af", PHONE),
        ("IP222s-30-00-af", Claim("0090333000af", "IP222-30-00-af")),
        ("IP240a-30-00-af", Claim("0090333000af", "IP240-30-00-af")),
        ("IP200a-30-00-af", Claim("0090333000af", "IP200-30-00-af")),
        ("IP29-2-30-00-af", Claim("0090333000af", "IP29-2-30-00-af")),
        ("0090333000AF", Claim("0090333000AF", "IP232-30-00-AF")),
        ("0090333000af", Claim("0090333000af", "")),
        ("0090333000af", Claim("0090333000af")),
        ("IP232-30-00-af", Claim("0090333000af")),
        ("IP232s-30-00-af", Claim("0090333000af")),
    ],
)
def test_a_certificate_speaks_for_the_device_that_it_names(common_name: str, claim: Claim) -> None:
    identity = identify(shown(common_name), claim, EVERYBODY, NOON)
    assert identity.is_trusted
    assert identity.reason == f"good certificate (CN={common_name})"
    assert identity.path == (DEVICE_CA, ROOT_CA)


@pytest.mark.parametrize(
    ("common_name", "claim", "as_what"),
    [
        ("IP111-99-99-99", PHONE, "IP111-99-99-99"),
        ("ip232-30-00-af", PHONE, "ip232-30-00-af"),
        ("0090333000AF", PHONE, "0090333000AF"),
        ("IP232S-30-00-af", PHONE, "IP232S-30-00-af"),
        ("IP232-30-00-a", PHONE, "IP232-30-00-a"),
        ("IP232-30-00-af ", PHONE, "IP232-30-00-af "),
        ("IP232-30-00-af\0.example", PHONE, "IP232-30-00-af\N{REPLACEMENT CHARACTER}.example"),
        ("*", PHONE, "*"),
        ("x" * 100, PHONE, "x" * 80 + "…"),
        ("IP232-30-00-b0", Claim("0090333000af"), "IP232-30-00-b0"),
        ("30-00-af", Claim("0090333000af"), "30-00-af"),
        ("IP232-30-00-af", Claim("0090333000af", ""), "IP232-30-00-af"),
    ],
)
def test_it_speaks_for_no_other(common_name: str, claim: Claim, as_what: str) -> None:
    assert reason(shown(common_name), claim) == f"claims to be {claim}, but identifies as {as_what}"


def test_the_claim_is_told_in_the_words_of_the_article() -> None:
    assert str(PHONE) == "IP232-30-00-af / 0090333000af"
    assert str(Claim("0090333000af")) == "0090333000af"
    assert "claims to be IP232-30-00-af / 0090333000af, but identifies" in reason(shown(None))


@pytest.mark.parametrize("hardware_id", ["IP111-99-99-99", "IP232", "IP232-30-00-a", "-30-00-af", "IP232_30_00_af"])
def test_hardware_id_and_serial_number_must_be_of_one_device(hardware_id: str) -> None:
    claim = Claim("0090333000af", hardware_id)
    for common_name in (hardware_id, "0090333000af"):
        assert reason(shown(common_name), claim).endswith("are not of one device")
    wildcard = Certificates(wildcard="everybody")
    assert reason(shown("everybody"), claim, wildcard).endswith("are not of one device")


@pytest.mark.parametrize(
    ("kind", "is_of_it"),
    [("ip232", True), ("IP232", True), ("IP232S", True), ("", True), (None, True), ("ip6010", False)],
)
def test_type_and_hardware_id_fit_each_other(kind: str | None, is_of_it: bool) -> None:  # noqa: FBT001 - a parameter
    claim = Claim("0090333000af", "IP232-30-00-af", kind)
    for name in ("IP232-30-00-af", "0090333000af"):
        identity = identify(shown(common_name=name), claim, EVERYBODY, NOON)
        assert identity.is_trusted is is_of_it
    if not is_of_it:
        assert identity.reason == "hardware id IP232-30-00-af and type ip6010 are not of one device"


def test_a_wildcard_speaks_for_all() -> None:
    assert identify(shown("everybody"), PHONE, Certificates(wildcard="everybody"), NOON).is_trusted
    assert "identifies as everybody" in reason(shown("everybody"))


def test_nothing_shown_speaks_for_nobody() -> None:
    assert identify(None, PHONE, EVERYBODY, NOON) == NOT_SHOWN
    assert reason(Shown(None, fault="is no certificate")) == "what was shown is no certificate"


def test_it_must_lead_to_an_authority_of_the_site() -> None:
    alone = Shown(certificate())
    assert reason(alone) == "certificate not trusted (CN=IP232-30-00-af): it leads to no authority of this site"
    revoked = Shown(certificate(), fault="was revoked")
    assert reason(revoked) == "certificate not trusted (CN=IP232-30-00-af): it was revoked"


def test_it_must_lead_to_an_authority_that_is_named() -> None:
    for name in ("Device CA", "Root CA"):
        assert identify(shown(), PHONE, Certificates(authorities=(name,)), NOON).is_trusted
    assert reason(shown(), policy=Certificates(authorities=("Some Other CA",))).endswith(
        "(CN=IP232-30-00-af): it is of Device CA, which is none of the authorities of the policy"
    )
    by_its_own_name = Certificates(authorities=("IP232-30-00-af",))
    assert "none of the authorities" in reason(shown(), policy=by_its_own_name)


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [(1, 2, "it is not valid before 2024-05-07"), (-2, -1, "it has expired on 2024-05-05"), (0, 0, None)],
)
def test_it_must_be_valid_now(start: int, end: int, why: str | None) -> None:
    identity = identify(shown(start=start, end=end), PHONE, EVERYBODY, NOON)
    assert identity.is_trusted == (why is None)
    assert identity.reason.endswith(why or "(CN=IP232-30-00-af)")


def test_its_authorities_must_be_valid_now_on_one_way_at_least() -> None:
    expired = replace(ROOT_CA, not_after=NOON - DAY)
    old = (DEVICE_CA, expired)
    assert reason(Shown(certificate(), (old,))) == (
        "certificate not trusted (CN=IP232-30-00-af): it is of an authority that has expired on 2024-05-05: Root CA"
    )
    crossed = (DEVICE_CA, certificate("Other Root"))
    identity = identify(Shown(certificate(), (old, crossed)), PHONE, EVERYBODY, NOON)
    assert identity.is_trusted
    assert identity.path == crossed
    of_the_old_one = Certificates(authorities=("Root CA",))
    assert "has expired" in reason(Shown(certificate(), (old, crossed)), policy=of_the_old_one)


def test_its_key_must_be_for_clients() -> None:
    assert reason(shown(is_for_clients=False)).endswith("it is not for clients, by its key usage")


def test_a_certificate_without_a_name_is_known_by_its_fingerprint() -> None:
    assert certificate(None).name == "without a name, abababababababab"


def test_what_all_share_names_nobody() -> None:
    good, bad = (identify(shown(), claim, EVERYBODY, NOON) for claim in (PHONE, Claim("1", "2")))
    assert good.without_name() == Identity(is_trusted=True, reason="")
    assert bad.without_name() == Identity(is_trusted=False, reason="")
    assert [each.without_name() for each in (NOT_SHOWN, NOT_BY_HTTP)] == [NOT_SHOWN, NOT_BY_HTTP]


def test_a_good_one_is_said_and_a_bad_one_is_warned_of() -> None:
    good, bad = (identify(shown(), claim, EVERYBODY, NOON) for claim in (PHONE, Claim("1", "2")))
    assert list(remarks(good)) == [Say("good certificate (CN=IP232-30-00-af)")]
    assert list(remarks(bad)) == [Warn(bad.reason)]
    assert [list(remarks(each)) for each in (NOT_SHOWN, PRESUMED, good.without_name())] == [[], [], []]


def test_what_needs_trust_is_refused_without_it() -> None:
    demanding = Transport(client_certificate="required")
    secure = Transport(https="required")
    assert refusal(Transport(), "http", NOT_BY_HTTP) is None
    assert refusal(secure, "http", PRESUMED) == "HTTPS is required"
    assert refusal(secure, "https", NOT_SHOWN) is None
    assert refusal(demanding, "https", PRESUMED) is None
    assert refusal(demanding, "https", NOT_SHOWN) == f"a client certificate is required; {NOT_SHOWN.reason}"
    assert refusal(demanding, "http", NOT_BY_HTTP) == f"a client certificate is required; {NOT_BY_HTTP.reason}"


@pytest.mark.parametrize(
    ("name", "right"),
    [("IP222s-1", "IP222-1"), ("IP222s", "IP222"), ("xIP222s-1", "xIP222s-1"), ("ip222s-1", "ip222s-1"), ("", "")],
)
def test_early_mistakes_are_corrected(name: str, right: str) -> None:
    assert corrected(name) == right


def test_a_claim_is_what_the_arguments_say() -> None:
    assert claim_in({"sn": "00-90-33-30-00-AF", "hwid": "x"}) == Claim("0090333000AF", "x")
    assert claim_in({"sn": "00:90:33:30:00:af"}) == Claim("0090333000af", None)
    assert claim_in({}) == Claim("", None)
