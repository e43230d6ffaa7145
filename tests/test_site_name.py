"""By what people tell a site from others: what settings say of it, and what is wrong with that."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from gitupd.errors import SiteError
from gitupd.naming import SiteColour, SiteName
from gitupd.settings import FILE_NAME, read_settings

ROOT = Path(__file__).parents[1]
STYLE = (ROOT / "gitupd/web/static/gitupd.css").read_text("utf-8")
READABLE, VISIBLE = 4.5, 3.0
"""Contrasts that WCAG asks for: of text, and of what is more than decoration."""


def read(site: Path, text: str) -> SiteName:
    (site / FILE_NAME).write_text(text, "utf-8")
    return read_settings(site, {}).site


def test_a_site_has_a_name_and_a_colour_if_somebody_gives_it_one(tmp_path: Path) -> None:
    assert read(tmp_path, "") == SiteName("", "green")
    assert read(tmp_path, '[site]\nname = " Köln, test "\ncolour = "amber"\n') == SiteName("Köln, test", "amber")
    assert read(tmp_path, f"[site]\nname = '{'x' * 40}'\n").colour == "green"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("site = 1", "site: it is a table: [site]"),
        ("[site]\nname = ''", "site: name: '' is no name of 1 to 40 letters in one line"),
        ("[site]\nname = 'a\\nb'\ncolour = 'red'\nname2 = 1", "site: name2: unknown; known: name, colour"),
        ('[site]\nname = "a\\nb"', "is no name of 1 to 40 letters in one line"),
        ('[site]\nname = "a\\u202eb"', "is no name of 1 to 40 letters in one line"),
        (f"[site]\nname = '{'x' * 41}'", "is no name of 1 to 40 letters in one line"),
        ("[site]\nname = 5", "site: name: 5 is no name"),
        (
            "[site]\ncolour = '#ff0000'",
            "site: colour: '#ff0000' is no colour of a site; choose one of green, blue, violet, red, amber, grey",
        ),
        ("[site]\ncolour = ['red']", "is no colour of a site"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(SiteError) as raised:
        read(tmp_path, text)
    assert fault in str(raised.value)


def luminance(colour: str) -> float:
    """Return how bright ``#rrggbb`` is, as WCAG has it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_each_colour_can_be_read_in_light_and_in_dark() -> None:
    panels = re.findall(r"--panel: (#\w{6});", STYLE)
    for colour in get_args(SiteColour):
        shades = re.findall(rf"^ *\.{colour} {{ --site: (#\w{{6}}); --on-site: (#\w{{6}}); }}", STYLE, re.MULTILINE)
        assert len(shades) == len(panels) == 2
        for panel, (site, on_site) in zip(panels, shades, strict=True):
            assert contrast(site, on_site) >= READABLE, (colour, site, on_site)
            assert contrast(site, panel) >= VISIBLE, (colour, site, panel)


def test_the_reference_lists_all_colours() -> None:
    reference = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    row = next(line for line in reference.splitlines() if line.startswith("| `colour` |"))
    assert sorted(set(re.findall(r'`"(\w+)"`', row))) == sorted(get_args(SiteColour))
