"""Variables that templates mention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.secrets import Keyholder

from gitupd.config.loader import build

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Callable[[Mapping[str, str | bytes]], list[str]]

FILES = {
    "environments.yaml": """\
environments:
  default: {variables: {gatekeeper: 10.0.0.1}}
  berlin: {implies: [intranet]}
  intranet: {variables: {proxy: 10.0.0.9}}
  home: {}
""",
    "devices.yaml": """\
devices:
  00-90-33-30-00-a0: {environments: [berlin, home], variables: {room: "12"}}
  00-90-33-30-00-a1: {environments: [default]}
  00-90-33-30-00-a2: {variables: {room: "13"}}
""",
}
_NOWHERE = "the variable 'gatekeper' is defined nowhere; did you mean 'gatekeeper'?"
_DEFINE = "define it in environments.yaml or devices.yaml"
_THREE = "'berlin', 'intranet', 'home'"
_ELSE = "and would get no script; define it there, or write what holds else: {{ %s | default('…') }}"


@pytest.mark.parametrize(
    ("place", "source", "problems"),
    [
        ("all", "a\n{{ gatekeper }}", [f":2: {_NOWHERE}"]),
        ("all", "{{ x | default(1) }}{% if y is defined %}{{ y }}{% endif %}", []),
        (
            "all",
            "{{ gatekeeper }}",
            [
                f":1: warning: a device that is in {_THREE} alone has no 'gatekeeper' but by devices.yaml, "
                + _ELSE % "gatekeeper",
            ],
        ),
        ("berlin", "{{ proxy }}", []),
        ("default", "{{ gatekeeper }}", []),
        (
            "home",
            "{{ proxy }}",
            [
                ":1: warning: a device that is in 'home' alone has no 'proxy' but by devices.yaml, " + _ELSE % "proxy",
            ],
        ),
        ("00_90_33_30_00_a0", "{{ proxy }} {{ room }}", []),
        (
            "00_90_33_30_00_a1",
            "{{ gatekeeper }} {{ room }}",
            [":1: warning: this device has no 'room', and would get no script; define it in devices.yaml"],
        ),
        ("00_90_33_30_00_a2", "{{ gatekeeper }}", []),
        ("00_90_33_30_00_a3", "{{ gatekeeper }}", []),
    ],
)
def test_a_variable_that_is_not_there_is_told(told: Told, place: str, source: str, problems: list[str]) -> None:
    path = f"snippets/all-all-{place}.txt.j2"
    assert told({**FILES, path: source}) == [f"{path}{problem}" for problem in problems]


def test_of_many_environments_a_few_are_named(told: Told) -> None:
    names = "".join(f"  e{number}: {{}}\n" for number in range(8))
    files = {"environments.yaml": f"environments:\n{names}  z: {{variables: {{x: y}}}}\n"}
    (problem,) = told({**files, "snippets/all-all-all.txt.j2": "{{ x }}"})
    assert "'e0', 'e1', 'e2', 'e3', 'e4' and 3 more alone" in problem


def test_where_nothing_is_defined_it_is_said_where_to(told: Told) -> None:
    assert told({"snippets/all-all-all.txt.j2": "{{ x }}"}) == [
        f"snippets/all-all-all.txt.j2:1: the variable 'x' is defined nowhere; {_DEFINE}"
    ]


def test_of_a_broken_document_nothing_is_missed(told: Told) -> None:
    (problem,) = told({"environments.yaml": "environments: 1", "snippets/all-all-all.txt.j2": "{{ x }}"})
    assert problem.startswith("environments.yaml")


@pytest.mark.parametrize(
    ("source", "problems"),
    [
        ("{{ pin }}", []),
        ("{{ word }}", ["snippets/all-all-all.txt.j2:1: warning: a device that is in 'default', 'intranet',"]),
        ("{{ word }}{{ nobody }}", ["snippets/all-all-all.txt.j2:1: the variable 'nobody' is defined nowhere"]),
    ],
)  # fmt: skip
def test_secrets_define_variables_as_well(source: str, problems: list[str]) -> None:
    site = Keyholder()
    secrets = site.seal("variables: {pin: x}\nenvironments: {berlin: {word: y}}\n")
    files = {path: text.encode() for path, text in FILES.items()}
    files |= {"secrets.yaml.age": secrets, "snippets/all-all-all.txt.j2": source.encode()}
    assert build(files)[1] == (), "without a key, whatever is defined nowhere may be a secret"
    told = sorted(str(problem) for problem in build(files, opener=site.opener())[1])
    assert all(any(problem.startswith(start) for problem in told) for start in problems)
    assert bool(told) == bool(problems)


def test_a_secret_of_one_device_is_enough_for_its_snippet() -> None:
    site = Keyholder()
    files = {path: text.encode() for path, text in FILES.items()}
    files["secrets.yaml.age"] = site.seal("devices: {00-90-33-30-00-a1: {word: y}}\n")
    files["snippets/all-all-00_90_33_30_00_a1.txt.j2"] = b"{{ word }}"
    assert build(files, opener=site.opener())[1] == ()
    files["snippets/all-all-00_90_33_30_00_a0.txt.j2"] = b"{{ word }}"
    (problem,) = build(files, opener=site.opener())[1]
    assert problem.message == "this device has no 'word', and would get no script"


def test_each_template_is_told_of(told: Told) -> None:
    templates = {f"snippets/all-{name}-home.txt.j2": "{{ proxy }}" for name in ("phone", "gw")}
    assert len(told({**FILES, **templates})) == 2


def test_a_template_that_cant_be_read_needs_no_variables(told: Told) -> None:
    (problem,) = told({**FILES, "snippets/all-all-all.txt.j2": "{{ x() }}", "snippets/all-all-home.txt": "a\n"})
    assert "a call is not allowed" in problem


def test_one_environment_of_a_known_device_is_enough(told: Told) -> None:
    assert told({**FILES, "snippets/all-all-00_90_33_30_00_a0.txt.j2": "{{ proxy }}"}) == []
