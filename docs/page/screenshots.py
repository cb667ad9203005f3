"""The pictures of the page in the documentation: `make screenshots`, which starts a server and asks the native model about a maze.

The four of them show the page before a question, while agents try, when they have answered, and on a phone.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from musespark.evals.grounding_rendering import browser_path

ROOT = Path(__file__).parents[2]
MAZE = ROOT / "examples" / "maze.png"
QUESTION = "Which moves solve this maze?"


@contextmanager
def serving() -> Iterator[str]:
    """`muse serve`, with nothing kept and nothing configured; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.toml").write_text("")
        options = ["--port", "0", "--store", "memory", "--config", f"{folder}/config.toml"]
        command = [sys.executable, "-m", "musespark", "serve", *options]
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
            process.wait(20)


def taken(page: Any, name: str) -> None:
    """What is in view."""
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        shot.convert("RGB").save(ROOT / "docs" / "page" / f"{name}.png", optimize=True)
    print(f"docs/page/{name}.png")


def moment(page: Any) -> None:
    """Show the run as it was when one agent had come to nothing and the other still thought."""
    page.get_by_role("button", name="Replay").click()
    slider = page.get_by_label("Position in the run")
    for part in range(200, 0, -1):
        slider.evaluate(
            "(input, part) => { input.value = part / 200 * input.max; input.dispatchEvent(new Event('input', "
            "{bubbles: true})); }",
            part,
        )
        page.wait_for_timeout(40)
        if (
            page.locator(".lane.empty").count()
            and page.locator(".lane.thinking .thumb").count()
            > page.locator(".lane[data-agent=main].thinking .thumb").count()
        ):
            break
    page.wait_for_timeout(800)


def main() -> None:
    """Take them all."""
    with serving() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page.goto(url)
        page.wait_for_selector(".examples")
        page.set_input_files("[data-input=file]", MAZE)
        page.get_by_label("Your question").fill(QUESTION)
        page.wait_for_selector(".given img")
        taken(page, "idle")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.wait_for_selector(".run[data-how=finished]", timeout=120_000)
        page.wait_for_selector(".question img")
        page.wait_for_timeout(500)
        taken(page, "done")
        moment(page)
        taken(page, "running")
        phone = browser.new_page(
            viewport={"width": 360, "height": 780},
            device_scale_factor=1.5,
            color_scheme="dark",
            reduced_motion="reduce",
        )
        phone.goto(page.url)
        phone.wait_for_selector(".run[data-how=finished]")
        phone.wait_for_selector(".lane .thumb img")
        phone.wait_for_timeout(500)
        taken(phone, "phone")
        browser.close()


if __name__ == "__main__":
    main()
