"""YAML as it was written, and where in it everything stands."""

from __future__ import annotations

import pytest

from gitupd.config.yaml_tree import Mapping, Node, Place, Scalar, Sequence, read
from gitupd.errors import Problem


def root_of(text: str) -> Node | None:
    root, problems = read("x.yaml", text.encode())
    assert problems == []
    return root


def told(content: str | bytes) -> list[str]:
    return [str(problem) for problem in read("x.yaml", content.encode() if isinstance(content, str) else content)[1]]


def test_everything_is_where_it_stands() -> None:
    assert root_of("a: 1\nb:\n- 'x'\n-  y\n") == Mapping(
        {
            "a": Scalar("1", plain=True, place=Place(1, 4)),
            "b": Sequence(
                (Scalar("x", plain=False, place=Place(3, 3)), Scalar("y", plain=True, place=Place(4, 4))), Place(3, 1)
            ),
        },
        {"a": Place(1, 1), "b": Place(2, 1)},
        Place(1, 1),
    )


@pytest.mark.parametrize("text", ["", "# a comment\n", "---\n", "--- \n...\n"])
def test_a_document_that_says_nothing_has_no_root(text: str) -> None:
    assert root_of(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:00", "22:00"),
        ("no", "no"),
        ("010", "010"),
        ("1.5", "1.5"),
        ("-7", -7),
        ("0", 0),
        ("9" * 19, int("9" * 19)),
        ("9" * 20, "9" * 20),
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("~", None),
        ("null", None),
        ("''", ""),
        ("'12'", "12"),
        ('"true"', "true"),
    ],
)
def test_a_scalar_is_what_readers_of_yaml_1_2_expect(text: str, value: object) -> None:
    scalar = root_of(text)
    assert isinstance(scalar, Scalar)
    assert (type(scalar.value), scalar.value) == (type(value), value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("a: *x", "x.yaml:1:4: alias *x; aliases are not allowed; write the value out"),
        ("a: &x [1]", "x.yaml:1:4: anchor &x; anchors are not allowed; remove it"),
        ("a: !!str 1", "x.yaml:1:4: tag tag:yaml.org,2002:str; tags are not allowed; remove it"),
        ('a: "\\e"', "x.yaml:1:4: a control character; remove it"),
        ("? [a]\n: 1", "x.yaml:1:3: a key that is no text"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2:1: a second document; remove the line with ---"),
        ("[" * 40 + "]" * 40, "x.yaml:1:34: too deeply nested or too long to be meant"),
        (b"a: 1\nb: \xff", "x.yaml:2: not UTF-8; save the file as UTF-8"),
        ("a: [", "x.yaml:2:1: not YAML: while parsing a flow node did not find expected node content"),
    ],
)
def test_what_is_not_meant_is_refused_where_it_stands(content: str | bytes, problem: str) -> None:
    assert told(content) == [problem]


def test_what_can_not_be_a_character_of_yaml_is_refused_as_a_whole() -> None:
    (only,) = told(b"a: \0b")
    assert only.startswith("x.yaml: not YAML: ")
    assert only.endswith("; remove control characters")


def test_a_long_list_is_refused_before_it_is_read_to_its_end() -> None:
    assert told("- \n" * 200_001) == ["x.yaml:200000:2: too deeply nested or too long to be meant"]


def test_a_list_may_be_as_long_as_the_reader_says() -> None:
    root, problems = read("x.yaml", b"- 1\n- 2\n", 3)
    assert root is not None
    assert problems == []
    assert list(map(str, read("x.yaml", b"- 1\n- 2\n", 2)[1])) == [
        "x.yaml:2:3: too deeply nested or too long to be meant"
    ]


def test_each_key_that_comes_again_is_told_and_the_first_one_counts() -> None:
    root, problems = read("x.yaml", b"a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert list(map(str, problems)) == [
        "x.yaml:2:11: key 'c' a second time; it stands in line 2 already; keep one of the two",
        "x.yaml:3:1: key 'a' a second time; it stands in line 1 already; keep one of the two",
    ]
    assert isinstance(root, Mapping)
    assert root.entries["a"] == Scalar("1", plain=True, place=Place(1, 4))
    assert problems[1] == Problem("x.yaml", 3, 1, problems[1].message, problems[1].hint)
