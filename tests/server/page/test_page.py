"""The page's files and what a browser may do with them, what the page is told, and a run as one file."""

import base64
import hashlib
import json
from html.parser import HTMLParser

import httpx
import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError
from server.conftest import ABLE, live, says
from server.watchers import started, watched

import musespark
from musespark.config import Config, ModelConfig, Roles, TeamConfig
from musespark.models.fake import DOT, FakeModel
from musespark.models.model import Finish, ImageDelta, TextDelta
from musespark.server.app import make_app
from musespark.server.page import page_info, static
from musespark.server.page.run_body import RunBody
from musespark.server.runs.export import PLACEHOLDER, script_safe_json
from musespark.server.state import ServerSettings
from musespark.tools import registry

HOSTILE = "</script><script>alert(1)</script><!-- <script> \u2028 ]]> \ud83d & &lt;"
IMAGE = {"media_type": "image/png", "data": base64.b64encode(DOT).decode()}
MODELS = {
    "plain": FakeModel(says("4", "2"), name="plain", abilities=ABLE),
    "hostile": FakeModel(
        [ImageDelta(DOT, 1, 1, HOSTILE), TextDelta(HOSTILE), Finish()],
        name="hostile",
        abilities=ABLE,
    ),
}
CONFIG = Config(
    models={"keyless": ModelConfig(model="openai:gpt-5", key_env="NO_SUCH_KEY_HERE")},
    roles=Roles(explorer=("plain", "hostile")),
    team=TeamConfig(agents=4, deadline=30),
)


@pytest.fixture(scope="module")
def http():
    with (
        live(MODELS, config=CONFIG) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


class Tags(HTMLParser):
    """Every tag with its attributes, and what stands within scripts and styles."""

    def __init__(self, document):
        super().__init__()
        self.tags, self.inside, self._open = [], [], None
        self.feed(document)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open = dict(attrs) if tag in ("script", "style") else None
        if self._open is not None:
            self.inside.append((tag, self._open, ""))

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open is not None:
            tag, attrs, before = self.inside[-1]
            self.inside[-1] = (tag, attrs, before + data)


def test_the_page_may_do_little(http):
    for path in ("/", "/runs/0123abc", "/runs/%3Cscript%3E"):
        response = http.get(path)
        assert (
            response.status_code == 200
            and response.headers["content-type"] == "text/html; charset=utf-8"
        )
        assert response.headers["cache-control"] == "no-cache"
        policy = dict(
            part.split(" ", 1) for part in response.headers["content-security-policy"].split("; ")
        )
        assert (
            policy.pop("img-src") == "'self' data: blob:" and policy.pop("default-src") == "'none'"
        )
        own = {"script-src", "style-src", "connect-src", "font-src", "manifest-src"}
        assert {name for name, allowed in policy.items() if allowed == "'self'"} == own
        assert {name for name, allowed in policy.items() if allowed == "'none'"} == {
            "base-uri",
            "form-action",
            "frame-ancestors",
        }
        assert (
            response.headers["x-content-type-options"] == "nosniff"
            and response.headers["referrer-policy"] == "no-referrer"
        )
        assert response.headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=(self)" in response.headers["permissions-policy"]
    found = Tags(http.get("/").text)
    assert all(
        not text.strip() and attrs.get("src", "").startswith("/assets/")
        for tag, attrs, text in found.inside
    )
    assert not any(
        name.startswith("on") or name == "style" for _, attrs in found.tags for name in attrs
    )
    for link in [
        attrs.get("src") or attrs.get("href")
        for _, attrs in found.tags
        if "src" in attrs or "href" in attrs
    ]:
        asset = http.get(link)
        assert (
            asset.status_code == 200
            and asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        )
        assert (
            asset.headers["x-content-type-options"] == "nosniff"
            and "content-security-policy" in asset.headers
        )


def test_files_that_have_not_changed_are_not_sent_again(http):
    first = http.get("/")
    again = http.get("/", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content
    assert http.head("/").headers["content-length"] == str(len(first.content))


@pytest.mark.parametrize(
    "path",
    [
        "/assets/",
        "/assets/nothing.js",
        "/assets/../app.py",
        "/assets/%2e%2e/index.html",
        "/assets/..%2f..%2fapp.py",
        "/assets//etc/passwd",
        "/assets/%00",
        "/replay.html",
        "/index.html",
        "/built.json",
        "/favicon.ico",
        "/runs/a/b",
        "/runs/",
    ],
)
def test_other_files_are_not_there(http, path):
    response = http.get(path)
    assert response.status_code == 404 and response.json()["error"]["message"].endswith(".")


def test_a_page_that_is_not_built_says_so(tmp_path):
    with (
        live({"plain": MODELS["plain"]}, settings=ServerSettings(page=tmp_path)) as server,
        httpx.Client(base_url=server.url, timeout=60) as http,
    ):
        response = http.get("/")
        assert (
            response.status_code == 503
            and "not built" in response.text
            and "script-src" in response.headers["content-security-policy"]
        )
        id = started(http, mode="thinking", models=["plain"])
        watched(http, id)
        export = http.get(f"/v1/runs/{id}/export")
        assert export.status_code == 503 and export.json()["error"]["code"] == "not_built"


def test_what_the_page_is_told(http):
    told = http.get("/v1/page").json()
    assert told["version"] == musespark.__version__ and told["modes"] == [
        "instant",
        "thinking",
        "contemplating",
    ]
    assert told["auth"] is False and [tool["id"] for tool in told["tools"]] == [
        "python",
        "spawn",
        "look",
    ]
    assert all(tool["ready"] and not tool["why"] for tool in told["tools"])
    assert (
        told["limits"]["images"] == 16
        and told["limits"]["agents"] == 64
        and told["limits"]["models"] == 16
    )
    assert told["limits"]["videos"] == 1 and told["roles"] == ["refiner", "judge", "merger"]
    assert {"id": "medium", "agents": 8, "first": 2, "rounds": 0} in told["efforts"]
    assert told["defaults"]["models"] == ["plain", "hostile"] and told["defaults"]["agents"] == 4
    assert (
        told["defaults"]["budget"] == {"seconds": 30}
        and told["defaults"]["mode"] == "contemplating"
    )
    by_name = {model["id"]: model for model in told["models"]}
    assert list(by_name) == ["plain", "hostile", "keyless", "nano"]
    assert by_name["plain"]["ready"] and by_name["plain"]["pictures"] and by_name["plain"]["tools"]
    assert by_name["nano"]["pictures"] and by_name["nano"]["team"] and not by_name["nano"]["tools"]
    assert by_name["nano"]["price"] == {"prompt": 0.0, "written": 0.0}
    assert not by_name["keyless"]["ready"] and "NO_SUCH_KEY_HERE" in by_name["keyless"]["why"]


def test_what_lacks_its_library_is_not_offered(http, monkeypatch):
    monkeypatch.setattr(page_info, "find_spec", lambda name: None)
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    told = http.get("/v1/page").json()
    look = told["tools"][2]
    assert not look["ready"] and "musespark[vision]" in look["why"] and told["tools"][0]["ready"]
    assert told["limits"]["videos"] == 0


def test_whatever_is_offered_is_taken(http):
    """What the form sends of each option, the server reads: one and the same words."""
    told = http.get("/v1/page").json()
    for effort in told["efforts"]:
        RunBody.model_validate({"effort": effort["id"]})
    every = {
        "tools": [tool["id"] for tool in told["tools"]],
        "models": ["plain"] * told["limits"]["models"],
        **{name: told["limits"][name] for name in ("agents", "rounds", "threads")},
        **dict.fromkeys(told["roles"], "plain"),
    }
    RunBody.model_validate(every)
    for name in ("agents", "rounds", "threads"):
        with pytest.raises(ValidationError):
            RunBody.model_validate({name: told["limits"][name] + 1})
    for aggregate in told["aggregates"]:
        id = started(http, models=["plain"], agents=2, first=1, rounds=0, aggregate=aggregate)
        assert http.get(f"/v1/runs/{id}").json()["asked"]["aggregate"] == aggregate


def test_without_a_configuration_the_native_model_is_all_there_is():
    with live({}) as server, httpx.Client(base_url=server.url, timeout=60) as http:
        told = http.get("/v1/page").json()
        assert [model["id"] for model in told["models"]] == ["nano"] and told["defaults"][
            "models"
        ] == ["nano"]
        refused = http.post("/v1/runs", json={"question": "Well?", "models": ["fake"]})
        assert refused.status_code == 404 and "'fake'" in refused.json()["error"]["message"]


def test_models_tell_what_they_can_do(http):
    listed = {model["id"]: model["muse"] for model in http.get("/v1/models").json()["data"]}
    assert (
        listed["contemplating"]["models"] == ["plain", "hostile"]
        and listed["contemplating"]["price"] is None
    )
    assert listed["thinking/nano"]["models"] == ["nano"] and listed["thinking/nano"]["team"]
    assert http.get("/v1/models/plain").json()["muse"] == listed["plain"]


def test_a_run_as_one_file(http):
    id = started(
        http,
        question=HOSTILE.replace("\ud83d", ""),
        mode="thinking",
        models=["hostile"],
        images=[IMAGE],
    )
    events = [data for _, kind, data in watched(http, id) if kind != "end"]
    response = http.get(f"/v1/runs/{id}/export")
    assert response.headers["content-disposition"] == f'attachment; filename="muse-{id}.html"'
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    document = response.text
    built = (static.BUILT / "replay.html").read_text()
    before, after = built.split(PLACEHOLDER)
    assert document.startswith(before) and document.endswith(
        after
    )  # nothing but the run was written into it
    found, empty = Tags(document), Tags(built)
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in empty.tags]
    written = next(text for tag, attrs, text in found.inside if attrs.get("id") == "run")
    assert "<" not in written and written.isascii()
    run = json.loads(written)
    assert (
        run["run"]["question"] == HOSTILE.replace("\ud83d", "") and run["run"]["answer"] == HOSTILE
    )
    assert run["run"]["asked"]["images"] == [f"data:image/png;base64,{IMAGE['data']}"]
    linked = {f"/v1/runs/{id}/pictures/1": f"data:image/png;base64,{IMAGE['data']}"}
    assert run["events"] == [
        {**event, "picture": linked[event["picture"]]} if "picture" in event else event
        for event in events
    ]
    # Nothing is asked of anybody: the policy within allows the file's own script and style, and pictures that it holds.
    policy = next(
        attrs["content"]
        for tag, attrs in found.tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert (
        "default-src 'none'" in policy
        and "http" not in policy
        and "connect-src" not in policy
        and "unsafe" not in policy
    )
    for tag, attrs, text in found.inside:
        if attrs.get("id") != "run":
            assert "src" not in attrs
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & {
        tag for tag, _ in found.tags
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=8,
)


@given(json_values)
def test_what_is_written_into_a_file_is_inert_and_whole(value):
    written = script_safe_json(value)
    assert "<" not in written and written.isascii() and json.loads(written) == value


def test_the_document_covers_the_page():
    document = make_app(models={}).openapi()
    pages = {
        "/v1/runs": {"get", "post"},
        "/v1/runs/{id}": {"get", "delete"},
        "/v1/runs/{id}/events": {"get"},
        "/v1/page": {"get"},
        "/v1/runs/{id}/stop": {"post"},
        "/v1/runs/{id}/asked/{number}": {"get"},
        "/v1/runs/{id}/export": {"get"},
    }
    assert {path: set(document["paths"][path]) for path in pages} == pages
    body = document["paths"]["/v1/runs"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]["$ref"]
    schema = document["components"]["schemas"][body.rpartition("/")[2]]
    assert {
        "question",
        "images",
        "video",
        "mode",
        "models",
        "agents",
        "budget",
        "follows",
        "again",
    } <= set(schema["properties"])
