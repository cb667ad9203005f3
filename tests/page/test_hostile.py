"""Nothing that a model wrote runs in the page, and the page asks no other machine."""

import json
import re
from pathlib import Path

import pytest
from page.hostile import HOSTILE


def test_nothing_that_a_model_wrote_runs_or_loads(visit):
    page = visit.page
    page.add_init_script("window.canaries = 0; window.canary = () => { window.canaries += 1; };")
    page.on("dialog", lambda dialog: pytest.fail("a dialog opened"))
    visit.ask("Be hostile.", model="hostile")
    visit.ended()
    assert page.locator(".lane").count() == len(HOSTILE) + 1
    page.locator(".lane-open").first.click()
    page.wait_for_selector(".agents .entry")
    page.evaluate(
        "[...document.querySelectorAll('.agents .log')].forEach(log => log.scrollTo(0, log.scrollHeight))"
    )
    page.keyboard.press("Escape")
    for link in page.locator(".answer-body a").all():
        assert re.match(
            r"https?://", link.get_attribute("href")
        ) and "noopener" in link.get_attribute("rel")
    for text in ("press me", "and me", "or me"):
        assert page.locator(".answer-body").get_by_text(text, exact=False).count() >= 1
        assert page.locator(".answer-body a", has_text=text).count() == 0
    page.locator(".lane .thumb").first.click()
    page.wait_for_selector(".lightbox[open] img")
    page.keyboard.press("Escape")
    assert page.locator("iframe, object, embed, base, form form").count() == 0
    assert (
        page.locator(".answer-body").locator("img, svg, style, script, button, form, video").count()
        == 0
    )
    assert page.evaluate("window.canaries") == 0
    assert page.evaluate("typeof window.canary") == "function", "the canary is dead"
    page.locator(".standing").click(trial=True)  # Nothing lies over the answer.
    assert "<script>canary()</script>" in page.locator(".answer-body").inner_text()


def test_the_exported_file_of_a_hostile_run_is_as_inert(visit, tmp_path):
    page = visit.page
    visit.ask("Be hostile.", model="hostile")
    visit.ended()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    file = tmp_path / "run.html"
    download.value.save_as(file)
    page.add_init_script("window.canaries = 0; window.canary = () => { window.canaries += 1; };")
    page.goto(file.as_uri())
    page.wait_for_selector(f".lane >> nth={len(HOSTILE)}")
    assert page.evaluate("window.canaries") == 0
    assert page.evaluate("document.querySelectorAll('iframe, object, embed, base').length") == 0
    assert (
        "connect-src" not in file.read_text()[:2000]
        and "default-src 'none'" in file.read_text()[:2000]
    )


def test_the_built_page_names_no_other_machine(visit, url):
    built = Path(__file__).parents[2] / "src" / "musespark" / "server" / "page" / "built"
    allowed = {
        "http://www.w3.org",
        "https://github.com",
        "https://marked.js.org",
    }  # names of formats, and links in messages
    named = {
        found
        for file in built.rglob("*")
        if file.suffix in (".js", ".css", ".html")
        for found in re.findall(r"https?://[a-z0-9.-]+\.[a-z]+", file.read_text())
    }
    assert named <= allowed, json.dumps(sorted(named - allowed))
