"""The ways of docs/how-to/find-answers.md, walked step by step as they are written there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.visiting import NARROW, WIDE, Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Page

GUIDE = Path(__file__).parents[2] / "docs/how-to/find-answers.md"
OPEN = re.compile(r"Open \*\*(.+)\*\*\.")
TYPE = re.compile(r"Type `(.+)` into \*\*(.+)\*\*\.")
PRESS = re.compile(r"Press \*\*(.+)\*\*\.")
READ = re.compile(r"Read \*\*(.+)\*\*\.")
MOST_STEPS = 4
"""The last of which is to read."""


@dataclass(frozen=True)
class Task:
    """A question, and the steps to its answer, as the guide words them."""

    question: str
    steps: tuple[str, ...]


def tasks() -> list[Task]:
    _, *parts = re.split(r"^### ", GUIDE.read_text("utf-8"), flags=re.MULTILINE)
    heads_and_ways = [part.partition("\n")[::2] for part in parts]
    return [Task(head, tuple(re.findall(r"^\d+\. (.+)$", way, flags=re.MULTILINE))) for head, way in heads_and_ways]


def walk(page: Page, step: str) -> None:
    main = page.locator("main")
    if found := OPEN.fullmatch(step):
        menu = page.get_by_text("Menu", exact=True)
        if menu.is_visible():
            menu.click()
        page.get_by_role("navigation").get_by_role("link", name=found[1], exact=True).filter(visible=True).click()
    elif found := TYPE.fullmatch(step):
        main.get_by_label(found[2], exact=True).first.fill(found[1])
        page.keyboard.press("Enter")
    elif found := PRESS.fullmatch(step):
        link, button = (main.get_by_role(role, name=found[1], exact=True) for role in ("link", "button"))
        opening = main.locator("summary").get_by_text(found[1], exact=True)
        link.or_(button).or_(opening).filter(visible=True).first.click()
    elif found := READ.fullmatch(step):
        expect(main.get_by_text(found[1]).filter(visible=True).first).to_be_visible()
    else:
        pytest.fail(f"{step!r} is no step that this test can take")


def test_they_are_numbered_and_each_is_short() -> None:
    found = tasks()
    assert [task.question.partition(".")[0] for task in found] == [str(number) for number in range(1, 32)]
    assert [task.question for task in found if not 2 <= len(task.steps) <= MOST_STEPS] == []
    assert [task.question for task in found if READ.fullmatch(task.steps[-1]) is None] == []


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.question)
def test_a_task_is_done_as_it_is_written(administrator: Visitor, task: Task) -> None:
    administrator.resize(WIDE)
    page = administrator.open("/account")
    for step in task.steps:
        walk(page, step)
    assert administrator.watch.settle() == []


@pytest.mark.parametrize("task", tasks()[::5], ids=lambda task: task.question)
def test_it_is_done_by_phone_and_without_scripts_too(plain: Visitor, task: Task) -> None:
    plain.resize(NARROW)
    page = plain.open("/account")
    for step in task.steps:
        walk(page, step)
    assert plain.watch.settle() == []
