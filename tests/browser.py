"""A real browser, Chromium, which opens a report as a user does who clicks it."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Browser:
    """A browser with a user's folder of its own, which knows nothing yet.

    It is driven from a thread of its own: that of the tests belongs to Twisted.
    """

    def __init__(self, folder: Path) -> None:
        self._thread = ThreadPoolExecutor(1)
        self.do(self._start, folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self.context.close)
        self.do(self._playwright.stop)
        self._thread.shutdown()

    def do(self, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
        return self._thread.submit(work, *given, **named).result()

    def _start(self, folder: Path) -> None:
        self._playwright = sync_playwright().start()
        self.context = self._playwright.chromium.launch_persistent_context(
            folder, executable_path=CHROMIUM, headless=True, args=list(OPTIONS), offline=True
        )


class Opened:
    """A page that was opened: what it said on the console, and what it asked for."""

    def __init__(
        self, browser: Browser, path: Path, *, width: int = 1200, scheme: str = "light"
    ) -> None:
        self.browser = browser
        self.said: list[str] = []
        self.asked_for: list[str] = []
        self.page = browser.do(browser.context.new_page)
        browser.do(self._listen)
        self.do("set_viewport_size", {"width": width, "height": 900})
        self.do("emulate_media", color_scheme=scheme)
        self.do("goto", path.as_uri())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.do("close")

    def do(self, what: str, *given: Any, **named: Any) -> Any:
        """Call a method of Playwright's page."""
        return self.browser.do(getattr(self.page, what), *given, **named)

    def find(self, script: str) -> Any:
        """Find what a script finds on the page."""
        return self.do("evaluate", script)

    def press(self, key: str) -> None:
        self.browser.do(self.page.keyboard.press, key)

    def told(self) -> str:
        """Tell what a screen reader gets, as an outline."""
        return str(self.browser.do(lambda: self.page.locator("body").aria_snapshot()))

    def _listen(self) -> None:
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked_for.append(request.url))
