"""What is encrypted in a configuration, with a key and without."""

from __future__ import annotations

import hashlib

import pyrage
import pytest
from support.secrets import ANOTHER, CANARY, Keyholder

from gitupd.config.loader import build, load
from gitupd.config.sealed import count_recipients, recipients_in
from gitupd.core.secrets.sealed import NO_KEY, Opener

SITE = Keyholder()
SNIPPET = "snippets/all-all-all.txt.age"
TEMPLATE = "snippets/all-all-all.txt.j2"
FILES = {
    "environments.yaml": b"environments: {default: {}, berlin: {implies: [intranet]}, intranet: {}}\n",
    "devices.yaml": b"devices: {00-90-33-30-00-af: {variables: {room: '12'}}}\n",
}
_ENCRYPT = "gitupd secrets encrypt"
_UNFIT = "not as secrets are written; gitupd secrets edit says what is wrong"
_HISTORY = "; and replace what is in it, for it stays in the history"
SECRETS = f"""\
variables: {{pin: '1234', token: {CANARY}}}
environments: {{berlin: {{pin: '5678'}}}}
devices: {{00-90-33-30-00-AF: {{pin: '9999'}}}}
"""


def told(files: dict[str, bytes], opener: Opener | None = None) -> list[str]:
    problems = [str(problem) for problem in build({**FILES, **files}, opener=opener)[1]]
    assert not any(CANARY in problem for problem in problems)
    return problems


@pytest.mark.parametrize("armored", [True, False])
def test_with_the_key_a_snippet_is_opened(*, armored: bool) -> None:
    content = SITE.seal("config add X /pw a\n", armored=armored)
    assert told({SNIPPET: content}, SITE.opener()) == []
    (snippet,) = load({SNIPPET: content}, opener=SITE.opener()).snippets
    assert (snippet.content, snippet.phase) == (b"config add X /pw a\n", "all")
    assert snippet.seal is not None
    assert (snippet.seal.digest, snippet.seal.fault) == (hashlib.sha256(content).hexdigest(), None)


def test_without_a_key_it_is_closed_which_is_no_problem() -> None:
    files = {SNIPPET: SITE.seal(f"config add X /pw {CANARY}\n"), "secrets.yaml.age": SITE.seal(SECRETS)}
    assert told(files) == []
    snapshot = load(files)
    assert snapshot.snippets[0].content == b""
    assert [snapshot.snippets[0].seal.fault, snapshot.secrets.seal.fault] == [NO_KEY, NO_KEY]
    assert snapshot.closed == tuple(f"{path} can't be decrypted: {NO_KEY}" for path in (SNIPPET, "secrets.yaml.age"))
    assert snapshot.sealed.hidden("1234") == "1234"


def test_what_another_key_opens_is_an_error_of_the_commit_and_leaves_the_others_served() -> None:
    files = {SNIPPET: Keyholder().seal("x"), "secrets.yaml.age": Keyholder().seal("variables: {}")}
    cure = "encrypt it to this site's key, which gitupd secrets recipients tells"
    assert told(files, SITE.opener()) == [
        f"secrets.yaml.age: can't be decrypted: it is encrypted to other keys; {cure}",
        f"{SNIPPET}: can't be decrypted: it is encrypted to other keys; {cure}",
    ]
    assert len(load(files, opener=SITE.opener()).closed) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"config add X /pw Cnry7-hunter2\n",
        b"age-encryption.org/v1\nnothing more",
        b"-----BEGIN AGE ENCRYPTED FILE-----\n*\n-----END AGE ENCRYPTED FILE-----\n",
        b"-----BEGIN AGE ENCRYPTED FILE-----\nYQ\n-----END AGE ENCRYPTED FILE-----\n",
    ],
)
@pytest.mark.parametrize("opener", [None, SITE.opener()])
def test_plain_text_that_calls_itself_encrypted_is_an_error(content: bytes, opener: Opener | None) -> None:
    (problem,) = told({SNIPPET: content}, opener)
    assert problem.startswith(
        f"{SNIPPET}: not encrypted by age, though its name says so; encrypt it by: gitupd secrets"
    )
    assert load({SNIPPET: content}).snippets[0].content == b""


def test_what_is_encrypted_to_a_passphrase_is_worth_a_warning() -> None:
    content = pyrage.passphrase.encrypt(b"x", "pw")
    assert told({SNIPPET: content}) == [
        f"{SNIPPET}: warning: encrypted to no key of a site, as far as can be seen: to a passphrase?; {_ENCRYPT}"
    ]


def test_keys_are_counted() -> None:
    assert count_recipients(SITE.seal("x" * 100_000)) == 1
    assert count_recipients(SITE.seal("x", ANOTHER, armored=False)) == 2
    assert count_recipients(b"x") is None


def test_secrets_are_for_all_for_an_environment_or_for_a_device() -> None:
    secrets = load({**FILES, "secrets.yaml.age": SITE.seal(SECRETS)}, opener=SITE.opener()).secrets
    assert secrets.of(("default",), "") == {"pin": "1234", "token": CANARY}
    assert secrets.of(("default", "berlin"), "009033300000")["pin"] == "5678"
    assert secrets.of(("berlin",), "0090333000af")["pin"] == "9999"
    assert secrets.names == {"pin", "token"}
    assert secrets.texts == {"1234", "5678", "9999", CANARY}
    assert CANARY not in repr(secrets)


@pytest.mark.parametrize(
    ("plain", "problem"),
    [
        (f"variables: {{a: 1, a: {CANARY}}}", f":1:19: {_UNFIT}"),
        (f"varables: {{a: {CANARY}}}", f":1:1: {_UNFIT}"),
        (f'variables: {{a: "{CANARY}\\n"}}', f":1:16: {_UNFIT}"),
        ("variables: {room: x}", ": 'room' is a variable of environments.yaml or devices.yaml, too; keep one"),
        ("environments: {berln: {a: x}}", ":1:16: unknown environment 'berln'; did you mean 'berlin'?"),
    ],
)  # fmt: skip
def test_of_faults_in_secrets_nothing_is_quoted(plain: str, problem: str) -> None:
    (message,) = told({"secrets.yaml.age": SITE.seal(plain)}, SITE.opener())
    assert message.startswith(f"secrets.yaml.age{problem}")


@pytest.mark.parametrize("name", ["secrets.yaml", "secrets.yml"])
def test_secrets_in_plain_text_are_an_error_with_a_cure(name: str) -> None:
    (problem,) = told({name: SECRETS.encode()})
    assert problem.startswith(
        f"{name}: secrets in plain text, for everybody who may read the configuration; encrypt it"
    )
    assert problem.endswith(f" by: gitupd secrets encrypt --remove {name}{_HISTORY}")


def test_the_plain_text_beside_is_an_error() -> None:
    problems = told({SNIPPET: SITE.seal("x"), "snippets/all-all-all.txt": b"x"}, SITE.opener())
    assert f"snippets/all-all-all.txt: the plain text of {SNIPPET}; remove it{_HISTORY}" in problems


def test_a_private_key_is_an_error() -> None:
    (problem,) = told({"certificates/x": b"# mine\n" + str(SITE.identity).encode()})
    assert problem.startswith("certificates/x:2: a private key of age, which opens all that is encrypted; remove it")


def test_recipients_are_looked_at() -> None:
    listed = f"# ours\n{SITE.recipient}\n\nage1x\n{SITE.recipient}\n"
    assert recipients_in(listed.encode()) == (SITE.recipient, "age1x")
    files = {"age-recipients.txt": listed.encode(), SNIPPET: SITE.seal("x")}
    assert told(files) == [
        "age-recipients.txt: 'age1x' is no recipient; write age1…, one a line",
        f"{SNIPPET}: warning: encrypted to 1 keys, and age-recipients.txt has 2; encrypt it anew by: {_ENCRYPT}",
    ]
    assert told({**files, "age-recipients.txt": f"{SITE.recipient}\n".encode()}) == []


def test_a_template_may_mention_secrets() -> None:
    files = {TEMPLATE: b"config add X /pin {{ pin }}\n{{ token }}{{ nobody }}", "secrets.yaml.age": SITE.seal(SECRETS)}
    assert told(files) == []  # it may be a secret
    (problem,) = told(files, SITE.opener())
    assert problem.startswith(f"{TEMPLATE}:2: the variable 'nobody' is defined nowhere")


def test_of_a_sealed_template_nothing_is_quoted() -> None:
    path = f"{TEMPLATE}.age"
    assert told({path: SITE.seal(f"{{% {CANARY} %}}")}) == []
    assert told({path: SITE.seal("{% hunter2 %}")}, SITE.opener()) == [
        f"{path}:1: not a template that Jinja reads; gitupd secrets edit says what"
    ]
    assert told({SNIPPET: SITE.seal(f"reset {CANARY}\nvars create x y")}, SITE.opener()) == []
    assert told({SNIPPET: SITE.seal("vars create x"), "policies/delivery.yaml": b"check: false"}, SITE.opener()) == []


def test_secrets_are_no_larger_than_a_document() -> None:
    (problem,) = told({"secrets.yaml.age": SITE.seal("# " + "x" * 2**20)}, SITE.opener())
    assert problem == "secrets.yaml.age: more than 1 MiB, once it is decrypted; this is no place for large files"
