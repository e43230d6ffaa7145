"""What is said of certificates of devices."""

from __future__ import annotations

from gitupd.language.marks import marked

ROLLOUTS = (
    marked("The device has no certificate."),
    marked("The dates of certificate %(name)s can't be read."),
    marked("Certificate %(name)s states no date from which it is valid."),
    marked("Certificate %(name)s is not valid before %(day)s."),
    marked("Certificate %(name)s is by %(issuer)s, none of ours."),
    marked("Certificate %(name)s states no end, and is renewed."),
    marked("Certificate %(name)s expired on %(day)s."),
    marked("Certificate %(name)s expires on %(day)s, and is renewed."),
    marked("Certificate %(name)s by %(issuer)s is good until %(day)s."),
    marked("%(what)s A request is left on the device."),
    marked("%(what)s The device has made a signing request."),
    marked("%(what)s Its signing request waits for a signature."),
    marked("%(what)s It is sent the one that was signed."),
    marked("%(what)s Its firmware is older than V12r1 SR8, and must be updated first."),
    marked("An operator has its roll-out start over."),
    marked("Its request waits for a signature."),
    marked("Somebody has decided that this request is not to be signed."),
    marked("It reports at its next poll."),
    marked("Set missing: request in policies/certificates.yaml for it to get one."),
    marked("Nothing is to be done but wait, and to look at the clock of whoever signs."),
    marked("It goes on by itself at one of its next polls."),
    marked("Somebody has it start over."),
    marked("Update its firmware: policies/firmware.yaml."),
    marked("It goes on once the device has answered; or set unknown_words: leave-out."),
    marked("It makes a request, and reports it at its next poll but one."),
    marked("It uploads its request at this poll."),
    marked("Somebody has its request signed, and hands the certificate in."),
    marked("Somebody approves its request, or rejects it."),
    marked("Somebody has it start over, for it to make another request."),
    marked("It installs its certificate, and reports it at its next poll but one."),
    marked("It removes the request that has served."),
    marked("It removes what is left, and begins anew at its next poll but one."),
    marked("It goes on at its next poll."),
    marked("good certificate (CN=%(name)s)"),
    marked("no certificate was shown: wrong port, or a proxy in between?"),
    marked("no certificate was shown, for HTTP has none"),
)
"""How a roll-out stands: :mod:`gitupd.core.certificates`."""

IDENTITIES = (
    marked("good certificate"),
    marked("claims to be %(name)s, but identifies by a certificate without one common name"),
    marked("claims to be %(name)s, but identifies as %(other)s"),
    marked("hardware id %(name)s and serial number %(serial)s are not of one device"),
    marked("hardware id %(name)s and type %(model)s are not of one device"),
    marked("certificate not trusted (CN=%(name)s): it %(fault)s"),
    marked("what was shown %(fault)s"),
    marked("leads to no authority of this site"),
    marked("has expired on %(on)s"),
    marked("is not valid before %(on)s"),
    marked("may not sign others"),
    marked("has a critical extension that is not understood, %(id)s"),
    marked("was revoked"),
    marked("is not for clients, by its key usage"),
    marked("is of %(issuer)s, which is none of the authorities of the policy"),
    marked("is of an authority that was revoked: %(issuer)s"),
    marked("is of an authority that has expired on %(on)s: %(issuer)s"),
    marked("is of an authority that is not valid before %(on)s: %(issuer)s"),
    marked("has %(name)s above it, which %(fault)s"),
)
"""For which device a certificate speaks: :mod:`gitupd.core.identity`, :mod:`gitupd.store.certificates`."""
