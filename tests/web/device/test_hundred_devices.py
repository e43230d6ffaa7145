"""A hundred devices are moved to HTTPS and given certificates; these are renewed, and some revoked: with nginx, or not.

Nobody touches a device, and none is told a secret before it has shown a good certificate.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.authorities import Authority
from support.rolling import Roll, factory_in, rolling, serial_of

from gitupd.core.certificates.rollout import Stage
from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Actor, Role
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.service.certificates.founding import Founding, found
from gitupd.service.certificates.signing import Signing
from gitupd.service.clock import now

if TYPE_CHECKING:
    from pathlib import Path

    from gitupd.emulator.phone import Phone

POLICY = """\
enabled: true
authorities: [Example Issuing CA, Example Root CA]
request: {dn: {cn: "{hwid}", o: Example}, dns: ["{name}.example"], ip: ["{ip}"]}
renew_before: %(renew)s
renew_spread: 0d
valid_for: %(valid)s
signing: %(signing)s
"""
BY_RULES = """\
approve:
  - {identified_by: old-certificate}
  - {network: 127.0.0.0/8, type: IP240, same_names: true, at_most: 1000/d}
"""
PEOPLE = Actor("vera", Role.OPERATOR, None)
FIRST, SECOND = "correct-horse", "battery-staple"
SHORT, LONG = {"renew": "10d", "valid": "30d"}, {"renew": "60d", "valid": "400d"}


HUNDRED, SOME = 100, 30
"""How many devices walk directly to the site's own authority, and how many by each other way, which costs more each."""
REVOKED = 10
COMMAND = """
[signing]
command = ["%(script)s", "{request}", "{certificate}"]
"""
SCRIPT = """\
#!/bin/sh
exec openssl x509 -req -in "$1" -CA %(ca)s -CAkey %(key)s -days "$(cat %(days)s)" -copy_extensions copy -out "$2"
"""


def policy(signing: str, span: dict[str, str], more: str = "") -> dict[str, bytes]:
    return {"policies/certificates.yaml": (POLICY % {"signing": signing, **span} + more).encode()}


def approve(roll: Roll, phones: list[Phone]) -> None:
    """Have all of *phones* signed, as somebody does who has looked at them."""
    outcomes = Signing(roll.site).approve([*map(serial_of, phones)], PEOPLE, now())
    assert all(outcome.is_done for outcome in outcomes), outcomes


def walk(roll: Roll, count: int) -> list[Phone]:
    """Unbox *count* devices, and have them make their requests; none without a certificate is told a secret.

    Half of them have a certificate of the factory, and half one that they have made themselves; these are returned.
    """
    factory = factory_in(roll.site)
    roll.add(count // 2, factory)
    self_made = roll.add(count // 2, factory, Misbehaviour.SELF_MADE_CERTIFICATE)
    roll.deliver(FIRST)
    roll.polls_until(lambda phone: roll.stage(phone) is Stage.SIGNING)
    assert not any(FIRST in roll.told[phone.serial] for phone in self_made)
    return self_made


def renew(roll: Roll, changed: dict[str, bytes]) -> None:
    """Deploy what has all devices renewed, and wait until they are, with keys of their own."""
    before = {phone.serial: phone.device.chain[0].public_key for phone in roll.phones}
    roll.commit(changed)

    def is_renewed(phone: Phone) -> bool:
        return phone.device.chain[0].public_key != before[phone.serial] and roll.stage(phone) is Stage.GOOD

    roll.polls(8)
    roll.wait_for_signatures()
    roll.polls_until(is_renewed)
    assert len({phone.device.chain[0].public_key for phone in roll.phones}) == len(roll.phones)
    assert all(phone.device.chain[0].subject == phone.device.identity.hardware_id for phone in roll.phones)


def is_trusted(phone: Phone) -> bool:
    """Whether the server said to the last poll that the certificate is good."""
    return any("good certificate" in line for line in phone.last_lines)


def lose_their_trust(roll: Roll, revoked: list[Phone]) -> None:
    """Have *revoked* devices poll until their certificates count no more: no secret is told them after that."""
    roll.polls_until(lambda phone: not is_trusted(phone), revoked)
    roll.deliver(SECOND)
    roll.polls(4)
    for phone in roll.phones:
        assert (SECOND in roll.told[phone.serial]) is (phone not in revoked), phone.serial
        assert is_trusted(phone) is (phone not in revoked)


@pytest.mark.slow
@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "nginx"])
def test_the_sites_own_authority(tmp_path: Path, *, proxied: bool) -> None:
    with rolling(tmp_path, proxied=proxied) as roll:
        found(roll.site, Founding("Example"), "a passphrase that is long", PEOPLE, now())
        roll.commit(policy("authority", SHORT))
        walk(roll, SOME if proxied else HUNDRED)
        approve(roll, roll.phones)
        roll.polls_until(lambda phone: roll.stage(phone) is Stage.GOOD and FIRST in roll.told[phone.serial])
        assert {phone.device.chain[0].issuer for phone in roll.phones} == {"Example Issuing CA"}
        renew(roll, policy("automatic", LONG, BY_RULES))
        revoked = roll.phones[:: len(roll.phones) // REVOKED]
        outcomes = Signing(roll.site).revoke([*map(serial_of, revoked)], "stolen", PEOPLE, now())
        assert all(outcome.is_done for outcome in outcomes)
        lose_their_trust(roll, revoked)
        assert len(roll.site.issued.latest(1000)) == 2 * len(roll.phones), "one of the revoked was signed again"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
def test_an_authority_elsewhere(tmp_path: Path) -> None:
    ours = Authority.root("Example Root CA").issuing("Example Issuing CA")
    files = ours.issued.files(tmp_path, "ca")
    script, days = tmp_path / "sign", tmp_path / "days"
    script.write_text(SCRIPT % {"ca": files.certificate, "key": files.key, "days": days})
    script.chmod(0o755)
    days.write_text("30")
    with rolling(tmp_path, proxied=False, settings=COMMAND % {"script": script}) as roll:
        (roll.site.path / "trust/ours.pem").write_bytes(ours.issued.bundle + ours.above.pem)
        chain = {"certificates/CAkey-1.pem": ours.pem, "certificates/CAkey-2.pem": ours.above.pem}
        roll.commit({**policy("manual", SHORT), **chain})
        walk(roll, SOME)
        anybody = BY_RULES + "  - {network: 127.0.0.0/8}\n"
        roll.commit(policy("external", SHORT, anybody))
        roll.wait_for_signatures()
        roll.polls_until(lambda phone: roll.stage(phone) is Stage.GOOD and FIRST in roll.told[phone.serial])
        assert {phone.device.chain[0].issuer for phone in roll.phones} == {"Example Issuing CA"}
        days.write_text("400")
        renew(roll, policy("external", LONG, anybody))
        # Who has lost a device says so where its certificate was signed; the list comes from there.
        roll.commit(policy("manual", LONG))
        revoked = roll.phones[:: len(roll.phones) // REVOKED]
        for phone in revoked:
            assert phone.device.credential is not None
            ours.revoked.append(phone.device.credential.chain[0].serial_number)
        roll.site.trust.add(ours.crl(), Event(now(), "vera", Kind.TRUST_ADD))
        lose_their_trust(roll, revoked)
