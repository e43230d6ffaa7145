"""What is allowed in a template, and how much of it."""

from __future__ import annotations

import pytest
from jinja2 import Environment

from gitupd.config.template_rules import Examination, NotAllowed

_LEFT = "allowed are {{ values }}, filters, if, for and set; what needs more is for scripting.py"
_LISTS = "lists are written [1, 2], range(1, 25), device.environments and device.classes"
_LONG = "this may become longer than 65,536 characters; write less into one value"
_MUCH = "this is more work than a template may be; use fewer or shorter loops, or divide it"
_WORDS = "give the variable another name"
_FACTS = "known: serial, type, hwid, name, phase, environments, classes"


def examined(source: str) -> Examination:
    return Examination(Environment(autoescape=False).parse(source))  # noqa: S701 - nothing is rendered


ALLOWED = [
    "plain text, {# a comment #} and {% raw %}{{ braces }}{% endraw %}",
    "{{ a }} {{ a | urlencode }} {{ a ~ '-' ~ 1 ~ true }} {{ a | default('x') | d('y', true) | trim }}",
    "{{ device.serial[-6:] | replace(':', '') | upper }} {{ device.name[0] }} {{ (a | int) + 1 - -2 }}",
    "{% if a is defined and not (b == 'x' or c in ['x', 'y']) %}x{% elif a is eq 1 %}y{% else %}z{% endif %}",
    "{% for n in range(1, 25) if n is odd %}{{ n }}{{ loop.index }}{% else %}none{% endfor %}",
    "{% for name in device.environments %}{% set x = name ~ a %}{{ x if loop.first else name }}{% endfor %}",
    "{{ device.classes | join('+') }} {{ device.environments | first }} {{ device.classes | length }}",
    "{% set all = (1, 2) %}{% for one in all %}{{ one }}{% endfor %}{% for x in [] %}{% endfor %}",
    "{% for one in ([1] if a else [2, 3]) %}{{ one }}{% endfor %}{{ device.classes[1:] | last | lower | string }}",
]


@pytest.mark.parametrize("source", ALLOWED)
def test_what_templates_are_for_is_allowed(source: str) -> None:
    examined(source)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{% include 'x' %}", f"'include' is not allowed in a template; {_LEFT}"),
        ("{% extends 'x' %}", f"'extends' is not allowed in a template; {_LEFT}"),
        ("{% import 'x' as y %}", f"'import' is not allowed in a template; {_LEFT}"),
        ("{% from 'x' import y %}", f"'import' is not allowed in a template; {_LEFT}"),
        ("{% macro m() %}{{ m() }}{% endmacro %}", f"'macro' is not allowed in a template; {_LEFT}"),
        ("{% block b %}{% endblock %}", f"'block' is not allowed in a template; {_LEFT}"),
        ("{% call m() %}{% endcall %}", f"'call' is not allowed in a template; {_LEFT}"),
        ("{% filter upper %}x{% endfilter %}", f"'filter' is not allowed in a template; {_LEFT}"),
        ("{% with a = 1 %}{% endwith %}", f"'with' is not allowed in a template; {_LEFT}"),
        ("{% autoescape true %}{% endautoescape %}", f"'autoescape' is not allowed in a template; {_LEFT}"),
        ("{% set x %}y{% endset %}", f"'set' with a block is not allowed in a template; {_LEFT}"),
        ("{% set a, b = 1, 2 %}", f"'set' of more than a name is not allowed in a template; {_LEFT}"),
        ("{% set ns.x = 1 %}", f"'set' of more than a name is not allowed in a template; {_LEFT}"),
        ("{{ x() }}", f"a call is not allowed in a template; {_LEFT}"),
        ("{{ range(9) }}", f"a call is not allowed in a template; {_LEFT}"),
        ("{{ cycler.__init__.__globals__.os.popen('id').read() }}", f"a call is not allowed in a template; {_LEFT}"),
        ("{{ x.__class__ }}", f"a part of a value by its name is not allowed in a template; {_LEFT}"),
        ("{{ x['__class__'] }}", "a part of a value that is not named by whole numbers; write [0] or [-6:]"),
        ("{{ x[a:] }}", "a part of a value that is not named by whole numbers; write [0] or [-6:]"),
        ("{{ x[-'a'] }}", "a part of a value that is not named by whole numbers; write [0] or [-6:]"),
        ("{{ {'a': 1} }}", f"a mapping is not allowed in a template; {_LEFT}"),
        ("{{ 'x' * 9 }}", f"'*' is not allowed in a template; {_LEFT}"),
        ("{{ 9 ** 9 }}", f"'**' is not allowed in a template; {_LEFT}"),
        ("{{ '%9s' % x }}", f"'%' is not allowed in a template; {_LEFT}"),
        ("{{ 9 / 9 }}", f"'/' is not allowed in a template; {_LEFT}"),
        ("{{ 9 // 9 }}", f"'//' is not allowed in a template; {_LEFT}"),
        ("{{ +x }}", f"'pos' is not allowed in a template; {_LEFT}"),
        ("{{ 'a' if x }}", f"'if' without 'else' is not allowed in a template; {_LEFT}"),
        ("{{ 1.5 }}", "a number that is not whole, or too large; write it as a text"),
        ("{{ 1000000000000000000 }}", "a number that is not whole, or too large; write it as a text"),
        ("{{ 'a\\nb' }}", "a control character in a text; write the line as it is to be, outside of braces"),
        ("{{ x | lwer }}", "the filter 'lwer' is not allowed in a template; did you mean 'lower'?"),
        ("{{ x is sameas y }}", "the test 'sameas' is not allowed in a template; known: defined, eq, even, in, ne"),
        ("{{ x | trim(chars='y') }}", "'trim' with named arguments; write them without names"),
        ("{{ x | replace('a', y) }}", "'replace' with something that is not written out; write a text or a number"),
        ("{% for a, b in x %}{% endfor %}", "a loop of this kind is not allowed in a template; write {% for NAME"),
        ("{% for a in [1] recursive %}{% endfor %}", "a loop of this kind is not allowed in a template; write {% for"),
        ("{% for a in x %}{% endfor %}", f"a loop over what is no list; {_LISTS}"),
        ("{% for a in x | default('y') %}{% endfor %}", f"a loop over what is no list; {_LISTS}"),
        ("{% for a in range(x) %}{% endfor %}", "range() of something else than whole numbers; write them out:"),
        ("{% for a in range(*x) %}{% endfor %}", "range() of something else than whole numbers; write them out:"),
        ("{% for a in range(1, 2, 0) %}{% endfor %}", "range() as Python does not know it; write range(1, 25)"),
        ("{{ device }}", "'device' is no variable; write what of it: {{ device.serial }}"),
        ("{% set device = 1 %}", "'device' is no variable; write what of it: {{ device.serial }}"),
        ("{{ device.pasword }}", f"nothing of a device is called 'pasword'; {_FACTS}"),
        ("{% for a in [1] %}{{ loop }}{% endfor %}", "'loop' is no variable; write what of it: {{ loop.index }}"),
        ("{% for a in [1] %}{{ loop.cycle }}{% endfor %}", "a part of a value by its name is not allowed in a templ"),
        ("{{ self }}", f"'self' is a word of Jinja's own; {_WORDS}"),
        ("{% for caller in [1] %}{% endfor %}", f"'caller' is a word of Jinja's own; {_WORDS}"),
        ("{{ device.classes }}", "a list where a text is expected; join it: {{ device.environments | join('+') }}"),
        ("{{ device.classes ~ 'x' }}", "a list where a text is expected; join it: {{ device.environments | join('+')"),
        ("{{ [[1]] | join }}", "a list where a text is expected; join it: {{ device.environments | join('+') }}"),
        (f"{{{{ {'-' * 50}1 }}}}", "nested too deeply; use {% set NAME = … %} for a part of it"),
        ("{% set a = x %}" + "{% set a = a ~ a %}" * 7, _LONG),
        ("{% set a = x %}" + "{% set a = a + a %}" * 7, _LONG),
        ("{{ x | urlencode | urlencode }}", _LONG),
        ("{{ x | upper | upper | upper | upper }}", _LONG),
        (f"{{{{ x | replace('a', '{'b' * 65}') }}}}", _LONG),
        ("{% for a in range(100000) %}{% endfor %}", _MUCH),
        ("{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}", _MUCH),
        ("{% for a in range(9000000000) %}x{% endfor %}", _MUCH),
        ("{% for a in range(500) %}{% set b = x | urlencode %}{% endfor %}", _MUCH),
        ("{% for a in range(900) %}{% if 'z' in device.classes %}{% endif %}{% endfor %}", _MUCH),
        ("{{ x | urlencode }}" * 500, _MUCH),
    ],
)  # fmt: skip
def test_all_else_is_refused_with_a_cure(source: str, told: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        examined(f"a line\n{source}")
    assert f"{refused.value}; {refused.value.hint}".startswith(told)
    assert refused.value.line == (0 if "autoescape" in source else 2)


def test_a_template_tells_what_it_needs() -> None:
    template = examined("{{ a }}{% if b is defined %}{{ b }}{% endif %}\n{{ c | default(d) }}{{ device.name }}{{ a }}")
    assert template.lines == {"a": 1, "b": 1, "c": 2, "d": 2}
    assert template.required == {"a", "d"}
    assert template.facts == {"name"}


def test_names_of_its_own_are_no_variables() -> None:
    template = examined("{% set a = 'x' %}{{ a }}{% for b in [1, 2] %}{% set c = b %}{{ c ~ b }}{% endfor %}{{ c }}")
    assert template.lines == {"c": 1}


@pytest.mark.parametrize(
    ("source", "entangled"),
    [
        ("{{ a }} {{ a | urlencode }} {{ 'x' ~ a ~ (a | urlencode) }}", set()),
        ("{{ a | upper }}", {"a"}),
        ("{{ a[0] }}", {"a"}),
        ("{{ (a ~ b) | urlencode }}", {"a", "b"}),
        ("{% if a %}{% endif %}{{ b }}", {"a"}),
        ("{{ a }}{% if a %}{% endif %}{{ a }}", {"a"}),
        ("{% set x = a %}", {"a"}),
        ("{{ 'x' if a else b }}", {"a", "b"}),
    ],
)
def test_a_variable_is_entangled_that_is_more_than_written(source: str, entangled: set[str]) -> None:
    assert examined(source).entangled == entangled
