"""The page that ships is made of the sources beside it, and of nothing else."""

import hashlib
import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
WEB, BUILT = ROOT / "web", ROOT / "src" / "musespark" / "server" / "page" / "built"
PARTS = (
    "bundle",
    "src",
    "index.html",
    "replay.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
)


def sources():
    """As web/bundle/sources.mjs counts them."""
    found = [
        path
        for part in PARTS
        for path in ([WEB / part] if (WEB / part).is_file() else (WEB / part).rglob("*"))
    ]
    names = sorted(path.relative_to(WEB).as_posix() for path in found if path.is_file())
    lines = [f"{name}\0{hashlib.sha256((WEB / name).read_bytes()).hexdigest()}\n" for name in names]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_built_page_is_made_of_these_sources():
    built = json.loads((BUILT / "built.json").read_text())
    assert built["sources"] == sources(), "web/ has changed since the page was built: make page"


def test_every_file_of_it_is_as_it_was_built():
    built = json.loads((BUILT / "built.json").read_text())
    there = {
        path.relative_to(BUILT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in BUILT.rglob("*")
        if path.is_file() and path.name != "built.json"
    }
    assert there == built["files"], "a file of the page was changed by hand: make page"


def test_the_lock_names_no_package_index():
    lock = json.loads((WEB / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
