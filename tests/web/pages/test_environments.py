from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import html

if TYPE_CHECKING:
    from support.visitors import Visitor


def page(viewer: Visitor, path: str) -> html.HtmlElement:
    response = viewer.get(path)
    assert response.status_code == 200, path
    return html.fromstring(response.text)


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def names(document: html.HtmlElement) -> list[str]:
    return [text(cell) for cell in document.xpath("//td[@data-label='Environment']")]


def test_every_number_leads_to_as_many_devices(viewer: Visitor) -> None:
    document = page(viewer, "/environments")
    links = {link.get("href"): link.text for link in document.xpath("//td//a")}
    counted = {href: int(number.replace(",", "")) for href, number in links.items() if re.fullmatch(r"[\d,]+", number)}
    assert len(counted) > 5
    for href, number in counted.items():
        found = text(page(viewer, href).xpath("//*[@class='found']")[0])
        assert found.split()[0] == f"{number:,}", href


def test_each_environment_has_a_row_with_its_state_in_words(viewer: Visitor) -> None:
    document = page(viewer, "/environments")
    assert len(set(names(document))) == len(names(document)) > 1
    for label in document.xpath("//svg[@class='bar']/@aria-label"):
        assert re.fullmatch(r"[\d,]+ current, [\d,]+ waiting, [\d,]+ missing", label)
    (current,) = document.xpath("//nav[@class='wide']//a[@aria-current='page']")
    assert text(current) == "Environments"


def test_the_list_is_sorted_by_its_headings(viewer: Visitor) -> None:
    document = page(viewer, "/environments")
    (heading,) = document.xpath("//th/a[starts-with(., 'Environment')]/@href")
    assert heading == "/environments?sort=name"
    sorted_names = names(page(viewer, heading))
    assert sorted_names == sorted(names(document), key=str.lower)
    assert page(viewer, "/environments?sort=nothing&page=x").xpath("//th[@aria-sort]")
    assert viewer.get("/environments?page=9").headers["Location"] == "/environments?page=1"


def test_the_sentence_says_which_is_worst(viewer: Visitor) -> None:
    document = page(viewer, "/environments")
    said = text(document.xpath("//*[@id='answer']")[0])
    (first, *_) = document.xpath("//tbody/tr")
    name, missing, total = (
        text(first.xpath(f"td[@data-label='{label}']")[0]) for label in ("Environment", "Missing", "Devices")
    )
    if missing == "0":
        assert said.startswith("All devices are present in all ")
    else:
        assert re.search(rf" Worst is {name}: {missing} of {total} devices? (is|are) missing\.$", said), said
