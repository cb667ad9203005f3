"""The page of `muse serve` in a real browser: what a person does, and what they then see."""

from pathlib import Path
from urllib.parse import unquote

import pytest
from page.conftest import SEEN, listening, stored

from musespark.server.app import make_app
from musespark.server.errors import RequestRefused
from musespark.server.state import Caller

MAZE = Path(__file__).parents[2] / "examples" / "maze.png"
WAY = "RDRDLLDDDRRRRR"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def test_a_maze_is_solved_in_front_of_a_person_and_replayed(visit, tmp_path):
    page = visit.page
    visit.ask("Which moves solve this maze?", files=[MAZE])
    page.wait_for_selector(".lane >> nth=2")
    page.wait_for_selector(".lane .thumb img >> nth=2")
    visit.ended()
    assert page.locator(".answer").get_attribute("data-tone") == "right"
    assert WAY in page.locator(".answer-body").inner_text()
    assert page.evaluate(
        "[...document.images].every(image => image.complete && image.naturalWidth > 0)"
    )
    assert page.locator(".question img").count() == 1
    assert "2 agents tried" in page.locator(".story").inner_text()
    live = visit.lanes()
    assert (
        len(live["lanes"]) == 3
        and ["tone-right" in join[0] for join in live["joins"]].count(True) >= 2
    )

    page.get_by_role("button", name="Replay").click()
    page.wait_for_selector(".player")
    assert visit.lanes() == live
    scrub = page.get_by_label("Position in the run")
    scrub.fill("0")
    page.wait_for_function("() => document.querySelectorAll('.lane').length < 2")
    assert page.locator(".standing").inner_text() == "Thinking"
    scrub.evaluate(
        "input => { input.value = input.max; input.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    page.wait_for_selector(".lane >> nth=2")
    assert visit.lanes() == live
    page.locator(".player").get_by_role("button", name="Close").click()

    page.reload()
    visit.ended()
    page.wait_for_selector(".question img")
    assert visit.lanes() == live

    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    file = tmp_path / "run.html"
    download.value.save_as(file)
    page.goto(file.as_uri())
    page.wait_for_selector(".lane >> nth=2")
    assert visit.lanes() == live
    assert page.evaluate("[...document.images].length") == 4
    assert page.evaluate(
        "[...document.images].every(image => image.src.startsWith('data:') && image.naturalWidth > 0)"
    )


def test_a_run_that_is_too_quick_to_follow_is_shown_once_more_slowly(browser, url, visit):
    page = browser.new_context(viewport={"width": 1000, "height": 800}).new_page()
    page.goto(url)
    visit.page, before = page, visit.page
    visit.ask("Two ways?", model="quick")
    page.wait_for_selector(".player-note")
    assert "42" in page.locator(".answer-body").inner_text()
    page.get_by_role("button", name="Skip").click()
    visit.ended()
    assert page.locator(".lane").count() == 3
    visit.page = before
    page.context.close()


def test_stop_keeps_the_best_so_far(visit):
    page = visit.page
    visit.ask("For ever?", model="endless")
    page.wait_for_function("() => document.querySelector('.answer-body').innerText.includes('42')")
    page.get_by_role("button", name="Stop", exact=True).click()
    visit.ended()
    assert page.locator(".answer").get_attribute("data-tone") == "early"
    assert "42" in page.locator(".answer-body").inner_text()
    assert page.locator(".lane.thinking, .lane.waiting").count() == 0
    assert page.get_by_role("button", name="Stop", exact=True).count() == 0


def test_a_reload_in_the_middle_goes_on_to_the_same_end(visit):
    page = visit.page
    visit.ask("Step by step?", model="steady")
    page.wait_for_function(f"() => Number(document.querySelector('.run').dataset.seq) > {SEEN}")
    assert page.locator(".run").get_attribute("data-how") == ""
    page.reload()
    page.wait_for_function(f"() => Number(document.querySelector('.run')?.dataset.seq) > {SEEN}")
    assert page.locator(".run").get_attribute("data-how") == "", (
        "the run was over before the page was loaded again"
    )
    visit.ended()
    resumed = visit.lanes()
    page.reload()
    visit.ended()
    assert visit.lanes() == resumed and "42" in resumed["answer"]
    run = stored(visit, page.url.rpartition("/")[2])
    assert int(resumed["seq"]) == run["events"][-1]["seq"]


def test_a_connection_that_is_lost_goes_on_where_it_was(visit, served):
    page, asked = visit.page, []
    page.on(
        "request",
        lambda sent: (
            asked.append(sent.headers.get("last-event-id"))
            if sent.url.endswith("/events")
            else None
        ),
    )
    served.left = 2 * SEEN
    visit.ask("Step by step?", model="steady")
    visit.ended()
    whole = visit.lanes()
    assert asked[0] is None and len(asked) == 2 and int(asked[1]) >= SEEN
    page.reload()
    visit.ended()
    assert visit.lanes() == whole
    visit.faults.clear()  # The browser complains that the stream broke off.


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_a_phone_shows_all_of_it_without_scrolling_sideways(visit):
    page = visit.page
    page.goto(visit.url)
    page.wait_for_selector(".examples")
    assert visit.width() == [360, 360]
    visit.ask("Which moves solve this maze?", files=[MAZE])
    page.wait_for_selector(".lane >> nth=2")
    assert visit.width() == [360, 360]
    visit.ended()
    assert visit.width() == [360, 360]
    page.get_by_role("button", name="Earlier questions").click()
    page.wait_for_selector(".history li")
    assert visit.width() == [360, 360]
    page.get_by_role("button", name="Earlier questions").click()
    page.locator(".lane-open").nth(1).click()
    page.wait_for_selector(".agents[open]")
    page.locator(".agents select").select_option(index=1)
    assert page.locator(".agent").count() == 2 and visit.width() == [360, 360]


def test_keys_alone_are_enough(visit):
    page = visit.page
    page.goto(visit.url)
    page.wait_for_selector(".examples")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "TEXTAREA":
            break
    page.keyboard.type("Use 25, 3, 7 and 12 to make 66.")
    page.keyboard.press("Enter")
    page.wait_for_selector(".run")
    visit.ended()
    page.keyboard.press("Tab")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('lane-open')"):
            break
    name = page.evaluate("document.activeElement.innerText")
    page.keyboard.press("Enter")
    page.wait_for_selector(".agents[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector(".agents[open]", state="detached")
    assert page.evaluate("document.activeElement.innerText") == name, (
        "the focus is lost when the dialog closes"
    )


def test_images_can_be_pasted_and_dropped(visit):
    page = visit.page
    page.goto(visit.url)
    page.wait_for_selector(".examples")
    for kind in ("paste", "drop"):
        page.evaluate(
            """async ([kind, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], `${kind}.png`, {type: 'image/png'}));
            const event = kind === 'paste' ? new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})
                : new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true});
            document.querySelector('main').dispatchEvent(event);
        }""",
            [kind, list(MAZE.read_bytes())],
        )
        page.wait_for_selector(f".given img[alt='{kind}.png']")
    page.evaluate("""() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['no picture'], 'notes.txt', {type: 'text/plain'}));
        document.querySelector('main').dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}));
    }""")
    page.wait_for_selector(".composer .fault")
    assert "notes.txt is not an image" in page.locator(".composer .fault").inner_text()
    page.get_by_role("button", name="Remove paste.png").click()
    assert page.locator(".given img").count() == 1


def test_a_conversation_goes_on_with_what_was_said(visit, scripted):
    page = visit.page
    visit.ask("The first question", model="quick")
    visit.ended()
    page.get_by_label("Your question").fill("The second question")
    page.keyboard.press("Enter")
    page.wait_for_selector(".earlier-turn")
    visit.ended()
    assert "The first question" in page.locator(".earlier-turn").inner_text()
    assert page.locator(".question h1").inner_text() == "The second question"
    told = [message.text for message in scripted["quick"].requests[-1].messages]
    assert told[-3:] == ["The first question", "42", "The second question"]


def test_another_model_answers_the_same_beside_the_first(visit):
    page = visit.page
    visit.ask("Use 25, 3, 7 and 12 to make 66.", model="quick")
    visit.ended()
    page.get_by_role("button", name="Another model").click()
    page.locator(".swap select").first.select_option("nano")
    page.get_by_role("button", name="Ask the same").click()
    page.wait_for_selector(".costs")
    page.wait_for_function(
        "() => document.querySelectorAll('.run:not([data-how=\"\"])').length === 2"
    )
    page.wait_for_selector(".costs td:has-text('((25-7)*3)+12')")
    cells = page.evaluate(
        "[...document.querySelectorAll('.costs tbody tr')].map(row => [...row.cells].map(one => one.innerText))"
    )
    rows = {name: values for name, *values in cells}
    assert rows["Answer"] == ["42", "((25-7)*3)+12"] and rows["Checked"] == [
        "Unchecked",
        "Verified",
    ]
    assert (
        rows["Money"] == ["$0.002", "$0"]
        and rows["Tokens"][0] == "20"
        and all(" s" in time for time in rows["Time"])
    )
    page.wait_for_selector(".history li.current .right")
    assert (
        page.locator(".history li.current a").get_attribute("href")
        == page.url.removeprefix(visit.url).partition("?")[0]
    )


def test_hundreds_of_agents_that_say_as_many_things_stay_light(visit):
    page = visit.page
    visit.ask("Which way?", model="crowd")
    visit.ended()
    assert page.locator(".lane").count() == 201
    assert (
        page.locator(".said").count() == 12
        and page.locator(".others").inner_text() == "and 188 more"
    )
    assert page.evaluate("document.querySelectorAll('.lanes *').length") < 201 * 30


def test_a_server_that_is_gone_is_told_where_something_is_asked_of_it(visit):
    page = visit.page
    visit.ask("For ever?", model="endless")
    page.wait_for_selector(".lane >> nth=2")
    page.route("**/stop", lambda route: route.abort())
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_selector(".actions :text('The server does not answer')")
    page.unroute("**/stop")
    page.get_by_role("button", name="Stop", exact=True).click()
    visit.ended()
    page.route("**/events", lambda route: route.abort())
    page.get_by_role("button", name="Replay").click()
    page.wait_for_selector(".actions :text('The server does not answer')")
    assert page.locator(".player").count() == 0
    visit.faults.clear()  # The browser reports each request that failed.


def test_two_agents_are_compared_and_an_image_is_opened_large(visit):
    page = visit.page
    visit.ask("Step by step?", model="quick")
    visit.ended()
    page.locator(".lane-open").nth(1).click()
    page.locator(".agents select").select_option(index=2)
    names = [heading.inner_text() for heading in page.locator(".agent h2").all()]
    assert names == ["a the first way", "b the second way"]
    page.keyboard.press("Escape")
    page.locator(".lane .thumb").first.click()
    assert page.locator(".lightbox[open] img").get_attribute("alt") == "what b imagines"
    page.keyboard.press("Escape")
    page.wait_for_selector(".lightbox[open]", state="detached")


def test_runs_are_listed_and_forgotten(visit):
    page = visit.page
    visit.ask("A question to forget", model="quick")
    visit.ended()
    entry = page.locator(".history li", has_text="A question to forget").first
    entry.wait_for()
    entry.hover()
    entry.get_by_role("button", name="Delete: A question to forget").click()
    entry.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_selector(".idle")
    page.wait_for_function(
        "() => !document.querySelector('.history').innerText.includes('A question to forget')"
    )


def test_a_run_that_is_not_there_says_so_and_leads_on(visit):
    page = visit.page
    visit.ask("Two ways?", model="quick")
    visit.ended()
    for id in ("0123abc", "no.such%20run", "a" * 81, "%F0%9F%98%80", "%"):
        page.goto(f"{visit.url}/runs/{id}")
        page.wait_for_selector(".gone li")
        named = unquote(id) if len(id) < 60 else id[:59] + "…"
        said = page.get_by_role("alert").inner_text()
        assert said == f"There is no run {named} here; it was not stored, or has been deleted."
        assert page.locator(".idle, .composer").count() == 0
    page.locator(".gone li a").first.click()
    visit.ended()
    assert page.locator(".question h1").inner_text() == "Two ways?"
    visit.faults.clear()  # The browser reports each 404.


def test_where_a_key_is_needed_the_page_asks_for_it_and_images_load_with_it(visit, scripted):
    async def holders(http):
        if http.headers.get("authorization") != "Bearer muse-open-sesame":
            raise RequestRefused("This server asks for a key.", status=401, code="no_key")
        return Caller("someone")

    page = visit.page
    with listening(make_app(models=scripted, authenticate=holders)) as url:
        visit.url, before = url, visit.url
        page.goto(url)
        page.get_by_label("Key").fill("muse-wrong")
        page.get_by_role("button", name="Open").click()
        page.wait_for_selector(".locked .fault")
        page.get_by_label("Key").fill("muse-open-sesame")
        page.get_by_role("button", name="Open").click()
        page.wait_for_selector(".examples")
        visit.ask("Two ways?", model="quick", files=[MAZE])
        visit.ended()
        page.wait_for_function("() => document.querySelectorAll('.thumb img').length === 2")
        assert page.evaluate(
            "[...document.querySelectorAll('.thumb img')].every(image => image.src.startsWith('blob:'))"
        )
        assert "muse-open-sesame" not in page.content() and "muse-open-sesame" not in page.url
        page.goto("about:blank")
        visit.url = before
    assert all(
        fault.startswith("Failed to load resource: the server responded with a status of 401")
        for fault in visit.faults
    )
    assert all(asked.startswith(url) for asked in visit.outside)
    visit.faults.clear()
    visit.outside.clear()
