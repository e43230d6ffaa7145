"""Who may sign commits: what stands in ``signers/``, and what is wrong with it.

The form of ``allowed_signers`` is that of OpenSSH (ssh-keygen(1), "ALLOWED SIGNERS"), so that ``git log
--show-signature`` goes by the same file.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitupd.config.documents import SIGNERS
from gitupd.core.deployments.signers import NAMESPACE, AllowedSigner, CommitSigners, listed
from gitupd.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ALLOWED_SIGNERS = f"{SIGNERS}allowed_signers"
REVOKED_KEYS = f"{SIGNERS}revoked_keys"
OPENPGP = ".asc"
MOST_OPENPGP = 200
"""So many files with OpenPGP keys are read; each may hold several."""
_LEAST_RSA_BITS = 2048
_ADVISED_RSA_BITS = 3072
_KINDS = {
    "ssh-ed25519": 2,
    "ssh-rsa": 3,
    **dict.fromkeys(("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"), 3),
    "sk-ssh-ed25519@openssh.com": 3,
    "sk-ecdsa-sha2-nistp256@openssh.com": 4,
}
"""What keys are called that a commit may be signed with, and of how many texts they consist; DSA is none any more."""
_OPTIONS = ("cert-authority", "namespaces", "valid-after", "valid-before")
_LONGEST_SHOWN = 40
_SECRET = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----")
_BLOCK = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_KRL = b"SSHKRL"
_OPTION = re.compile(r'(?P<name>[A-Za-z-]+)(?:="(?P<value>[^"]*)")?(?:,|(?=\s)|$)')
_QUOTED = re.compile(r'"(?P<text>[^"]*)"\s+(?P<rest>.*)')
_LOCAL_TIME = re.compile(rb'valid-(?:after|before)="([0-9]+)"', re.IGNORECASE)
_TIME = re.compile(r"(?P<digits>\d{8}|\d{12}|\d{14})(?P<zone>Z?)", re.ASCII | re.IGNORECASE)
_FORMATS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_HINT = 'write: vera@example.com namespaces="git" ssh-ed25519 AAAA…, as ssh-keygen(1) says below ALLOWED SIGNERS'
_LENGTH = struct.Struct(">I")


def read_signers(files: Mapping[str, bytes]) -> CommitSigners:
    """Return whose signatures count by what *files* say; what is malformed lets nobody sign."""
    certificates = [(path, files[path]) for path in sorted(files) if _is_openpgp(path)]
    return CommitSigners(
        tuple(each for each in _allowed(files) if isinstance(each, AllowedSigner)),
        tuple((path, content) for path, content in certificates if not _SECRET.search(content))[:MOST_OPENPGP],
        frozenset(each for each in _revoked(files) if isinstance(each, bytes)),
    )


def signer_problems(files: Mapping[str, bytes], *, required: bool) -> Iterator[Problem]:
    """Yield what is wrong with those of *files* that say who signs; *required* is whether commits have to be signed."""
    for path, content in files.items():
        if path.startswith(SIGNERS):
            yield from _misfit(path, content)
    for signer in _allowed(files):
        if isinstance(signer, Problem):
            yield signer
        else:
            yield from _doubtful(signer, files[ALLOWED_SIGNERS].split(b"\n")[signer.line - 1])
    yield from (each for each in _revoked(files) if isinstance(each, Problem))
    if sum(map(_is_openpgp, files)) > MOST_OPENPGP:
        message = f"more than {MOST_OPENPGP} files with OpenPGP keys"
        yield Problem(SIGNERS, 0, 0, message, "leave those of people who work on this configuration")
    if required and read_signers(files).is_empty:
        message = "require_signatures is on, and signers/ has no key: no commit could be deployed after this one"
        yield Problem(SIGNERS, 0, 0, message, f"add {ALLOWED_SIGNERS}, or *{OPENPGP}, or set require_signatures: false")


def _is_openpgp(path: str) -> bool:
    return path.startswith(SIGNERS) and path.endswith(OPENPGP)


def _misfit(path: str, content: bytes) -> Iterator[Problem]:
    """Yield what a file below ``signers/`` is that it should not be."""
    if _SECRET.search(content):
        message = "a secret key, which everybody gets who may read the configuration"
        yield Problem(path, 0, 0, message, "remove it, and replace the key: it stays in the history")
    elif path == REVOKED_KEYS and content.startswith(_KRL):
        yield Problem(path, 0, 0, "a binary list of revoked keys (KRL)", "write the public keys themselves, one a line")
    elif _is_openpgp(path) and _BLOCK not in content:
        yield Problem(path, 0, 0, "no OpenPGP public key", "write it by: gpg --export --armor vera@example.com")
    elif path not in (ALLOWED_SIGNERS, REVOKED_KEYS) and not _is_openpgp(path):
        hint = f"SSH keys are in {ALLOWED_SIGNERS} and {REVOKED_KEYS}, OpenPGP keys in {SIGNERS}NAME{OPENPGP}"
        yield Problem(path, 0, 0, "not read by gitupd", hint, Severity.WARNING)


def _doubtful(signer: AllowedSigner, line: bytes) -> Iterator[Problem]:
    """Yield what of *signer* is hardly meant, or should be better; *line* is how it is written."""
    if signer.namespaces and not listed(NAMESPACE, signer.namespaces):
        message = f"{signer.name} may sign for {signer.namespaces}, and not commits"
        yield _warning(signer.line, message, 'write namespaces="git"')
    bits = _rsa_bits(signer.key)
    if bits is not None and bits < _ADVISED_RSA_BITS:
        yield _warning(signer.line, f"a weak key: RSA of {bits:,} bits", "replace it by: ssh-keygen -t ed25519")
    if signer.after is not None and signer.before is not None and signer.before <= signer.after:
        yield _warning(signer.line, "it expires before it is valid, so that it never counts", "exchange the times")
    for found in _LOCAL_TIME.findall(line):
        text = found.decode("ascii")
        yield _warning(signer.line, f"{text} is UTC here, and local time for ssh-keygen", f"write {text}Z")


def _warning(line: int, message: str, hint: str) -> Problem:
    return Problem(ALLOWED_SIGNERS, line, 0, message, hint, Severity.WARNING)


def _allowed(files: Mapping[str, bytes]) -> Iterator[AllowedSigner | Problem]:
    for number, line in _lines(files.get(ALLOWED_SIGNERS, b"")):
        try:
            yield _signer(number, _text(line))
        except ValueError as error:
            yield Problem(ALLOWED_SIGNERS, number, 0, str(error), _HINT)


def _revoked(files: Mapping[str, bytes]) -> Iterator[bytes | Problem]:
    content = files.get(REVOKED_KEYS, b"")
    for number, line in _lines(b"" if content.startswith(_KRL) else content):
        try:
            yield _key(_text(line))
        except ValueError as error:
            yield Problem(REVOKED_KEYS, number, 0, str(error), "write a public key on each line: ssh-ed25519 AAAA…")


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that say something, with their numbers."""
    for number, line in enumerate(content.split(b"\n"), 1):
        if (said := line.strip(b" \t\r")) and not said.startswith(b"#"):
            yield number, said


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error


def _signer(number: int, line: str) -> AllowedSigner:
    """Return what a *line* of ``allowed_signers`` says; raises ValueError with what is wrong with it."""
    quoted = _QUOTED.fullmatch(line)
    principals, _, rest = (quoted["text"], "", quoted["rest"]) if quoted else line.partition(" ")
    if not principals.strip(", ") or not rest.strip():
        raise ValueError("no name, or no key behind it")
    options, rest = _options(rest.strip())
    after, before = (options.get(name) for name in ("valid-after", "valid-before"))
    return AllowedSigner(
        number,
        principals,
        _key(rest),
        "cert-authority" in options,
        options.get("namespaces", ""),
        None if after is None else _time(after),
        None if before is None else _time(before),
    )


def _options(text: str) -> tuple[dict[str, str], str]:
    """Return the options at the beginning of *text* by their names, and what comes behind them."""
    options: dict[str, str] = {}
    if text.partition(" ")[0] in _KINDS:
        return options, text
    while not text[:1].isspace():
        option = _OPTION.match(text)
        name = option["name"].lower() if option else ""
        if option is None or name not in _OPTIONS:
            raise ValueError(f"neither an option nor a kind of key that commits are signed with: {_shown(text)}")
        if (option["value"] is None) != (name == "cert-authority"):
            raise ValueError(f"{name} takes {'no value' if name == 'cert-authority' else 'a value in quotation marks'}")
        if name in options:
            raise ValueError(f"{name} is there twice")
        options[name] = option["value"] or ""
        text = text[option.end() :]
    return options, text.strip()


def _key(text: str) -> bytes:
    """Return the public key that *text* begins with; raises ValueError if it is none that may sign."""
    kind, _, rest = text.partition(" ")
    if kind not in _KINDS:
        raise ValueError(f"no kind of key that commits are signed with: {_shown(kind)}")
    try:
        key = base64.b64decode(rest.split()[0] if rest.split() else "", validate=True)
        parts = _parts(key)
    except (binascii.Error, struct.error, ValueError) as error:
        raise ValueError(f"no {kind} key: it is damaged or cut off") from error
    if len(parts) != _KINDS[kind] or parts[0] != kind.encode():
        raise ValueError(f"no {kind} key: it is another kind, or damaged")
    bits = _rsa_bits(key)
    if bits is not None and bits < _LEAST_RSA_BITS:
        raise ValueError(f"an RSA key of {bits:,} bits, too weak to count")
    return key


def _parts(key: bytes) -> list[bytes]:
    """Return the texts of which *key* consists; raises ValueError if it is cut off."""
    parts = []
    while key:
        (length,) = _LENGTH.unpack_from(key)
        part = key[_LENGTH.size : _LENGTH.size + length]
        if len(part) != length:
            raise ValueError("cut off")
        parts.append(part)
        key = key[_LENGTH.size + length :]
    return parts


def _rsa_bits(key: bytes) -> int | None:
    """Return how long the modulus of *key* is, None if it is none of RSA."""
    kind, *numbers = _parts(key)
    return int.from_bytes(numbers[-1]).bit_length() if kind == b"ssh-rsa" else None


def _time(text: str) -> datetime:
    found = _TIME.fullmatch(text)
    with suppress(ValueError):
        if found is not None:
            return datetime.strptime(found["digits"], _FORMATS[len(found["digits"])]).replace(tzinfo=UTC)
    raise ValueError(f"{_shown(text)} is no time; write 20261231Z, or 202612312359Z")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")
