"""What axe-core says of the page, in every state that it has, light and dark."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

MAZE = Path(__file__).parents[2] / "examples" / "maze.png"
LOOKS = [
    {"color_scheme": "light"},
    {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}},
]


def serious(page):
    """Its faults of the two worst kinds, each with the elements that it is about."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    worst = [fault for fault in found if fault["impact"] in ("serious", "critical")]
    return [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in worst]


@pytest.mark.parametrize("visit", LOOKS, indirect=True, ids=["wide and light", "phone and dark"])
def test_no_state_of_the_page_has_a_serious_fault(visit):
    page = visit.page
    page.goto(visit.url)
    page.wait_for_selector(".examples")
    assert serious(page) == []
    for mode in ("Thinking", "Contemplating"):
        page.get_by_role("radio", name=mode).check()
        page.get_by_role("button", name="Team, tools and budget").click()
        page.wait_for_selector(".more")
        assert serious(page) == []
        page.get_by_role("button", name="Team, tools and budget").click()
    page.goto(f"{visit.url}/runs/no.such.run")
    page.wait_for_selector(".gone")
    assert serious(page) == []
    visit.ask("Step by step?", model="steady")
    page.wait_for_selector(".lane >> nth=2")
    assert serious(page) == []
    visit.ended()
    assert serious(page) == []
    page.get_by_role("button", name="Another model").click()
    page.get_by_role("button", name="Replay").click()
    page.wait_for_selector(".player")
    page.get_by_role("button", name="Team, tools and budget").click()
    assert serious(page) == []
    page.locator(".lane-open").nth(1).click()
    page.locator(".agents select").select_option(index=1)
    assert serious(page) == []
    page.keyboard.press("Escape")
    visit.ask("Which moves solve this maze?", files=[MAZE])
    visit.ended()
    page.wait_for_selector(".thumb img")
    assert serious(page) == []
    page.locator(".thumb").first.click()
    page.wait_for_selector(".lightbox[open]")
    assert serious(page) == []
    page.keyboard.press("Escape")
    visit.ask("Be hostile.", model="hostile")
    visit.ended()
    assert serious(page) == []
    visit.faults[:] = [
        fault for fault in visit.faults if "axe" not in fault and "unsafe-eval" not in fault
    ]
