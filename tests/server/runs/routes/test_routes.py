"""Runs of a page: begun, stopped with the best so far, asked again, gone on from, deleted; and whose they are."""

import time

import httpx
import pytest
from server.runs.routes.requests import IMAGE, ended, refused
from server.watchers import started, until, watched

from musespark.content import MAX_QUESTION
from musespark.models.fake import DOT


def test_what_is_asked_is_answered_whoever_watches(http):
    before = time.time()
    response = http.post("/v1/runs", json={"question": "What is 6 * 7?"})
    id = response.json()["id"]
    assert response.status_code == 201 and response.headers["location"] == f"/v1/runs/{id}"
    run = until(
        lambda: (found := http.get(f"/v1/runs/{id}").json())["how"] != "running" and found
    )  # nobody watches
    assert (
        run["answer"] == "42"
        and run["how"] == run["status"] == "finished"
        and run["protocol"] == "page"
    )
    assert (
        run["question"] == "What is 6 * 7?"
        and run["mode"] == "contemplating"
        and run["models"] == ["plain"]
    )
    assert (
        run["tokens"] == run["usage"]["tokens"] == 20 and run["usd"] == 0.002 and run["seconds"] > 0
    )
    assert before <= run["began"] <= time.time() and run["asked"] == {
        "question": "What is 6 * 7?",
        "pictures": 0,
        "mode": "contemplating",
    }
    row = next(row for row in http.get("/v1/runs").json()["data"] if row["id"] == id)
    assert row == {name: value for name, value in run.items() if name != "events"}


def test_a_long_answer_is_short_in_the_list(http):
    id = started(http, question="word " * 300, mode="thinking", models=["parrot"])
    assert len(ended(http, id)["answer"]) > 1000
    row = http.get("/v1/runs?limit=1").json()["data"][0]
    assert row["id"] == id and len(row["answer"]) == 280 and row["answer"].endswith("…")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "slow"}, ["mode"]),
        ({"models": []}, ["models"]),
        ({"models": ["nobody"]}, ["nobody"]),
        ({"mode": "thinking", "agents": 3}, ["agents"]),
        ({"mode": "thinking", "models": ["plain", "hang"]}, ["models"]),
        ({"agents": 0}, ["agents"]),
        ({"budget": {"usd": -1}}, ["usd"]),
        ({"tools": ["shell"]}, ["tools"]),
        ({"store": False}, ["store"]),
        ({"seed": -1}, ["seed"]),
        ({"effort": "huge"}, ["effort"]),
        ({"question": "  "}, ["empty"]),
        ({"question": None}, ["question"]),
        ({"question": "x" * (MAX_QUESTION + 1)}, ["characters"]),
        ({"images": [{"data": "###"}]}, ["base64"]),
        ({"images": [{"data": "aGVsbG8="}]}, ["PNG"]),
        ({"images": [IMAGE] * 17}, ["images"]),
        ({"models": ["blind"], "images": [IMAGE]}, ["pictures"]),
        ({"video": {"data": "#"}}, ["base64"]),
        ({"models": ["openai:x@http://10.0.0.1/v1"]}, ["no model"]),
        ({"follows": "nothing"}, ["nothing"]),
        ({"again": "nothing"}, ["nothing"]),
        ({"again": "../x"}, ["again"]),
    ],
)
def test_what_cannot_be_asked(http, options, words):
    response = http.post("/v1/runs", json={"question": "What is 6 * 7?", **options})
    assert response.status_code in (400, 404)
    refused(response, response.status_code, *words)


def test_what_was_refused_stands_in_no_list(http):
    before = http.get("/v1/runs").json()["data"]
    refused(
        http.post(
            "/v1/runs", json={"question": "Run it.", "models": ["blind"], "tools": ["python"]}
        ),
        400,
        "tools",
    )
    assert http.get("/v1/runs").json()["data"] == before


def test_a_run_that_fails_tells_it_in_its_events(http):
    id = started(http, mode="thinking", models=["broken"])
    *_, failed, end = watched(http, id)
    assert (
        failed[1] == "run_failed"
        and "the script says so" in failed[2]["message"]
        and end[2]["how"] == "failed"
    )


@pytest.mark.parametrize(
    ("model", "mode", "once", "answer"),
    [
        ("hang", "thinking", "answer_delta", "4"),
        ("hang", "contemplating", "thought", "4"),
        ("first", "contemplating", "agent_returned", "42"),
        ("mute", "thinking", "thought", ""),
    ],
)
def test_stopping_keeps_the_best_so_far(scripted_server, http, model, mode, once, answer):
    scripted_server.models[model].requests.clear()
    id = started(http, mode=mode, models=[model])
    until(lambda: once in [event["kind"] for event in http.get(f"/v1/runs/{id}").json()["events"]])
    assert http.post(f"/v1/runs/{id}/stop").json() == {"id": id, "status": "stopping"}
    run = ended(http, id)
    assert (
        run["answer"] == answer
        and run["events"][-1]["why"] == "budget"
        and run["events"][-1]["reason"] == "it was stopped"
    )
    assert run["how"] == ("finished" if answer else "cancelled")
    assert run["spent"]["calls"] > 0 and not scripted_server.running(model)
    refused(http.post(f"/v1/runs/{id}/stop"), 409, "already ended")


def test_stopping_a_team_that_has_nothing_says_so(scripted_server, http):
    id = started(http, models=["mute"])
    until(lambda: len(http.get(f"/v1/runs/{id}").json()["events"]) > 4)
    assert http.post(f"/v1/runs/{id}/stop", json={}).status_code == 202
    run = ended(http, id)
    assert (
        run["how"] == "cancelled"
        and run["events"][-1]["error"] == "Stopped"
        and not scripted_server.running("mute")
    )


def test_a_run_of_another_protocol_is_stopped_likewise(http):
    body = {
        "model": "hang",
        "messages": [{"role": "user", "content": "What is 6 * 7?"}],
        "stream": True,
    }
    with http.stream("POST", "/v1/chat/completions", json=body) as response:
        pieces = response.iter_lines()
        next(line for line in pieces if '"content":"4"' in line)
        assert (
            httpx.post(f"{http.base_url}/v1/runs/{response.headers['x-muse-run']}/stop").status_code
            == 202
        )
        rest = "".join(pieces)
    assert '"finish_reason":"length"' in rest and "[DONE]" in rest


def test_asking_again_and_otherwise(scripted_server, http):
    first = started(
        http,
        question="Look.",
        images=[IMAGE, IMAGE],
        mode="thinking",
        models=["parrot"],
        seed=7,
        budget={"seconds": 60},
    )
    run = ended(http, first)
    assert run["asked"] == {
        "question": "Look.",
        "pictures": 2,
        "mode": "thinking",
        "models": ["parrot"],
        "seed": 7,
        "budget": {"seconds": 60.0},
    }
    assert run["budget"] == {"seconds": 60.0}
    shown = http.get(f"/v1/runs/{first}/asked/2")
    assert shown.content == DOT and shown.headers["content-type"] == "image/png"
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shown.headers["x-content-type-options"] == "nosniff"
    refused(http.get(f"/v1/runs/{first}/asked/3"), 404)
    refused(http.get(f"/v1/runs/{first}/asked/0"), 400)
    again = started(http, question=None, again=first, models=["plain"])
    request = scripted_server.models["plain"].requests[-1]
    assert (
        ended(http, again)["answer"] == "42"
        and request.question == "Look."
        and len(request.images) == 2
        and request.seed == 7
    )
    assert http.get(f"/v1/runs/{again}").json()["asked"] == {**run["asked"], "models": ["plain"]}
    other = started(http, question="And now?", again=first, images=[])
    assert (
        ended(http, other)["answer"] == "And now?"
        and not scripted_server.models["parrot"].requests[-1].images
    )
    team = started(http, question=None, again=first, mode="contemplating", agents=2, rounds=0)
    assert ended(http, team)["asked"]["agents"] == 2
    alone = started(
        http, question=None, again=team, mode="instant"
    )  # what only a team has is left behind
    mixed = started(
        http, question=None, again=first, mode="contemplating", models=["parrot", "plain"], agents=2
    )
    single = started(
        http, question=None, again=mixed, mode="thinking"
    )  # and of a mix, all but the first
    assert ended(http, single) and http.get(f"/v1/runs/{single}").json()["asked"]["models"] == [
        "parrot"
    ]
    assert ended(http, alone)["asked"] == {**run["asked"], "mode": "instant"}


def test_a_conversation_goes_on(scripted_server, http):
    first = started(http, question="One.", mode="thinking", models=["parrot"])
    assert ended(http, first)["answer"] == "One."
    second = started(http, question="Two.", mode="thinking", models=["plain"], follows=first)
    said = [message.text for message in scripted_server.models["plain"].requests[-1].messages]
    assert said == ["One.", "One.", "Two."] and ended(http, second)["follows"] == first
    third = started(
        http, question=None, again=second, models=["parrot"]
    )  # the whole conversation once more
    ended(http, third)
    assert [message.text for message in scripted_server.models["parrot"].requests[-1].messages] == [
        "One.",
        "One.",
        "Two.",
    ]


def test_a_run_is_deleted_once_it_has_ended(http):
    id = started(http, mode="thinking", models=["hang"], images=[IMAGE])
    refused(http.delete(f"/v1/runs/{id}"), 409, "stop it first")
    http.post(f"/v1/runs/{id}/stop")
    watched(http, id)
    assert http.delete(f"/v1/runs/{id}").status_code == 204
    for page in ("", "/events", "/asked/1", "/export"):
        refused(http.get(f"/v1/runs/{id}{page}"), 404)
    refused(http.delete(f"/v1/runs/{id}"), 404)
    assert id not in http.get("/v1/runs").text
