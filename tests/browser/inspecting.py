"""What is looked at on every page, whatever it is about. Each function returns faults in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

_UNFIT = {
    "a raw time": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.+Z]\S*"),
    "raw XML": re.compile(r"<\?xml.*|</?info\b.*"),
    "text escaped twice": re.compile(r"&(?:lt|gt|amp|quot|#\d+);.*"),
    "a value of Python": re.compile(r"\bNone\b.*|<[\w.]+ object at .*|datetime\.datetime.*|\b[A-Z]\w+\(\w+='.*"),
    "a value of JavaScript": re.compile(r"\[object .*|\bNaN\b.*|\bundefined\b.*"),
    "a template's own text": re.compile(r"\{%.*"),
}
_WIDER_THAN_THE_WINDOW = """() => {
    const root = document.documentElement;
    if (Math.max(root.scrollWidth, document.body.scrollWidth) <= window.innerWidth) return [];
    const scrolls = (element) => element && element !== document.body
        && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
    const all = [...document.body.querySelectorAll("*")]
        .filter((each) => each.checkVisibility() && !scrolls(each.parentElement));
    const isOut = (each) => {
        const box = each.getBoundingClientRect();
        return Math.max(box.right, box.left + each.scrollWidth) > window.innerWidth + 1;
    };
    const out = all.filter((each) => isOut(each) && ![...each.children].some(isOut))
        .map((each) => each.outerHTML.slice(0, 160));
    return [`${root.scrollWidth} pixels`, ...out.slice(0, 5)];
}"""
_SQUEEZED = """() => [...document.body.querySelectorAll("*")].filter((each) => {
    const box = each.getBoundingClientRect();
    const own = [...each.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data.trim());
    return each.checkVisibility() && box.width > 1 && box.width < 60 && box.height > 150 && own.join("").length > 10;
}).slice(0, 5).map((each) => each.outerHTML.slice(0, 160))"""
_TEXT_OVER_TEXT = """() => {
    const clips = (element) => element === document.body || !element ? [] : [
        ...(getComputedStyle(element).overflow === "visible" ? [] : [element.getBoundingClientRect()]),
        ...clips(element.parentElement)];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), lines = [];
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        if (!text.data.trim() || !text.parentElement.checkVisibility({visibilityProperty: true})) continue;
        const range = document.createRange(), within = clips(text.parentElement);
        range.selectNodeContents(text);
        for (const box of range.getClientRects()) {
            const [left, top] = ["left", "top"].map((side) => Math.max(...[box, ...within].map((each) => each[side])));
            const [right, bottom] = ["right", "bottom"].map(
                (side) => Math.min(...[box, ...within].map((each) => each[side])));
            if (right - left > 2 && bottom - top > 2) lines.push({left, top, right, bottom, text});
        }
    }
    lines.sort((one, other) => one.top - other.top);
    return lines.flatMap((upper, number) => {
        const over = [];
        for (let next = number + 1; next < lines.length && lines[next].top < upper.bottom - 4; next++) {
            const lower = lines[next];
            const shared = Math.min(upper.right, lower.right) - Math.max(upper.left, lower.left);
            const isOver = shared > 2 && upper.text !== lower.text;
            if (isOver) over.push([upper, lower].map((each) => each.text.data.trim().slice(0, 40)).join(" / "));
        }
        return over;
    }).slice(0, 5);
}"""
LARGEST, TALLEST = 300_000, 3_000
"""Bytes and, in a wide window, pixels that a page may have."""
_SEVERE = ("serious", "critical")
_DEMANDED = ("heading-order", "target-size")
"""Rules whose violations count, however slight the checker takes them to be, as do those of WCAG up to 2.2 AA."""
_EXAMINED = """(within) => axe.run(within || document, {
    resultTypes: ["violations"], preload: false,
    rules: {"target-size": {enabled: true}, "heading-order": {enabled: true}},
})"""


def inspect_text(page: Page) -> list[str]:
    """Look for what no person should have to read."""
    text = page.inner_text("body")
    return [f"shows {what}: {found[0][:80]!r}" for what, unfit in _UNFIT.items() if (found := unfit.search(text))]


def inspect_outline(page: Page, language: str = "en") -> list[str]:
    """Look at what tells people where they are: a title of the window's own, one first heading, the *language*."""
    faults = []
    headings = page.locator("h1").all_inner_texts()
    if len(headings) != 1 or not headings[0].strip():
        faults.append(f"has not one h1 but {headings}")
    title = page.title()
    if not re.search(r"\S+ · gitupd$", title):
        faults.append(f"has the title {title!r}")
    if page.locator("html").get_attribute("lang") != language:
        faults.append(f"does not say that its language is {language}")
    return faults


def inspect_width(page: Page) -> list[str]:
    """Look for anything that makes the whole page scroll sideways, and for text in columns of a few letters."""
    wide, squeezed = page.evaluate(_WIDER_THAN_THE_WINDOW), page.evaluate(_SQUEEZED)
    faults = [f"is wider than the window: {wide}"] if wide else []
    return faults + ([f"squeezes its text: {squeezed}"] if squeezed else [])


def inspect_overlaps(page: Page) -> list[str]:
    """Look for text that stands upon other text."""
    return [f"has text upon text: {found}"] if (found := page.evaluate(_TEXT_OVER_TEXT)) else []


def inspect_size(page: Page) -> list[str]:
    """Look at what nobody wants to wait for, or to scroll through: a large answer, a tall page."""
    size = page.evaluate("performance.getEntriesByType('navigation')[0].decodedBodySize")
    height = page.evaluate("document.documentElement.scrollHeight")
    faults = [f"is {size:,} bytes large"] if size > LARGEST else []
    return faults + ([f"is {height:,} pixels tall"] if height > TALLEST else [])


def inspect_access(page: Page, axe: str, within: str = "") -> tuple[list[str], list[str]]:
    """Return what the accessibility checker finds severe, and what it finds besides.

    *within* is a selector of what is looked at.
    """
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(axe)
    found: dict[str, Any] = page.evaluate(_EXAMINED, within)
    severe: list[str] = []
    slight: list[str] = []
    for violation in found["violations"]:
        where = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
        words = f"axe: {violation['impact']}: {violation['help']} ({violation['id']}): {where}"
        counts = violation["impact"] in _SEVERE or violation["id"] in _DEMANDED or "wcag22aa" in violation["tags"]
        (severe if counts else slight).append(words)
    return severe, slight
