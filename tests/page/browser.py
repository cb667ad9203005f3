"""The browser that the page is tested in: Debian's Chromium, or whatever Chromium this machine has."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def found() -> str:
    """Its path; a machine without one is told how to get it."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, "The page is tested in a browser and none is here: sh tests/page/chromium.sh installs Debian's Chromium."
    return path
