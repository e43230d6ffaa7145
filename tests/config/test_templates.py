"""Snippets with variables, read and filled in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pace import slowness

from gitupd.config.templates import CheckedTemplate, read_template
from gitupd.core.secrets.template import Masked, Unfilled
from gitupd.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

DEVICE = {
    "serial": "00-90-33-30-00-af",
    "type": "IP222",
    "hwid": "IP222-30-00-af",
    "name": "",
    "phase": "update",
    "environments": ("berlin", "intranet"),
    "classes": ("phone", "ip222"),
}


def read(source: str | bytes) -> CheckedTemplate:
    template = read_template("x.txt.j2", source if isinstance(source, bytes) else source.encode())
    assert isinstance(template, CheckedTemplate), template
    return template


def filled(source: str, values: Mapping[str, str] | None = None) -> str:
    return read(source).filled(values or {}, DEVICE)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a {{ x }}\r\nb {{ y }}\n", "a 1\nb ä /&\n"),
        ("{{ y | urlencode }} {{ 'a b' | urlencode }}", "%C3%A4%20%2F%26 a%20b"),
        ("{% if x == '1' %}\n  one\n{% endif %}\nend", "  one\nend"),
        ("  {% for e in device.environments %}\n{{ loop.index }} {{ e }}\n  {% endfor %}\n", "1 berlin\n2 intranet\n"),
        ("{{ z | default('none') }} {{ z is defined }} {{ x | default('no') }}", "none False 1"),
        ("{{ device.name | default('Anybody', true) }} {{ device.name | d('x') }}", "Anybody "),
        ("{{ device.serial | replace('-', '') | upper }} {{ (x | int) + 4 }}", "0090333000AF 5"),
        ("{# gone #}<&>'\"{% raw %}{{ x }}{% endraw %}", "<&>'\"{{ x }}"),
        ("{{ device.classes | join('+') }} {{ device.classes | first }}", "phone+ip222 phone"),
    ],
)
def test_a_template_is_filled_in(source: str, text: str) -> None:
    assert filled(source, {"x": "1", "y": "ä /&"}) == text


def test_a_masked_value_stays_what_it_is() -> None:
    assert filled("{{ x | urlencode }} {{ x }}", {"x": Masked("***")}) == "*** ***"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{{ z }}", "'z' is not defined for this device"),
        ("{% if z %}x{% endif %}", "'z' is not defined for this device"),
        ("{{ ''[3] }}", "a value that is not there"),
        ("{{ [] | first }}", "a value that is not there"),
        ("{{ x + 1 }}", "what it does can't be done with these values (TypeError)"),
        ("{% for n in range(300) %}{{ y }}\n{% endfor %}", "it becomes larger than 256 KiB"),
        ("{% for n in range(30) %}{{ y }}{% endfor %}", "a line of it becomes longer than 20,000 characters"),
    ],
)
def test_one_that_cant_be_filled_in_says_why_and_quotes_nothing(source: str, told: str) -> None:
    with pytest.raises(Unfilled) as failure:
        filled(source, {"x": "1", "y": "y" * 1000})
    assert str(failure.value) == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a\n{{ x", "2: not a template that Jinja reads: unexpected end of template, "),
        (b"a\n{% secret %}", "2: not a template that Jinja reads: Encountered unknown tag 'secret'"),
        (b"a\n{{ x | y }}", "2: the filter 'y' is not allowed in a template; known: d, default, first, int"),
        (b"a\n\xff", "2: not UTF-8; save the file as UTF-8"),
        (b"{{ " + b"(" * 9000, " not a template that Jinja reads: nested too deeply, or too large a number"),
        (b"{{ " + b"9" * 9000, " not a template that Jinja reads: nested too deeply, or too large a number"),
        (b"x" * 70_000, " 70,000 bytes, more than 65,536 for a template; divide it, or write what has no variables"),
    ],
)  # fmt: skip
def test_a_template_that_cant_be_used_is_a_problem(content: bytes, told: str) -> None:
    problem = read_template("x.txt.j2", content)
    assert isinstance(problem, Problem)
    assert str(problem).removeprefix("x.txt.j2:").startswith(told)


def test_of_a_secret_template_nothing_is_quoted() -> None:
    for content, told in (
        (b"{% hunter2 %}", "not a template that Jinja reads"),
        (b"{{ x | hunter2 }}", "something that is not allowed in a template"),
    ):
        problem = read_template("x.txt.j2", content, secret=True)
        assert problem == Problem("x.txt.j2", 1, 0, told, "gitupd secrets edit says what")


@pytest.mark.parametrize(
    ("source", "keeps"),
    [
        ("a {{ x }}\nb {{ y | urlencode }}\n", True),
        ("{% if x %}\na\n{% endif %}", False),
        ("{# a\nb #}\n", False),
        ("{{ x\n}}\n", False),
        ("a\n{{- x }}", False),
        ("{{ x -}}\n", False),
    ],
)
def test_a_template_knows_whether_its_lines_stay_where_they_are(source: str, *, keeps: bool) -> None:
    assert read(source).keeps_lines is keeps


PIECES = [
    *("{{ x }}", "{{ x | urlencode }}", "{{ x * 10 ** 9 }}", "{{ 'x' * 1000000000 }}", "{% include 'x' %}", "text\n"),
    *("{% set a = a ~ a %}", "{% set a = x %}", "{{ a | upper }}", "{% set a = a + a %}", "{{ device.environments }}"),
    *("{% for i in range(1000) %}", "{% for e in device.classes %}", "{% for c in x %}", "{% endfor %}", "{% if x %}"),
    *("{% endif %}", "{% else %}", "{{ x | center(1000000000) }}", "{{ x | indent(999999999) }}", "{{ x | list }}"),
    *("{% macro m() %}{{ m() }}{% endmacro %}", "{{ m() }}", "{{ range(999999999) | join }}", "{{ x.__class__ }}"),
    *("{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ lipsum.__globals__ }}", "{{ x | batch(1) | slice(9) }}"),
    *("{{ '%999999999s' | format(x) }}", "{{ x | replace('', x) }}", "{{ x | replace('', 'yyyyyyyyyy') }}"),
    *("{{ 1000000000000000 + 1 }}", "{{ x | int }}", "{% set a = a | join('yyyyyyyyyy') %}", "{{ cycler }}"),
    "{{ a[::-1] }}",
]  # fmt: skip


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
    | st.text(st.sampled_from("{}%#x|~+-*()[]'\" \n.,0=:ifornset"), max_size=200),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=1000),
)
def test_whatever_a_template_is_it_ends_soon_and_makes_no_more_than_it_may(source: str, value: str) -> None:
    started = time.process_time()
    template = read_template("x.txt.j2", source.encode())
    if isinstance(template, CheckedTemplate):
        try:
            text = template.filled({"x": value}, DEVICE)
            assert len(text) <= 256 * 1024
            assert max(map(len, text.split("\n"))) <= 20_000
        except Unfilled:
            pass
    else:
        assert template.message
    assert time.process_time() - started < 10 * slowness()


def test_the_most_work_that_is_allowed_is_done_soon() -> None:
    sources = [
        "{% for a in range(480) %}{% set b = x | urlencode %}{% endfor %}",
        "{% for a in range(140) %}{% set b = x | replace('ü', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') %}{% endfor %}",
        "{% for a in range(900) %}{% for b in range(90) %}{% endfor %}{% endfor %}",
        "{% for a in range(120) %}{% set b = device.environments | join('+') %}{% endfor %}",
        "{% for a in range(400) %}{% set b = (y | int) + (y | int) %}{% endfor %}",
    ]
    for source in sources:
        started = time.process_time()
        read(source).filled({"x": "ü" * 1000, "y": "9" * 1000}, {**DEVICE, "environments": ("e" * 64,) * 64})
        assert time.process_time() - started < 5 * slowness()
