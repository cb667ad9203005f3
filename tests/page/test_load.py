"""Sixteen agents that think at once leave the page idle for most of the time, and small."""


def test_sixteen_lanes_at_200_events_a_second(visit):
    page = visit.page
    visit.ask("Which way?", model="busy")
    page.wait_for_selector(".lane >> nth=16")
    clock = page.context.new_cdp_session(page)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})

    def worked():
        found = clock.send("Performance.getMetrics")["metrics"]
        values = {metric["name"]: metric["value"] for metric in found}
        return values["TaskDuration"], values["Timestamp"]

    (before, began), seq = worked(), _seq(page)
    page.wait_for_timeout(3000)
    (after, ended), events = worked(), _seq(page) - seq
    assert events > 100, "the machine is too busy to send the events"
    assert (after - before) / (ended - began) < 0.5
    assert page.evaluate("document.querySelectorAll('*').length") < 1000
    visit.ended()
    assert page.locator(".lane.won").count() == 16


def test_a_long_lane_exists_only_where_it_is_looked_at(visit):
    page = visit.page
    visit.ask("Which way?", model="talkative")
    visit.ended()
    page.locator(".lane-open").first.click()
    page.wait_for_selector(".agents .entry")
    log = page.locator(".agents .log")
    for part in (0, 0.5, 1):
        log.evaluate("(log, part) => log.scrollTo(0, part * log.scrollHeight)", part)
        page.wait_for_timeout(300)
        assert 0 < page.locator(".agents .entry").count() < 60
    assert "picture of dot 899" in page.locator(".agents .entry").last.inner_text()


def _seq(page):
    return int(page.locator(".run").get_attribute("data-seq"))


def test_a_long_run_is_loaded_in_pieces(visit):
    """Also where the processor is slow: nothing keeps the page from answering for long."""
    page = visit.page
    visit.ask("How long?", model="long")
    visit.ended()
    page.add_init_script("""window.longest = 0; new PerformanceObserver(list => {
        for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
    }).observe({entryTypes: ['longtask']})""")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    asked = []
    page.on("request", lambda request: asked.append(request.url.partition("/v1/")[2]))
    page.reload()
    visit.ended()
    assert _seq(page) > 12_000
    id = page.url.rpartition("/")[2]
    assert f"runs/{id}/events" in asked and f"runs/{id}" not in asked, (
        "all of it is sent a second time"
    )
    assert page.evaluate("window.longest") < 1000
