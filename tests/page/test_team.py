"""The form: a team can be steered with it, and nothing can be chosen that would only be refused."""

import json
from pathlib import Path

import pytest
from page.conftest import listening

from musespark.config import Config, ModelConfig, Roles, TeamConfig
from musespark.server.app import make_app

MAZE = Path(__file__).parents[2] / "examples" / "maze.png"
PHONE = {
    "viewport": {"width": 390, "height": 800},
    "has_touch": True,
    "is_mobile": True,
    "color_scheme": "dark",
}


def opened(visit):
    """The page with the team's part unfolded."""
    visit.page.goto(visit.url)
    visit.page.get_by_role("button", name="Team, tools and budget").click()
    visit.page.wait_for_selector(".more")
    return visit.page


def sent(page, question):
    """What the page asks the server for this question."""
    page.get_by_label("Your question").fill(question)
    with page.expect_request(lambda request: request.method == "POST") as asked:
        page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_selector(".run")
    return json.loads(asked.value.post_data)


def test_a_team_is_steered_asked_and_remembered(visit):
    page = opened(visit)
    for name in ("quick", "reader"):
        page.locator(".mix").get_by_label(name, exact=False).check()
    page.locator(".mix").get_by_label("nano", exact=False).uncheck()
    for label, value in (
        ("Maximum agents", "5"),
        ("First wave", "3"),
        ("Maximum rounds", "0"),
        ("Maximum threads", "4"),
        ("Dollars", "0.5"),
        ("Seconds", "60"),
        ("Tokens", "200000"),
        ("Calls", "40"),
    ):
        page.get_by_label(label).fill(value)
    for name, value in (("Aggregate", "judge"), ("Judge", "reader"), ("Merger", "quick")):
        page.get_by_role("combobox", name=name, exact=True).select_option(value)
    page.get_by_label("python").check()
    told = "Up to 5 agents of quick and reader, 3 at first; a judge compares the best in pairs."
    assert told in page.locator(".more").inner_text()
    whole = {
        "mode": "contemplating",
        "models": ["quick", "reader"],
        "agents": 5,
        "first": 3,
        "rounds": 0,
        "threads": 4,
        "aggregate": "judge",
        "judge": "reader",
        "merger": "quick",
        "tools": ["python"],
        "budget": {"usd": 0.5, "seconds": 60, "tokens": 200_000, "calls": 40},
    }
    assert sent(page, "Two ways?") == {"question": "Two ways?", **whole}
    visit.ended()
    assert page.locator(".manner").first.inner_text() == "contemplating · quick + reader"
    page.goto(visit.url)
    chosen = page.locator(".composer .chosen").first
    chosen.wait_for()
    told = "2 models · 5 agents · 3 at first · 0 rounds · 4 threads · aggregate judge · judge reader · merger quick · python"
    assert chosen.inner_text().startswith(told)
    assert sent(page, "Once more?") == {"question": "Once more?", **whole}
    page = opened(visit)
    page.get_by_role("button", name="Reset to defaults").click()
    assert sent(page, "And plainly?") == {"question": "And plainly?", "mode": "contemplating"}


def test_one_model_is_enough_to_ask(visit):
    page = visit.page
    page.goto(visit.url)
    page.wait_for_selector(".one-model")
    assert (
        page.locator(".more").count() == 0
        and page.get_by_label("Model", exact=True).input_value() == "nano"
    )
    page.get_by_label("Model", exact=True).select_option("quick")
    assert sent(page, "Well?") == {
        "question": "Well?",
        "mode": "contemplating",
        "models": ["quick"],
    }


def test_what_a_model_cannot_do_is_greyed_out_with_a_sentence(visit):
    page = opened(visit)
    page.get_by_label("Model", exact=True).select_option("bare")
    assert all(page.get_by_label(tool).is_disabled() for tool in ("python", "spawn", "look"))
    said = page.locator(".composer").inner_text()
    assert "bare cannot use tools." in said and "bare cannot take images." in said
    assert page.get_by_role("button", name="Add an image").is_disabled()
    page.get_by_label("Your question").fill("What is this?")
    page.set_input_files("[data-input=file]", MAZE)
    page.wait_for_selector(".given img")
    assert page.get_by_role("button", name="Ask", exact=True).is_disabled()
    page.get_by_label("Model", exact=True).select_option("reader")
    assert (
        page.get_by_text(
            "reader cannot take images; with the tool look it gets their text."
        ).count()
        == 1
    )
    page.get_by_label("look", exact=False).check()
    assert page.get_by_text("cannot take images").count() == 0
    assert page.get_by_role("button", name="Ask", exact=True).is_enabled()
    body = sent(page, "What is this?")
    assert body["models"] == ["reader"] and body["tools"] == ["look"] and len(body["images"]) == 1
    visit.ended()
    page.get_by_role("button", name="Another model").click()
    assert page.locator(".swap option", has_text="bare · cannot use tools").is_disabled()


def test_only_a_team_has_what_a_team_has(visit):
    page = opened(visit)
    page.get_by_label("Maximum agents").fill("7")
    page.get_by_label("Model", exact=True).select_option("reader")
    page.get_by_role("radio", name="Thinking").check()
    assert page.get_by_label("Maximum agents").count() == 0 and page.locator(".mix").count() == 0
    assert "choose Contemplating" in page.locator(".more").inner_text()
    page.get_by_role("combobox", name="Effort", exact=True).select_option("high")
    assert sent(page, "Well?") == {
        "question": "Well?",
        "mode": "thinking",
        "models": ["reader"],
        "effort": "high",
    }


def test_a_number_that_is_none_is_told_by_the_server(visit):
    page = opened(visit)
    page.get_by_label("Maximum agents").fill("65")
    page.get_by_label("Your question").fill("Well?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".composer .fault")
    assert (
        page.locator(".composer .fault").inner_text()
        == "agents: input should be less than or equal to 64."
    )
    visit.faults.clear()  # The browser reports the refusal.


def test_a_model_that_is_not_ready_says_why(visit, scripted):
    config = Config(
        models={"keyless": ModelConfig(model="openai:gpt-5", key_env="NO_SUCH_KEY_HERE")}
    )
    with listening(make_app(config, models={"quick": scripted["quick"]})) as url:
        visit.url, before = url, visit.url
        page = opened(visit)
        entry = page.locator(".mix li", has_text="keyless")
        assert "NO_SUCH_KEY_HERE" in entry.inner_text() and entry.locator("input").is_disabled()
        assert page.locator(".one-model option[value=keyless]").is_disabled()
        page.goto("about:blank")
        visit.url = before
    visit.outside.clear()


def test_with_the_native_model_alone_little_is_offered_and_it_says_why(visit):
    with listening(make_app()) as url:
        visit.url, before = url, visit.url
        page = opened(visit)
        assert (
            page.locator(".one-model option").all_inner_texts() == ["nano"]
            and page.locator(".mix").count() == 0
        )
        assert page.get_by_role("combobox", name="Judge", exact=True).count() == 0
        assert (
            page.locator("option:text-is('judge')").is_disabled()
            and page.locator("option:text-is('vote')").is_enabled()
        )
        told = page.locator(".more").inner_text()
        assert "nano contemplates by itself, in up to 12 threads" in told
        assert "none can refine, judge or merge" in told and "nano cannot use tools." in told
        page.get_by_label("Maximum agents").fill("3")
        assert "Up to 3 agents of nano, 2 at first" in page.locator(".more").inner_text()
        page.get_by_label("Maximum rounds").fill("1")
        assert "they refine once if they disagree" in page.locator(".more").inner_text()
        page.goto("about:blank")
        visit.url = before
    visit.outside.clear()


LOUD = "<img src=x onerror=document.title='said'> \u202eloud"


def test_of_several_configured_models_each_mode_shows_who_is_asked_and_what_limits_it(
    visit, scripted
):
    config = Config(roles=Roles(explorer=("quick", LOUD)), team=TeamConfig(deadline=60.0))
    with listening(
        make_app(config, models={"quick": scripted["quick"], LOUD: scripted["reader"]})
    ) as url:
        visit.url, before = url, visit.url
        page = opened(visit)
        chosen = page.get_by_label("Model", exact=True).locator("option:checked")
        assert chosen.inner_text().startswith("quick, <img src=x")
        assert page.get_by_label("Seconds").get_attribute("placeholder") == "60"
        assert page.locator(".mix img").count() == 0 and LOUD in page.locator(".mix").text_content()
        page.get_by_role("radio", name="Thinking").check()
        assert (
            chosen.inner_text() == "quick"
            and page.get_by_label("Seconds").get_attribute("placeholder") == "any"
        )
        assert sent(page, "Well?") == {"question": "Well?", "mode": "thinking"}
        assert page.title() == "Well? · Muse Spark"
        page.goto("about:blank")
        visit.url = before
    visit.outside.clear()


REFUSING = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, { get() { throw new DOMException("It is blocked.", "SecurityError"); } });"""
GARBAGE = """
    localStorage.setItem("musespark.manner", '{"mode": "pondering", "models": ["gone"], "judge": "gone", "effort": "gone"}');
    localStorage.setItem("musespark.theme", "<b>");"""


@pytest.mark.parametrize("script", [REFUSING, GARBAGE])
def test_a_browser_that_keeps_nothing_or_garbage_asks_all_the_same(visit, script):
    visit.page.add_init_script(script)
    page = opened(visit)
    assert page.get_by_role("radio", name="Contemplating").is_checked()
    assert page.get_by_role("button", name="Colours: auto. Change to light.").count() == 1
    page.get_by_role("combobox", name="Judge", exact=True).select_option("reader")
    assert sent(page, "Well?") == {"question": "Well?", "mode": "contemplating", "judge": "reader"}


def test_keys_alone_steer_a_team(visit):
    page = visit.page
    page.goto(visit.url)
    page.wait_for_selector(".one-model")

    def to(name):
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("""() => { const now = document.activeElement;
                    return now.closest('label')?.innerText ?? now.ariaLabel ?? ''; }""").startswith(
                name
            ):
                return
        pytest.fail(f"{name!r} is not reached by Tab")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the link past all that was asked before
    to("Team, tools")
    page.keyboard.press("Enter")
    page.wait_for_selector(".more")
    to("quick")
    page.keyboard.press("Space")
    to("nano")
    page.keyboard.press("Space")
    to("Maximum agents")
    page.keyboard.type("3")
    to("python")
    page.keyboard.press("Space")
    for _ in range(80):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.tagName") == "TEXTAREA":
            break
    page.keyboard.type("Two ways?")
    with page.expect_request(lambda request: request.method == "POST") as asked:
        page.keyboard.press("Enter")
    body = json.loads(asked.value.post_data)
    assert (body["models"], body["agents"], body["tools"]) == (["quick"], 3, ["python"])
    page.wait_for_selector(".run")


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_a_phone_has_room_for_all_of_it(visit):
    page = opened(visit)
    page.get_by_label("Model", exact=True).select_option("bare")
    assert visit.width() == [390, 390]
    small = page.evaluate("""[...document.querySelectorAll('.composer button, .composer select, .composer input[type=number]')]
        .filter(one => one.getBoundingClientRect().height < 34).map(one => one.outerHTML.slice(0, 80))""")
    assert not small
