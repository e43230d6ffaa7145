"""What people are told of by mail, in a chat and by a webhook."""

from __future__ import annotations

from gitupd.language.marks import marked, plural

MESSAGES = (
    marked("gitupd: deployed"),
    marked("gitupd: a commit is refused"),
    marked("gitupd: a commit is braked"),
    marked("gitupd: deployments are stopped"),
    marked("gitupd: rolled back"),
    marked("gitupd: the upstream is not followed"),
    marked("gitupd: devices are missing"),
    marked("gitupd: backups are overdue"),
    marked("gitupd: certificates end"),
    marked("gitupd: test"),
    marked("This is a test that %(who)s asked for: notices for %(name)s come here."),
    plural("and %(number)s more notice", "and %(number)s more notices"),
    marked("gitupd deployed %(hex)s: pushed by %(name)s, approved by %(others)s"),
    marked("gitupd deployed %(hex)s: pushed by %(name)s"),
    marked("gitupd deployed %(hex)s: approved by %(others)s"),
    marked("%(who)s deployed %(hex)s: %(reason)s"),
    marked("%(who)s deployed %(hex)s"),
    marked("%(who)s went back to %(hex)s: %(reason)s"),
    marked("%(who)s went back to %(hex)s"),
    marked("%(who)s stopped deployments until %(instant)s: %(reason)s"),
    marked("%(who)s stopped deployments: %(reason)s"),
    marked("%(hex)s %(subject)s of branch %(branch)s is not deployed: %(reasons)s"),
    marked("%(url)s is not followed: %(refusal)s"),
    plural(
        "%(number)s device has not called for %(span)s: %(listed)s",
        "%(number)s devices have not called for %(span)s: %(listed)s",
    ),
    plural(
        "%(number)s device has not uploaded a backup for %(span)s: %(listed)s",
        "%(number)s devices have not uploaded a backup for %(span)s: %(listed)s",
    ),
    marked("authority: %(finding)s; %(cure)s"),
    marked("%(place)s: %(finding)s; %(cure)s"),
)
"""Lines of messages, and their titles: :mod:`gitupd.service.notices`, :mod:`gitupd.core.notices.notice`."""

EXPIRY = (
    marked("it can't be used: %(fault)s"),
    marked("the server's certificate has ended on %(on)s"),
    marked("the server's certificate ends on %(on)s"),
    marked("the server's certificate is not valid before %(on)s"),
    marked("the authority %(name)s has ended on %(on)s, and identifies no device then"),
    marked("the authority %(name)s ends on %(on)s, and identifies no device then"),
    marked("the list of revoked certificates is signed by no authority of this site"),
    marked("the list of revoked certificates should have been replaced by a newer one"),
    marked("%(name)s, which goes along with certificates of devices, has ended on %(on)s"),
    marked("%(name)s, which goes along with certificates of devices, ends on %(on)s"),
    marked("the authority can sign nothing: %(fault)s"),
    marked("the authority %(name)s is not valid before %(on)s, so nothing can be signed"),
    marked("the authority %(name)s has expired on %(on)s, so nothing can be signed"),
    marked("the authority %(name)s expires on %(on)s"),
    marked("%(file)s, the list of what was revoked, is missing or can't be read"),
    marked("%(file)s, the list of what was revoked, is over since %(on)s"),
    marked("it can't be read: %(fault)s"),
    marked("it is larger than %(number)s MiB"),
    marked("it has a damaged block of PEM"),
    marked("it is larger than any certificate"),
    marked("it is no certificate that can be read"),
    marked("it is no list of revoked certificates that can be read"),
    marked("it is neither a certificate nor a list of revoked certificates, in PEM or DER"),
    marked("%(name)s has a critical extension that is not understood, %(id)s"),
    marked("%(name)s may not sign others"),
    marked("remove it and its key, and a new one is made"),
    marked("have whoever issues it renew it"),
    marked("put the right file there"),
    marked("look at the clock of this machine, and of whoever issued it"),
    marked("gitupd trust add its successor, and give devices certificates of that; gitupd trust remove %(file)s"),
    marked("fetch the newest from the authority, and gitupd trust add it"),
    marked("remove it, or put a certificate there: %(file)s"),
    marked("put the authority's newer certificate there, and deploy that"),
    marked("see: Replace a lost authority; gitupd certificates authority"),
    marked("%(file)s: this is no certificate in PEM"),
    marked("this is no certificate in PEM"),
    marked("%(file)s: this is no key in PEM, without a password"),
    marked("%(file)s: TLS needs an RSA or an elliptic curve key"),
    marked("%(file)s: this key is that of another certificate"),
)
"""What ends, and how to mend it: :mod:`gitupd.service.checkup.expiry`, what it asks, and files of certificates."""

UPSTREAM = (
    plural(
        "branch %(branch)s of the upstream, %(hex)s, was rewound: it lacks %(number)s commit that is here",
        "branch %(branch)s of the upstream, %(hex)s, was rewound: it lacks %(number)s commits that are here",
    ),
    plural(
        "branch %(branch)s of the upstream, %(hex)s, was rewritten: it lacks %(number)s commit that is here",
        "branch %(branch)s of the upstream, %(hex)s, was rewritten: it lacks %(number)s commits that are here",
    ),
    marked("branch %(branch)s of the upstream, %(hex)s, has nothing in common with what is here"),
)
"""Why a branch is not followed: :mod:`gitupd.core.upstream.movement`."""
