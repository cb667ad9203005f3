"""Paths of images within a line: a terminal writes the path of a file that is dragged into it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")
_WORD = re.compile(r"'[^'\n]+'|\"[^\"\n]+\"|(?:\\.|[^\s'\"\\])+")
_ESCAPED = re.compile(r"\\(.)")


def as_path(word: str) -> Path:
    """The path that a word stands for: quoted, with escaped spaces, as a file:// address, or as it is."""
    word = word.strip()
    if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"":
        word = word[1:-1]
    elif not Path(word).exists():
        word = _ESCAPED.sub(r"\1", word)
    if word.startswith("file://"):
        word = unquote(urlsplit(word).path)
    try:
        return Path(word).expanduser()
    except RuntimeError:  # a home that is not there
        return Path(word)


def split_images(line: str) -> tuple[str, list[Path]]:
    """A line without the paths of images that exist, and these paths.

    Those at its beginning and end are left out; one in the middle of a sentence leaves its name.
    """
    words = [
        (found.start(), found.end(), path)
        for found in _WORD.finditer(line)
        if (path := _image(found[0])) is not None
    ]
    text, at = "", 0
    for start, end, path in words:
        text += line[at:start]
        inside = text.strip() and _without_images(line[end:])
        text += path.name if inside else ""
        at = end
    return (text + line[at:]).strip(), [path for _, _, path in words]


def _image(word: str) -> Path | None:
    """The path of an image that exists, if the word is one."""
    if not word.rstrip("'\"").lower().endswith(SUFFIXES):
        return None
    path = as_path(word)
    try:
        return path if path.is_file() else None
    except (OSError, ValueError):  # too long a name, or one with a null character
        return None


def _without_images(rest: str) -> bool:
    """True if more than paths of images follows."""
    return any(_image(found[0]) is None for found in _WORD.finditer(rest))
