"""Keys that have no effect yet."""

from __future__ import annotations

import pytest

from gitupd.core.without_effect import WITHOUT_EFFECT
from gitupd.resources import schema


@pytest.mark.parametrize(("document", "key"), WITHOUT_EFFECT)
def test_a_key_without_effect_promises_nothing_by_default(document: str, key: str) -> None:
    gap = WITHOUT_EFFECT[document, key]
    assert schema(document)["properties"][key]["default"] == gap.harmless
    assert not gap.applies(gap.harmless)
    assert not gap.applies(None)


@pytest.mark.parametrize("gap", WITHOUT_EFFECT.values())
def test_what_is_so_instead_neither_starts_nor_ends_as_a_sentence(gap: object) -> None:
    for text in (gap.instead, gap.cure):
        assert text[0].islower()
        assert not text.endswith(".")
