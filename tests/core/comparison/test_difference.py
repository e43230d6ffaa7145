from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.comparison.consequences import ExecutedAgain, PollsOtherwise
from gitupd.core.comparison.difference import Hunk, ScriptDifference, compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.comparison.rendering import Rendering

SNIPPET = "snippets/all-all-all.txt"
OFF = {"policies/backup.yaml": "enabled: false"}
BASE = {**OFF, SNIPPET: "one\ntwo\nthree\n"}


def test_equal_scripts_have_no_difference(render: Callable[..., Rendering]) -> None:
    assert compare(render(BASE), render(BASE)) is None
    assert compare(render(BASE, executed=BASE), render(BASE, executed=BASE)) is None


def test_lines_that_go_and_come_are_told_with_their_file(render: Callable[..., Rendering]) -> None:
    head = {**OFF, SNIPPET: "one\n2\nthree\nfour\n"}
    difference = compare(render(BASE, executed=BASE), render(head, executed=BASE))
    assert difference == ScriptDifference(
        (Hunk(("two",), ("2",), SNIPPET), Hunk((), ("four",), SNIPPET)), (ExecutedAgain(),)
    )
    assert (difference.removed, difference.added) == (1, 2)


def test_a_line_of_gitupd_itself_is_from_no_file(render: Callable[..., Rendering]) -> None:
    head = {**BASE, "policies/delivery.yaml": "window: {initial_minutes: 5}"}
    difference = compare(render(BASE), render(head))
    assert difference is not None
    assert difference.hunks == (Hunk((), ("mod cmd UP1 times  /initial 5",)),)


def test_secrets_are_hidden_and_no_byte_is_refused(render: Callable[..., Rendering]) -> None:
    head = {**OFF, SNIPPET: "one\ntwo\nthree\npassword x\n"}
    difference = compare(render(BASE), render(head), hide=lambda line: line.replace("x", "***"))
    assert difference is not None
    assert difference.hunks == (Hunk((), ("password ***",), SNIPPET),)


def test_a_blank_may_make_a_line_another_that_is_executed_by_nobody_again(render: Callable[..., Rendering]) -> None:
    head = {**OFF, SNIPPET: "one\ntwo \nthree\n"}
    difference = compare(render(BASE, executed=BASE), render(head, executed=BASE))
    assert difference == ScriptDifference((Hunk(("two",), ("two ",), SNIPPET),), ())


def test_another_way_to_the_next_poll_is_no_line_but_a_consequence(render: Callable[..., Rendering]) -> None:
    staging = "phase=update&polling=5&type=IP222&sn=00-90-33-30-00-af&hwid=h&ip=10.0.0.7"
    head = {**BASE, "policies/delivery.yaml": "interval: 30"}
    assert compare(render(BASE, staging), render(head, staging)) == ScriptDifference((), (PollsOtherwise(),))
