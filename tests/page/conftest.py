"""A live server with the native model and models that play scripts, and a real browser that looks at its page."""

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from page.scripts import models
from playwright.sync_api import sync_playwright

from musespark.evals.grounding_rendering import browser_path
from musespark.server.app import make_app
from musespark.server.state import ServerSettings

SEEN = 4
"""Events that a run has at least when it is looked at in its middle."""


class Cutting:
    """The application behind a connection that breaks: streams of events end in their middle while `left` is a number."""

    def __init__(self, app):
        self._app = app
        self.left = None
        """Pieces of the next stream that still arrive."""

    async def __call__(self, scope, receive, send):
        """Answer, or break off."""

        async def cut(message):
            if message["type"] == "http.response.body" and self.left is not None:
                if self.left == 0:
                    self.left = None
                    raise ConnectionError("the test cut it")
                self.left -= 1
            await send(message)

        watched = scope["type"] == "http" and scope["path"].endswith("/events")
        await self._app(scope, receive, cut if watched else send)


@contextmanager
def listening(app):
    """The application at an address of this machine, in a thread of its own."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="critical", ws="none", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def scripted():
    """The models of the server under test."""
    return models()


@pytest.fixture(scope="session")
def served(scripted):
    """The server under test."""
    return Cutting(
        make_app(models=scripted, settings=ServerSettings(hosts=("127.0.0.1", "localhost")))
    )


@pytest.fixture(scope="session")
def url(served):
    """Where it listens."""
    with listening(served) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    """One browser for all tests of a file; kept longer, Playwright's event loop would stand in the way of other rooms' tests."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@dataclass
class Visit:
    """A person in front of the page."""

    page: object
    url: str
    faults: list = field(default_factory=list)
    """What the browser complained about: errors, and anything that a policy forbade."""
    outside: list = field(default_factory=list)
    """Requests to anywhere else."""

    def ask(self, question, model="", mode="contemplating", files=()):
        """Ask as a person does; returns when the run is in front."""
        page = self.page
        page.goto(self.url)
        page.wait_for_selector(".one-model")
        if model:
            page.get_by_label("Model", exact=True).select_option(model)
        page.get_by_role("radio", name=mode.capitalize()).check()
        for file in files:
            page.set_input_files("[data-input=file]", file)
            page.wait_for_selector(".given img")
        page.get_by_label("Your question").fill(question)
        page.get_by_role("button", name="Ask", exact=True).click()
        page.wait_for_selector(".run")

    def ended(self):
        """Wait until the run is over and all of it is shown."""
        self.page.wait_for_selector(".run[data-how]:not([data-how=''])")
        self.page.wait_for_selector(".player", state="detached")

    def lanes(self):
        """What is shown of the agents and the answer, as values."""
        return self.page.evaluate("""() => ({
            seq: document.querySelector('.run').dataset.seq,
            lanes: [...document.querySelectorAll('.lane')].map(lane => [lane.dataset.agent, lane.dataset.state, lane.className,
                lane.textContent, [...lane.querySelectorAll('img')].map(image => image.alt)]),
            joins: [...document.querySelectorAll('.joins i')].map(line => [line.className, line.style.left, line.style.width]),
            said: [...document.querySelectorAll('.said')].map(one => one.innerText),
            answer: document.querySelector('.answer-body').innerText, standing: document.querySelector('.standing').innerText,
            story: document.querySelector('.story').innerText, meters: document.querySelector('.meters').innerText})""")

    def width(self):
        """How wide the document is, beside how wide its window is."""
        return self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")


@pytest.fixture
def visit(browser, url, request):
    """A new person, with a window of their own; whatever the browser complains about fails the test."""
    options = {
        "viewport": {"width": 1280, "height": 900},
        "reduced_motion": "reduce",
        **getattr(request, "param", {}),
    }
    context = browser.new_context(**options)
    context.set_default_timeout(60_000)
    someone = Visit(context.new_page(), url)
    someone.page.on("pageerror", lambda error: someone.faults.append(str(error)))
    someone.page.on(
        "console", lambda line: someone.faults.append(line.text) if line.type == "error" else None
    )
    someone.page.on(
        "request",
        lambda asked: (
            someone.outside.append(asked.url)
            if not asked.url.startswith((url, "data:", "blob:", "file:"))
            else None
        ),
    )
    yield someone
    context.close()
    assert not someone.faults
    assert not someone.outside


def stored(visit, id):
    """The run as the server keeps it."""
    return json.loads(visit.page.evaluate("async id => (await fetch('/v1/runs/' + id)).text()", id))
