"""What is encrypted in a configuration: files in the format of age, opened where there is a key, else judged by heads.

Of what is in them no message quotes anything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.config.documents import PLAIN_SECRETS, Document, read_document
from gitupd.config.schema import suggestion
from gitupd.core.caller import parse_serial
from gitupd.core.secrets.sealed import NO_KEY, SECRETS, Seal, Secrets, Unopened
from gitupd.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gitupd.core.secrets.sealed import Opener
    from gitupd.core.snapshot import Snapshot

ENDING = ".age"
RECIPIENTS = "age-recipients.txt"
_VERSION = b"age-encryption.org/v1\n"
_ARMOR = re.compile(rb"\s*-----BEGIN AGE ENCRYPTED FILE-----\r?\n(.*?)-----END AGE ENCRYPTED FILE-----\s*", re.DOTALL)
_STANZA = re.compile(rb"^-> X25519 ", re.MULTILINE)
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")
_KEY = b"AGE-SECRET-KEY-1"
_HEAD = 64 * 2**10
_LARGEST = 2**20


def unsealed(
    path: str, content: bytes, opener: Opener | None, problems: list[Problem], *, of: str = ""
) -> tuple[bytes, Seal]:
    """Return what is in the encrypted file at *path*, empty if it stays closed, and its seal.

    Without *opener* it does, which is no fault. ``of`` is a part of the sentence on who can't open it.
    """
    digest = hashlib.sha256(content).hexdigest()
    recipients = count_recipients(content)
    if recipients is None:
        hint = "encrypt it by: gitupd secrets encrypt; and replace the secrets in it, for they stay in the history"
        problems.append(Problem(path, 0, 0, "not encrypted by age, though its name says so", hint))
        return b"", Seal(digest, "it is not encrypted")
    if opener is None:
        if recipients == 0:
            message = "encrypted to no key of a site, as far as can be seen: to a passphrase?"
            problems.append(Problem(path, 0, 0, message, "gitupd secrets encrypt", Severity.WARNING))
        return b"", Seal(digest, NO_KEY)
    try:
        return opener(content), Seal(digest)
    except Unopened as error:
        hint = "encrypt it to this site's key, which gitupd secrets recipients tells"
        problems.append(Problem(path, 0, 0, f"can't be decrypted{of}: {error}", hint))
        return b"", Seal(digest, str(error))


def count_recipients(content: bytes) -> int | None:
    """Return to how many keys *content* is encrypted, None if it is not in the format of age."""
    match = _ARMOR.fullmatch(content)
    if match:
        try:
            content = base64.b64decode(b"".join(match[1][: 2 * _HEAD].split())[: _HEAD // 4 * 4])
        except binascii.Error:
            return None
    head, end, _ = content[:_HEAD].partition(b"\n--- ")
    return len(_STANZA.findall(head)) if end and head.startswith(_VERSION) else None


def read_secrets(
    files: Mapping[str, bytes], opener: Opener | None, environments: Collection[str] | None, problems: list[Problem]
) -> Secrets | None:
    """Return what ``secrets.yaml.age`` among *files* says; *environments* are all that exist, None if nobody knows."""
    if SECRETS not in files:
        return None
    plain, seal = unsealed(SECRETS, files[SECRETS], opener, problems)
    if seal.fault is not None:
        return Secrets(seal)
    if len(plain) > _LARGEST:
        message = f"more than {_LARGEST >> 20} MiB, once it is decrypted"
        problems.append(Problem(SECRETS, 0, 0, message, "this is no place for large files"))
        return Secrets(replace(seal, fault="it is too large"))
    document, faults = read_document(SECRETS, "secrets", plain)
    problems += (_unquoting(fault) for fault in faults)
    by_environment: Mapping[str, Mapping[str, str]] = document.get("environments", default={})
    for name in by_environment:
        if environments is not None and name not in environments:
            problems.append(_misplaced(document, name, environments))
    devices = {parse_serial(serial).digits: values for serial, values in document.get("devices", default={}).items()}
    return Secrets(seal, document.get("variables", default={}), by_environment, devices)


def _misplaced(document: Document, name: str, environments: Collection[str]) -> Problem:
    place = document.problem(["environments", name], "", key=True)
    return replace(place, message=f"unknown environment {name!r}", hint=suggestion(name, environments))


def _unquoting(fault: Problem) -> Problem:
    """Return *fault*, in which a value may be quoted, without its words."""
    return replace(fault, message="not as secrets are written", hint="gitupd secrets edit says what is wrong")


def exposed(files: Mapping[str, bytes]) -> Iterator[Problem]:
    """Yield what of *files* should be encrypted, and is not."""
    history = "; and replace what is in it, for it stays in the history"
    for path in PLAIN_SECRETS:
        if path in files:
            hint = f"encrypt it by: gitupd secrets encrypt --remove {path}{history}"
            yield Problem(path, 0, 0, "secrets in plain text, for everybody who may read the configuration", hint)
    for path in files:
        plain = path.removesuffix(ENDING)
        if plain != path and plain in files and plain not in PLAIN_SECRETS:
            yield Problem(plain, 0, 0, f"the plain text of {path}", f"remove it{history}")
    for path, content in files.items():
        if _KEY in content:
            line = content.count(b"\n", 0, content.index(_KEY)) + 1
            yield Problem(
                path, line, 0, "a private key of age, which opens all that is encrypted", f"remove it{history}"
            )


def recipients_in(content: bytes) -> tuple[str, ...]:
    """Return the recipients in the file of recipients, without comments, each once."""
    lines = (line.strip() for line in content.decode(errors="replace").splitlines())
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def doubtful(files: Mapping[str, bytes], snapshot: Snapshot) -> Iterator[Problem]:
    """Yield what is odd about recipients among *files*, and which names of *snapshot* are secret and plain."""
    both = sorted(snapshot.secret_names & snapshot.plain_names)
    for name in both:
        message = f"{name!r} is a variable of environments.yaml or devices.yaml, too"
        yield Problem(SECRETS, 0, 0, message, "keep one of them: which one counts should not depend on who asks")
    if RECIPIENTS not in files:
        return
    recipients = recipients_in(files[RECIPIENTS])
    for recipient in recipients:
        if not _RECIPIENT.fullmatch(recipient):
            yield Problem(RECIPIENTS, 0, 0, f"{recipient[:80]!r} is no recipient", "write age1…, one a line")
    for path, content in files.items():
        count = count_recipients(content) if path.endswith(ENDING) else None
        if count is not None and count != len(recipients):
            message = f"encrypted to {count} keys, and {RECIPIENTS} has {len(recipients)}"
            yield Problem(path, 0, 0, message, "encrypt it anew by: gitupd secrets encrypt", Severity.WARNING)
