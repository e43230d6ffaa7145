"""What real devices have been seen to do wrong, as switches."""

from enum import StrEnum


class Misbehaviour(StrEnum):
    """One way to be a difficult client; a device may have several."""

    SPLIT_UTF8 = "split-utf8"
    EMPTY_UPLOAD = "empty-upload"
    HUGE_DUMP = "huge-dump"
    VOLATILE_ONLY = "volatile-only"
    MISSING_ARGS = "missing-args"
    UPPER_CASE = "upper-case"
    ALWAYS_BUSY = "always-busy"
    NO_CLOCK = "no-clock"
    CUT_UPLOAD = "cut-upload"
    LOST_ANSWERS = "lost-answers"
    REPEATED_UPLOADS = "repeated-uploads"
    OVERLAPPING_POLLS = "overlapping-polls"
    NAT = "nat"
    OLD_CERTIFICATE_NAME = "old-certificate-name"
    NO_CERTIFICATE = "no-certificate"
    SELF_MADE_CERTIFICATE = "self-made-certificate"
    FOREIGN_CERTIFICATE = "foreign-certificate"
    BORROWED_CERTIFICATE = "borrowed-certificate"
    EXPIRED_CERTIFICATE = "expired-certificate"
    WRONG_CLOCK = "wrong-clock"
    FAST_CLOCK = "fast-clock"
    CHECKS_DATES = "checks-dates"
    NO_ECDSA = "no-ecdsa"
    LOST_KEY = "lost-key"
    IGNORED_CERTIFICATES = "ignored-certificates"
    NO_RENEGOTIATION = "no-renegotiation"
    NO_RESUMPTION = "no-resumption"
    NO_SNI = "no-sni"
    LETTER_BUILD = "letter-build"
    SLOW = "slow"


MEANINGS = {
    Misbehaviour.SPLIT_UTF8: "splits uploads in the middle of UTF-8 characters",
    Misbehaviour.EMPTY_UPLOAD: "uploads nothing, in a valid request",
    Misbehaviour.HUGE_DUMP: "has a configuration of 10 MB",
    Misbehaviour.VOLATILE_ONLY: "has new TLS tickets and call list entries in every backup, and nothing else new",
    Misbehaviour.MISSING_ARGS: "leaves out or empties arguments of its requests",
    Misbehaviour.UPPER_CASE: "writes its serial number, type and hardware id in capitals",
    Misbehaviour.ALWAYS_BUSY: "is never idle, so that ireset and iresetn do nothing",
    Misbehaviour.NO_CLOCK: "does not know the time: scripts with times stop there, certificates are not valid yet",
    Misbehaviour.CUT_UPLOAD: "closes the connection half-way through each upload",
    Misbehaviour.LOST_ANSWERS: "loses the answers to a third of its requests, which the server has carried out",
    Misbehaviour.REPEATED_UPLOADS: "sends each upload twice",
    Misbehaviour.OVERLAPPING_POLLS: "polls twice at the same moment after a restart",
    Misbehaviour.NAT: "reports a private address that differs from the one its requests come from",
    Misbehaviour.OLD_CERTIFICATE_NAME: "has an early certificate: for IP222s-…, IP240a-… instead of IP222-…, IP240-…",
    Misbehaviour.NO_CERTIFICATE: "shows no certificate",
    Misbehaviour.SELF_MADE_CERTIFICATE: "shows a certificate that it signed itself",
    Misbehaviour.FOREIGN_CERTIFICATE: "shows a certificate of another authority of the same name",
    Misbehaviour.BORROWED_CERTIFICATE: "shows a certificate of the device with the next serial number",
    Misbehaviour.EXPIRED_CERTIFICATE: "shows a certificate that was valid until the end of 2019",
    Misbehaviour.WRONG_CLOCK: "believes that it is the year 2000, when certificates were not valid yet",
    Misbehaviour.FAST_CLOCK: "believes that it is ten years later",
    Misbehaviour.CHECKS_DATES: "installs no certificate that is not valid by its own clock, and reports an error",
    Misbehaviour.NO_ECDSA: "installs no certificate with an ECDSA key, or by one, and reports an error",
    Misbehaviour.LOST_KEY: "loses the key of its signing request, so that no certificate fits it, and reports an error",
    Misbehaviour.IGNORED_CERTIFICATES: "installs no certificate, and says nothing of it",
    Misbehaviour.NO_RENEGOTIATION: "speaks TLS 1.2, and refuses to be asked for its certificate by a second handshake",
    Misbehaviour.NO_RESUMPTION: "makes a whole handshake for each connection",
    Misbehaviour.NO_SNI: "does not say in the handshake which server it wants",
    Misbehaviour.LETTER_BUILD: "runs builds with a letter in them, such as 13A146",
    Misbehaviour.SLOW: "sends its requests a little at a time",
}
"""Completes the sentence "a device that …"."""
