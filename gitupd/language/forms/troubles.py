"""What is wrong with a site, and how to mend what speaks against a commit."""

from __future__ import annotations

from gitupd.language.marks import marked, plural

MENDING = (
    marked("have it signed and pushed again, or an administrator deploys it on the server's command line with --force"),
    marked("merge that: git merge %(hex)s; or go back by gitupd rollback"),
    marked("leave that out, or lift the block: gitupd unblock %(hex)s"),
    marked("revert it on the branch: git revert %(range)s, or lift the block: gitupd unblock %(hex)s"),
    marked("all of them: %(command)s"),
    marked("add [notify.to.%(name)s] to gitupd.toml"),
    marked("look whether they were moved"),
    marked("merge what is deployed if that is not meant"),
    marked("see that somebody is left who signs"),
    marked("set scripting = true in gitupd.toml"),
    marked("they start over with %(name)s"),
    marked("they count as in %(name)s if they name no other one"),
    marked("set https in gitupd.toml, or trusted_proxies"),
    marked("set mtls in gitupd.toml, or client_certificate_header"),
    marked("set mtls in gitupd.toml, [[listen]], or client_certificate_header"),
    marked("name a command, or acme, under [signing] in gitupd.toml"),
    marked("make one: gitupd certificates init"),
)
"""How to mend it: :mod:`gitupd.service.deployments.gates`, :mod:`gitupd.service.deployments.concerns`."""

TROUBLES = (
    marked("the authority %(name)s is not valid before %(on)s, so nothing can be signed; make another: %(command)s"),
    marked("the authority %(name)s has expired on %(on)s, so nothing can be signed; make another: %(command)s"),
    marked("the authority %(name)s expires on %(on)s; make another: %(command)s"),
    marked("%(file)s: the authority %(name)s has expired on %(on)s, so it identifies no device any more"),
    marked("%(file)s: the authority %(name)s expires on %(on)s"),
    marked("%(file)s: the list of revoked certificates was to be replaced by %(on)s"),
    marked("%(file)s: the list of revoked certificates is signed by no authority of this site"),
    marked("%(file)s: %(name)s may not sign others"),
    marked("%(file)s: %(name)s has a critical extension that is not understood, %(id)s"),
    marked("%(file)s: the server's certificate has ended on %(on)s"),
    marked("%(file)s: the server's certificate ends on %(on)s"),
    marked("%(file)s: is neither a certificate nor a list of revoked certificates, in PEM or DER"),
    marked("has expired on %(on)s"),
    marked("is not valid before %(on)s"),
    marked("may not sign others"),
    marked("has a critical extension that is not understood, %(id)s"),
    marked("is signed by no authority of this site"),
    marked("should have been replaced by a newer one"),
    plural(
        "%(number)s backup waits for the history, the first since %(at)s UTC",
        "%(number)s backups wait for the history, the first since %(at)s UTC",
    ),
    marked("the backup history was rewritten; gitupd backups verify says what is missing in it"),
    plural(
        "the mirror of the backup history lacks %(number)s version, the first of %(at)s UTC",
        "the mirror of the backup history lacks %(number)s versions, the first of %(at)s UTC",
    ),
)
"""What is wrong with authorities and backups: :mod:`gitupd.service.certificates`, :mod:`gitupd.service.backups`."""
