"""Details of the audit, as far as the program composes them, by what was done; what people typed stays theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.people.audit import Kind
from gitupd.language.forms.all import FORMS, Forms
from gitupd.language.forms.errors import CERTIFICATES
from gitupd.language.forms.notices import UPSTREAM
from gitupd.language.marks import marked, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEPLOYMENTS: Forms = (
    marked("instead of %(hex)s: pushed by %(name)s, approved by %(others)s; although %(doubts)s"),
    marked("instead of %(hex)s: pushed by %(name)s; although %(doubts)s"),
    marked("instead of %(hex)s: approved by %(others)s; although %(doubts)s"),
    marked("instead of %(hex)s: pushed by %(name)s, approved by %(others)s"),
    marked("instead of %(hex)s: pushed by %(name)s"),
    marked("instead of %(hex)s: approved by %(others)s"),
    marked("instead of %(hex)s; although %(doubts)s"),
    marked("instead of %(hex)s: %(reason)s; although %(doubts)s"),
    marked("instead of %(hex)s: %(reason)s"),
    marked("instead of %(hex)s"),
    marked("the first one; although %(doubts)s"),
    marked("the first one: %(reason)s; although %(doubts)s"),
    marked("the first one: %(reason)s"),
    marked("the first one"),
    marked("%(path)s: %(concern)s"),
    marked("%(count)s more"),
    *FORMS,
)

DETAILS: Mapping[str, Forms] = {
    Kind.LOGIN_REFUSED: (
        marked("wrong name or password"),
        marked("right password, but disabled"),
        marked("after too many failures; the password was not looked at"),
    ),
    Kind.USER_ADD: (marked("as %(role)s"),),
    Kind.USER_CHANGE: (
        marked("%(role)s instead of %(former)s"),
        marked("disabled"),
        marked("enabled"),
    ),
    Kind.USER_REMOVE: (marked("was %(role)s"),),
    Kind.TOKEN_ADD: (
        marked("%(title)s as %(role)s, until %(on)s"),
        marked("%(title)s as %(role)s"),
    ),
    Kind.TOKEN_REVOKE: (marked("%(title)s as %(role)s"),),
    Kind.PUSH: (
        marked("%(branch)s deleted: %(reason)s"),
        marked("%(branch)s deleted"),
        marked("%(branch)s %(hex)s new: %(reason)s"),
        marked("%(branch)s %(hex)s new"),
        marked("and %(count)s references more"),
    ),
    Kind.FETCH: (
        marked("%(branch)s %(range)s from %(url)s; although %(refusal)s, as %(who)s wants"),
        marked("%(branch)s new from %(url)s; although %(refusal)s, as %(who)s wants"),
        marked("%(branch)s new from %(url)s"),
        marked("%(branch)s %(range)s from %(url)s"),
        *UPSTREAM,
    ),
    Kind.UPSTREAM_ACCEPT: (
        plural(
            "branch %(branch)s of the upstream, %(hex)s, was rewound: it lacks "
            "%(number)s commit that is here: %(reason)s",
            "branch %(branch)s of the upstream, %(hex)s, was rewound: it lacks "
            "%(number)s commits that are here: %(reason)s",
        ),
        plural(
            "branch %(branch)s of the upstream, %(hex)s, was rewritten: it lacks "
            "%(number)s commit that is here: %(reason)s",
            "branch %(branch)s of the upstream, %(hex)s, was rewritten: it lacks "
            "%(number)s commits that are here: %(reason)s",
        ),
        marked("branch %(branch)s of the upstream, %(hex)s, has nothing in common with what is here: %(reason)s"),
    ),
    Kind.DEPLOY: _DEPLOYMENTS,
    Kind.ROLLBACK: _DEPLOYMENTS,
    Kind.DEVICE_RECORD: (marked("until %(instant)s"),),
    Kind.REQUESTS_VIEW: (marked("downloaded"),),
    Kind.CODE_ADD: (marked("%(count)s for %(name)s, good until %(on)s"),),
    Kind.CODE_USE: (marked("%(title)s, made by %(who)s"),),
    Kind.FIRMWARE_ADD: (marked("%(count)s bytes"),),
    Kind.TRUST_ADD: (
        marked("%(file)s, a list of %(count)s revoked certificates, SHA-256 %(id)s"),
        marked("%(file)s, a list of %(count)s revoked certificates"),
    ),
    Kind.AUDIT_PRUNE: (
        plural(
            "%(number)s entry before %(on)s, for %(topic)s are kept for %(what)s",
            "%(number)s entries before %(on)s, for %(topic)s are kept for %(what)s",
        ),
    ),
    Kind.SEARCH_SHARE: (marked("was %(name)s"),),
    Kind.EXPORT: (marked("clone or fetch by Git"),),
    Kind.BACKUP_VIEW: (
        marked("clone or fetch by Git"),
        marked("what version %(hex)s changed against %(other)s"),
        marked("what version %(hex)s changed"),
        marked("version %(hex)s against what it would get now"),
        marked("version %(hex)s against %(device)s, version %(other)s"),
        marked("version %(hex)s as a file"),
        marked("version %(hex)s"),
        marked("%(hex)s against %(other)s"),
        marked("since when the lines of version %(hex)s are there"),
        marked("since when the lines of %(hex)s are there"),
        marked("going back to version %(hex)s"),
        marked("going back to %(hex)s"),
        marked("which devices are not as wanted, of %(search)s"),
        marked("which devices are not as wanted"),
        plural("export of %(number)s configuration, as of now", "export of %(number)s configurations, as of now"),
        plural("export of %(number)s configuration, as of %(at)s", "export of %(number)s configurations, as of %(at)s"),
        marked("search in %(where)s for a text that is hidden, or nowhere"),
        marked("search for %(text)s in %(where)s"),
        marked("the latest versions of %(search)s"),
        marked("the latest versions"),
        marked("the history of %(search)s"),
        marked("the history"),
        marked("versions without it of %(search)s"),
        marked("versions without it"),
    ),
    Kind.BACKUP_BEGIN_ANEW: (
        marked("what is left: nothing"),
        marked("what is left: %(path)s"),
    ),
    Kind.CERTIFICATE_UPLOAD: (marked("issued by %(issuer)s, until %(on)s"),),
    Kind.CERTIFICATE_APPROVE: (marked("for %(name)s"),),
    Kind.CERTIFICATE_SIGN: (
        marked("%(id)s, by %(signer)s, until %(on)s, without %(names)s: %(reason)s"),
        marked("%(id)s, by %(signer)s, until %(on)s, without %(names)s"),
        marked("%(id)s, by %(signer)s, until %(on)s: %(reason)s"),
        marked("%(id)s, by %(signer)s, until %(on)s"),
    ),
    Kind.CERTIFICATE_REJECT: (*CERTIFICATES,),
    Kind.AUTHORITY_ADD: (
        marked("made here, for the key of the one before it was stolen"),
        marked("made here, %(key)s"),
        marked("made here"),
        marked("taken over"),
    ),
    Kind.SECRETS_KEY_ADD: (marked("instead of older ones"),),
    Kind.SECRETS_KEY_FORGET: (
        plural(
            "%(number)s key that what is deployed does not need", "%(number)s keys that what is deployed does not need"
        ),
    ),
    Kind.RESTORE: (
        marked("restore %(id)s: to %(hex)s, which was received %(at)s UTC, instead of the one that was open"),
        marked("restore %(id)s: to %(hex)s, which was received %(at)s UTC"),
    ),
}
"""Of kinds that are not here, details are what people typed, or names. Of two forms that fit, the first counts."""

_ON_DEVICES = (
    *(Kind.DEVICE_FORGET, Kind.DEVICE_TOUCH, Kind.DEVICE_ACCEPT, Kind.DEVICE_REFUSE, Kind.DEVICE_WITHDRAW),
    *(Kind.CERTIFICATE_RESTART, Kind.CERTIFICATE_REJECT),
)

SUBJECTS: Mapping[str, Forms] = {
    Kind.FREEZE: (marked("until %(until)s"),),
    **dict.fromkeys(_ON_DEVICES, (plural("%(number)s device", "%(number)s devices"),)),
}
"""The same of what something was done to."""
