"""Documents are divided at headings, and at nothing that only looks like one."""

from __future__ import annotations

from gitupd.web.help.dividing import LONGEST_PART, divided

TEXT = """# A *title*

Words with a [link](other.md#x) and `code`.

<!-- hidden:
## No heading
-->

## First: one & two

```sh
# no heading
## nor this
```

| a | b |
| --- | --- |
| c | d |

### First: one & two

Below.
"""


def test_it_is_divided_at_headings_and_says_what_is_below_each() -> None:
    document = divided("how-to/x", TEXT)
    assert document.title == "A title"
    found = [(piece.level, piece.title, piece.anchor, piece.part) for piece in document.pieces]
    assert found == [
        (1, "A title", "a-title", 1),
        (2, "First: one & two", "first-one--two", 1),
        (3, "First: one & two", "first-one--two-1", 1),
    ]
    assert document.pieces[0].words == "Words with a link and code."
    assert document.pieces[1].words == "no heading nor this a b c d"


def test_a_long_one_has_parts_that_begin_at_headings_and_lack_nothing() -> None:
    paragraph = "word " * (LONGEST_PART // 25) + "\n"
    text = "# T\n" + "".join(f"## Heading {number}\n{paragraph}" for number in range(12))
    document = divided("x", text)
    parts = [document.part(number) for number in range(1, document.parts + 1)]
    assert len(parts) > 2
    assert "".join(parts) == text
    assert all(part.startswith("#") and len(part) <= LONGEST_PART for part in parts)
    assert document.part_of["heading-11"] == document.parts
    assert document.part(document.parts + 1) == ""


def test_what_can_not_be_divided_stays_one() -> None:
    assert divided("x", "# T\n" + "word " * LONGEST_PART).parts == 1
