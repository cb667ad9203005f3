"""Screens rendered in a real browser: the page's own elements are the truth, the same again for the same seed."""

import numpy as np
import pytest
from PIL import Image as pillow

from musespark.errors import BadOption, MissingFile
from musespark.evals.grounding_rendering import HEIGHT, WIDTH, browser_path, pages_of, render
from musespark.evals.grounding_screens import read_screens


def test_the_pages_to_tune_on_are_none_of_those_that_are_reported():
    development, test = set(pages_of("development")), set(pages_of("test"))
    assert (
        development
        and test
        and not development & test
        and development | test == set(pages_of("all"))
    )
    assert len(test) > 50


def test_a_page_is_labelled_with_what_it_shows(tmp_path):
    first = list(render(tmp_path / "a", ["login-user", "click-tab-2-hard"], [5], [1, 2]))
    again = list(render(tmp_path / "b", ["login-user"], [5], [1]))
    assert read_screens(tmp_path / "a") == first and again[0].items == first[0].items
    login, tab, large, _ = first
    assert [(screen.page, screen.scale) for screen in first] == [
        ("login-user", 1),
        ("click-tab-2-hard", 1),
        ("login-user", 2),
        ("click-tab-2-hard", 2),
    ]
    kinds = {item.text: item.kind for item in login.items}
    assert kinds["Login"] == "button" and kinds["Username"] == kinds["Password"] == "label"
    assert any(text.startswith('Enter the username "') for text in kinds)
    assert {item.kind for item in tab.items} >= {"link", "text"}
    for screen, scale in ((login, 1), (large, 2)):
        with pillow.open(screen.file) as image:
            assert image.size == (WIDTH * scale, HEIGHT * scale)
            grey = np.asarray(image.convert("L"))
        for item in screen.items:
            for box, ink in zip(item.boxes, item.inks, strict=True):
                assert (
                    box.left <= ink.left
                    and ink.right <= box.right
                    and 0 <= box.left
                    and box.bottom <= 1000
                )
                left, right = (
                    round(ink.left * grey.shape[1] / 1000),
                    round(ink.right * grey.shape[1] / 1000),
                )
                top, bottom = (
                    round(ink.top * grey.shape[0] / 1000),
                    round(ink.bottom * grey.shape[0] / 1000),
                )
                inside = grey[top:bottom, left:right]
                assert (inside < inside.max() - 60).sum() > 3 * len(
                    item.text
                )  # letters, and not beside them
    assert (
        next(item for item in large.items if item.text == "Login")
        .inks[0]
        .iou(next(item for item in login.items if item.text == "Login").inks[0])
        > 0.85
    )


def test_what_cannot_be_rendered_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(BadOption, match="name of a MiniWoB"):
        list(render(tmp_path, ["no-such-page"], [0], [1]))
    monkeypatch.setenv("MUSE_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(MissingFile, match="apt install chromium"):
        browser_path()
