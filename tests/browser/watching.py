"""What a page does besides being looked at: its complaints, what it asks for, and whether hostile text was executed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from browser.scene import FLAG

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request, Response

_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (violation) => {
    console.error(`CSP: ${violation.violatedDirective} ${violation.blockedURI} ${violation.sourceFile}`);
});
"""
_ABORTED = "net::ERR_ABORTED"


@dataclass
class Watch:
    """What went wrong in the pages of a context since it was last asked."""

    faults: list[str] = field(default_factory=list)
    expected_status: int | None = None
    """A status of 400 or more that is what the test wants to see."""

    def settle(self) -> list[str]:
        """Return what went wrong so far, and forget it."""
        found, self.faults = self.faults, []
        self.expected_status = None
        return found

    def console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not self._is_expected(message.text):
            self.faults.append(f"console: {message.type}: {message.text} ({message.location.get('url')})")

    def failed(self, error: Any) -> None:
        self.faults.append(f"script: {error}")

    def dialog(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.faults.append(f"request to elsewhere: {request.url}")

    def request_failed(self, request: Request) -> None:
        # A page that is left takes its refresh along.
        if request.failure != _ABORTED:
            self.faults.append(f"request failed: {request.method} {request.url}: {request.failure}")

    def response(self, response: Response) -> None:
        if response.status >= 400 and response.status != self.expected_status:
            self.faults.append(f"status {response.status}: {response.request.method} {response.url}")

    def _is_expected(self, text: str) -> bool:
        return self.expected_status is not None and f"status of {self.expected_status} " in text


def watch(context: BrowserContext, *, scripts: bool = True) -> Watch:
    """Watch all pages of *context* from now on; without *scripts* its pages can't tell of violations by themselves."""
    watch = Watch()
    if scripts:
        context.add_init_script(_REPORT_VIOLATIONS)
    context.on("console", watch.console)
    context.on("dialog", watch.dialog)
    context.on("request", watch.request)
    context.on("requestfailed", watch.request_failed)
    context.on("response", watch.response)
    context.on("weberror", lambda error: watch.failed(error.error))
    return watch


def executed(page: Page) -> bool:
    """Whether hostile text was executed in *page*."""
    return bool(page.evaluate(f"window.{FLAG} !== undefined"))
