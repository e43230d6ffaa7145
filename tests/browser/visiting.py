"""People with a browser: who they are, and how they come to a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from browser.watching import Watch, watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from browser.scene import Person

WIDE = (1280, 800)
NARROW = (390, 844)

PATIENCE = 20_000
"""Milliseconds until something counts as not happening, on a machine that has other things to do."""


@dataclass
class Visitor:
    """A browser of one person, with a tab that is used again and again."""

    context: BrowserContext
    page: Page
    watch: Watch
    base: str
    scripts: bool
    password: str = "Password"
    """What the field is called in the language of the browser."""

    def open(self, path: str, *, status: int = 200) -> Page:
        """Go to *path*, which must answer with *status*; whatever was wrong before is forgotten."""
        self.watch.settle()
        self.watch.expected_status = status
        response = self.page.goto(f"{self.base}{path}")
        assert response is not None
        assert response.status == status, f"{path} answers {response.status}: {self.page.inner_text('body')[:500]}"
        return self.page

    def resize(self, size: tuple[int, int]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def log_in(self, person: Person) -> None:
        """Log in as people do, through the form."""
        self.open("/login")
        self.page.get_by_label("Name").fill(person.name)
        self.page.get_by_label(self.password, exact=True).fill(person.password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/devices")
        faults = self.watch.settle()
        assert faults == [], faults


_PASSWORDS = {"en-GB": "Password", "de-DE": "Passwort"}


def visitor(
    browser: Browser, base: str, *, size: tuple[int, int] = WIDE, scripts: bool = True, locale: str = "en-GB"
) -> Visitor:
    """Open a new browser that nobody is logged in with."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=scripts,
        locale=locale,
        color_scheme="light",
        reduced_motion="reduce",  # so that colours are what they are to be at once
    )
    context.set_default_timeout(PATIENCE)
    watching = watch(context, scripts=scripts)
    return Visitor(context, context.new_page(), watching, base, scripts, _PASSWORDS[locale])
