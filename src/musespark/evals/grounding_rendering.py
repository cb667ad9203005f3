"""Screens of MiniWoB++ pages, rendered in a real browser; the labels come from the elements of the page.

After Shi et al., World of Bits (2017), and Liu et al., Reinforcement Learning on Web Interfaces (2018); the pages are those in the
package `miniwob`. Nothing is fetched: the browser is offline.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musespark.errors import BadOption, MissingFile, NotInstalled
from musespark.evals.grounding_screens import LabelledScreen, items_of, visible, write_screens

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH, HEIGHT = 160, 210
"""Pixels of a MiniWoB++ screen."""
SETTLED = 150
"""Milliseconds to wait after a page's problem is made."""
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ALONE = "() => { document.querySelector('#reward-display')?.style.setProperty('display', 'none'); scrollTo(0, 0); }"
"""Script that hides the page's display of its own state."""
_BEGIN = "seed => { Math.seedrandom(String(seed)); core.EPISODE_MAX_TIME = 1e9; core.startEpisodeReal(); }"


def pages_of(part: str) -> list[str]:
    """Return the names of the pages of a part: `development`, for tuning `find` and `read`, `test`, or `all`."""
    names = sorted(path.stem for path in _directory().glob("*.html"))
    if part == "all":
        return names
    return [
        name
        for name in names
        if (hashlib.sha256(name.encode()).digest()[0] % 3 == 0) == (part == "development")
    ]


def _directory() -> Path:
    found = find_spec("miniwob")
    if found is None or found.origin is None:
        raise NotInstalled("Rendering screens", "miniwob", "grounding")
    return Path(found.origin).parent / "html" / "miniwob"


def browser_path(named: str | None = None) -> str:
    """Return the path of the Chromium: the one named, that of MUSE_CHROMIUM, else the first on PATH. Raises `MissingFile`."""
    wanted = named or os.environ.get("MUSE_CHROMIUM")
    found = (
        shutil.which(wanted) if wanted else next(filter(None, map(shutil.which, _BROWSERS)), None)
    )
    if found is None:
        raise MissingFile(
            wanted or "chromium",
            "no such browser is installed; install one (Debian: apt install chromium), or name "
            "it with --browser",
        )
    return found


def render(
    directory: Path,
    pages: Sequence[str],
    seeds: Sequence[int],
    scales: Sequence[float],
    browser: str | None = None,
) -> Iterator[LabelledScreen]:
    """Render every page with every seed at every scale into a folder, and write its index at the end.

    Raises `NotInstalled`, `MissingFile` if the browser does not exist, and `BadOption` if a page does not.
    """
    if find_spec("playwright") is None:
        raise NotInstalled("Rendering screens", "playwright", "grounding")
    for page in pages:
        if not (_directory() / f"{page}.html").is_file():
            raise BadOption("page", page, "the name of a MiniWoB++ page, such as click-button")
    directory.mkdir(parents=True, exist_ok=True)
    screens: list[LabelledScreen] = []
    with _browser(browser_path(browser)) as running:
        for scale in scales:
            context = running.new_context(
                viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=scale, offline=True
            )
            window = context.new_page()
            for page in pages:
                for seed in seeds:
                    screen = _rendered(window, directory, page, seed, scale)
                    if screen.items:
                        screens.append(screen)
                        yield screen
            context.close()
        about = {
            "pages": "miniwob",
            "browser": running.version,
            "seeds": list(seeds),
            "scales": list(scales),
        }
    write_screens(directory, screens, about)


@contextmanager
def _browser(path: str) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        try:
            yield browser
        finally:
            browser.close()


def _rendered(window: Page, directory: Path, page: str, seed: int, scale: float) -> LabelledScreen:
    """Render one screen, without items that moved meanwhile or are invisible."""
    window.goto((_directory() / f"{page}.html").as_uri())
    window.evaluate(_BEGIN, seed)
    window.wait_for_timeout(SETTLED)
    window.evaluate(_ALONE)
    script = (Path(__file__).parent / "grounding_page.js").read_text(encoding="utf-8")
    before: dict[str, Any] = window.evaluate(script)
    file = directory / f"{page}-{seed}-x{scale:g}.png"
    window.screenshot(path=str(file))
    after: dict[str, Any] = window.evaluate(script)
    stayed = {**before, "items": [item for item in before["items"] if item in after["items"]]}
    screen = LabelledScreen(page, seed, scale, file, items_of(stayed, WIDTH, HEIGHT))
    return replace(screen, items=tuple(item for item in screen.items if visible(item, file)))
