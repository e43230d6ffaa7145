"""Render tests of a configuration in which something is encrypted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.secrets import CANARY, Keyholder

from gitupd.config.loader import load
from gitupd.core.situation import Basis
from gitupd.service.imagining import Imagining
from gitupd.service.testing.golden import golden_update
from gitupd.service.testing.running import run_tests

NOW = datetime(2024, 5, 6, tzinfo=UTC)
TEST = b"tests: [{name: x, device: {type: IP222}, lacks: ['config add A /x 1'], script: golden.txt}]\n"


@pytest.mark.parametrize("sealed", ["snippets/all-all-all.txt.age", "secrets.yaml.age"])
def test_they_go_the_same_whether_there_is_a_key_or_not(sealed: str) -> None:
    keyholder = Keyholder()
    text = f"variables: {{pin: {CANARY}}}\n" if sealed.startswith("secrets") else f"config add A /x {CANARY}\n"
    files = {
        "snippets/all-phone-all.txt.j2": b"config add B /x {{ pin | default('0') }}\n",
        "tests/x.yaml": TEST,
        sealed: keyholder.seal(text),
    }
    without = run_tests(Imagining(Basis(load(files)), NOW), files)
    written = golden_update(without, files).written
    assert CANARY not in str(written)
    there = {**files, **written}
    for opener in (None, keyholder.opener()):
        (result,) = run_tests(Imagining(Basis(load(there, opener=opener)), NOW), there)
        assert result.failures == ()
