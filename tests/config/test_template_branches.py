"""Which ways a template goes."""

from __future__ import annotations

import pytest

from gitupd.config.template_branches import WatchedTemplate
from gitupd.config.templates import CheckedTemplate, read_template
from gitupd.core.secrets.template import Unfilled

DEVICE = {"phase": "update", "environments": ("berlin",), "classes": ()}

LADDER = """\
{% if x == '1' %}
one
{% elif x == '2' %}
two
{% else %}
many
{% endif %}
"""
NESTED = """\
{% for e in device.environments %}
{% if e == 'bonn' %}
b {{ e }}
{% endif %}
{% endfor %}
{% for e in device.classes %}
c {{ e }}
{% else %}
none
{% endfor %}
"""


def watched(source: str) -> WatchedTemplate:
    template = read_template("x.txt.j2", source.encode())
    assert isinstance(template, CheckedTemplate), template
    return WatchedTemplate("x.txt.j2", source.encode(), template)


def test_each_way_has_a_name_and_is_remembered() -> None:
    template = watched(LADDER)
    assert template.branches == ("x.txt.j2:1 if", "x.txt.j2:3 elif", "x.txt.j2:1 else")
    assert template.filled({"x": "2"}, DEVICE) == "two\n"
    assert template.taken == {"x.txt.j2:3 elif"}
    assert template.filled({"x": "3"}, DEVICE) == "many\n"
    assert template.taken == {"x.txt.j2:3 elif", "x.txt.j2:1 else"}


def test_an_if_that_is_left_out_is_a_way_and_so_are_loops() -> None:
    template = watched(NESTED)
    assert template.branches == (
        *("x.txt.j2:1 for", "x.txt.j2:2 if", "x.txt.j2:2 else"),
        *("x.txt.j2:6 for", "x.txt.j2:6 else"),
    )
    assert template.filled({}, DEVICE) == "none\n"
    assert template.taken == {"x.txt.j2:1 for", "x.txt.j2:2 else", "x.txt.j2:6 else"}


def test_a_loop_without_an_else_has_one_way() -> None:
    assert watched("{% for e in device.classes %}{{ e }}{% endfor %}").branches == ("x.txt.j2:1 for",)


@pytest.mark.parametrize("source", ["a {{ x }}\n", LADDER, "\x007\x00{% if x %}y{% endif %}"])
def test_it_says_what_the_template_says(source: str) -> None:
    plain = read_template("x.txt.j2", source.encode())
    assert isinstance(plain, CheckedTemplate)
    template = watched(source)
    assert template.filled({"x": "1"}, DEVICE) == plain.filled({"x": "1"}, DEVICE)
    for name in ("lines", "required", "entangled", "facts", "keeps_lines"):
        assert getattr(template, name) == getattr(plain, name)
    assert template.taken <= {*template.branches}


def test_what_can_not_be_filled_in_goes_no_way() -> None:
    template = watched("{% if x == '1' %}{{ y }}{% endif %}")
    with pytest.raises(Unfilled):
        template.filled({"x": "1"}, DEVICE)
    assert template.taken == set()
