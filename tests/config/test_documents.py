"""The documents of a repository, and what is told of those that lie elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Callable[[Mapping[str, str | bytes]], list[str]]


def test_nothing_at_all_is_no_configuration_and_one_empty_document_is(told: Told) -> None:
    looked = (
        "looked for phases.yaml, environments.yaml, classes.yaml, queries.yaml, devices.yaml, policies/ and snippets/"
    )
    assert told({}) == [f".: no document and no snippet; {looked}; name the folder that holds them"]
    assert told({"tests/x.yaml": ""}) == told({})
    assert told({"phases.yaml": "# nothing yet\n", "queries.yaml": ""}) == []


@pytest.mark.parametrize(
    ("paths", "problems"),
    [
        (
            ["Snippets/all-all-all.txt", "Snippets/all-phone-all.txt"],
            ["Snippets/: not read by gitupd, which looks for 'snippets/'; rename it: letter case counts"],
        ),
        (
            ["Policies/Delivery.yaml"],
            ["Policies/: not read by gitupd, which looks for 'policies/'; rename it: letter case counts"],
        ),
        (
            ["Scripting.PY"],
            ["Scripting.PY: not read by gitupd, which looks for 'scripting.py'; rename it: letter case counts"],
        ),
        (
            ["conf/policies/delivery.yaml", "conf/snippets/all-all-all.txt"],
            [
                "conf/policies/delivery.yaml: warning: not read by gitupd here; move it to policies/delivery.yaml",
                "conf/snippets/all-all-all.txt: warning: not read by gitupd here; move it to snippets/all-all-all.txt",
            ],
        ),
        (["old/phases.yaml", "docs/snippet.txt"], []),
    ],
)
def test_what_is_called_or_placed_otherwise_is_told(told: Told, paths: list[str], problems: list[str]) -> None:
    assert told({"phases.yaml": "phases: {update: {order: 1}}", **dict.fromkeys(paths, "")}) == problems
