"""What notices consist of has German words, as far as the program says it."""

from __future__ import annotations

from datetime import UTC

import pytest
from support.raised import RaisedText, given_texts

from gitupd.language.forms.all import NOTICES
from gitupd.language.reader import Reader
from gitupd.language.sentences import retold

GERMAN = Reader("de", UTC)
GATES = ("block", "approval", "brake", "freeze", "history", "render_tests", "signature")

MADE = (
    *(("service/checkup/expiry.py", "SiteFinding", (1, 2)),),
    *((f"service/deployments/gates/{gate}.py", "Objection", (1, 2)) for gate in GATES),
    ("core/deployments/brake.py", "_braked", (0,)),
    ("service/deployments/concerns.py", "Concern", (2, 3)),
)
"""In which modules sentences of notices are made, by what, and as which of its arguments, from 0."""

COMMANDS = frozenset(
    {"gitupd trust remove {authority.file}", "gitupd trust add FILE", "gitupd devices certificate:expired lists them"}
)
"""Cures that are a command: the second is in no notice."""

PARTS = {
    "why": "has a damaged block of PEM",
    "ends": "ends on 2026-05-01",
    "listed.fault": "is signed by no authority of this site",
    "authority.fault": "may not sign others",
    "own": ", and ada has made or pushed part of it",
    "how_far": ", 5 of 10 devices are",
    "until(thaw(rules, now, zone))": " until 2026-05-01 10:00",
    "of_all": "of 500 active devices",
    "numbers.failing": "7",
    "how": "more than 50 % of their commands, up to 80 %",
    "share": "82 %",
    "lately": "",
    "what": "would restart",
}
"""What is filled in for an expression that is a part of a sentence."""

VALUES = ("xq", "0123456789ab", "2026-05-01", "12", "12 active devices", "3 devices", "12 %")

SENTENCES = (
    "the server's certificate has ended on 2026-05-01",
    "the server's certificate ends on 2026-05-01",
    "the authority X has ended on 2026-05-01, and identifies no device then",
    "the list of revoked certificates is signed by no authority of this site",
    "the list of revoked certificates should have been replaced by a newer one",
    "X may not sign others",
    "X has a critical extension that is not understood, 1.2.3",
    "it has a damaged block of PEM",
    "X, which goes along with certificates of devices, ends on 2026-05-01",
    "the authority X expires on 2026-05-01",
    "the authority X has expired on 2026-05-01, so nothing can be signed",
    "the authority can sign nothing: /s/key can't be read: x",
    "trust/x.crl, the list of what was revoked, is over since 2026-05-01",
    "trust/x.crl, the list of what was revoked, is missing or can't be read",
    "412 of 500 known devices (82 %), of which none has called lately, would restart; the brake is at 10 %",
    "3 of 500 known devices, of which none has called lately, would get no command of a snippet any more",
    "no phase 'x' any more, in which 1 device is",
    "commit 0123456789ab 'x' is signed by an unknown key, SHA256:x",
    "its files are those of commit 0123456789ab, which is blocked since it was rolled back (why)",
    "it does again what was rolled back with commit 0123456789ab, which is blocked since it was rolled back, to a",
    "leave that out, or lift the block: gitupd unblock 0123456789ab",
    "revert it on the branch: git revert 0123456789ab, or lift the block: gitupd unblock 0123456789ab",
    "they start over with 'x'",
    "they count as in 'x' if they name no other one",
    "set mtls in gitupd.toml, [[listen]], or client_certificate_header",
    "name a command, or acme, under [signing] in gitupd.toml",
    "leaves out 2 commits that are deployed now, 0123456789ab 'x'",
    "merge what is deployed if that is not meant",
    "it no longer lists ada, who has signed 0123456789ab",
    "3 render tests of it fail: x: y",
    "there are 3 warnings more",
)
"""As they are put together of parts."""


def sentences() -> list[RaisedText]:
    return [each for module, called, places in MADE for each in given_texts(module, called, *places)]


@pytest.mark.parametrize("text", sentences(), ids=lambda text: f"{text.module}:{text.line}")
def test_what_speaks_against_a_commit_or_ends_has_german_words(text: RaisedText) -> None:
    if len(text.parts) == 1 and text.parts[0][0]:  # only a name: what it stands for is among the sentences
        return
    if str(text) in COMMANDS:
        return
    known = PARTS | ({"what": "phase"} if "goes, in which" in str(text) else {})
    known |= {} if "why" not in known or text.module.endswith("expiry.py") else {"why": ": the fair"}
    filled = [text.filled(value, known) for value in VALUES]
    assert any(retold(each, GERMAN, NOTICES) != each for each in filled), str(text)


@pytest.mark.parametrize("said", SENTENCES)
def test_sentences_that_are_put_together_have_german_words(said: str) -> None:
    told = retold(said, GERMAN, NOTICES)
    assert told != said
    assert not {"the", "which", "is", "are", "of", "not", "and"} & set(told.split())
