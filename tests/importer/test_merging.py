"""How the user's elements are laid over the defaults."""

from __future__ import annotations

from gitupd.importer.elements import Attribute, Element, merged
from gitupd.importer.report import Passage, Report

HERE = Passage("", 2)


def element(tag: str, text: str = "", *children: Element, **attributes: str) -> Element:
    return Element(tag, {key: Attribute(value, HERE) for key, value in attributes.items()}, children, text, HERE)


def test_attributes_overwrite_and_texts_stay() -> None:
    report = Report("user-config.xml")
    both = merged(element("cmd", "default", a="1", b="2"), element("cmd", "mine", b="3"), report)
    assert both.text == "default"
    assert (both.get("a"), both.get("b")) == ("1", "3")
    assert '"mine" of <cmd> is ignored' in report.notes[0].message


def test_an_element_of_a_new_kind_is_added_whole() -> None:
    both = merged(element("a"), element("a", "", element("b", "text")), Report(""))
    assert both.first("b").text == "text"


def test_elements_with_an_id_are_joined_by_it() -> None:
    left = element("a", "", element("b", id="1"), element("b", id="2"))
    both = merged(left, element("a", "", element("b", id="2", x="y"), element("b", id="3")), Report(""))
    assert [(each.get("id"), each.get("x")) for each in both.children] == [("1", ""), ("2", "y"), ("3", "")]


def test_a_second_element_with_the_same_id_joins_the_first() -> None:
    right = element("a", "", element("b", "", element("m", "x"), id="1"), element("b", "", element("n"), id="1"))
    both = merged(element("a", "", element("b", id="0")), right, Report(""))
    assert [child.tag for child in both.children[1].children] == ["m", "n"]


def test_one_element_is_laid_over_one_and_several_are_added() -> None:
    one = merged(element("a", "", element("b", x="1")), element("a", "", element("b", x="2")), Report(""))
    assert [each.get("x") for each in one.children] == ["2"]
    two = merged(element("a", "", element("b", x="1")), element("a", "", element("b"), element("b")), Report(""))
    assert [each.get("x") for each in two.children] == ["1", "", ""]
