"""Certainty of an answer: one word, the same in all protocols, in the list of runs and in what is stored."""

import httpx
import pytest

SOLVABLE, BEYOND, OTHER = (
    "Use 25, 3 and 22 to make 44.",
    "Use 25, 3 and 22 to make 440.",
    "Who wrote Faust?",
)
BODIES = {
    "/v1/chat/completions": lambda question: {"messages": [{"role": "user", "content": question}]},
    "/v1/responses": lambda question: {"input": question},
    "/v1/messages": lambda question: {
        "messages": [{"role": "user", "content": question}],
        "max_tokens": 2000,
    },
}


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("question", "status", "reason"),
    [
        (SOLVABLE, "verified", None),
        (BEYOND, "abstained", "the target 440 is not from 10 to 100"),
        (OTHER, "abstained", "the question is none of my tasks"),
    ],
)
def test_every_protocol_says_how_sure_an_answer_is(native, path, question, status, reason):
    body = {"model": "contemplating/nano", **BODIES[path](question)}
    done = httpx.post(f"{native.url}{path}", json=body, timeout=60).json()
    assert (done["muse"]["status"], done["muse"]["abstained"]) == (status, reason)
    assert bool(done["muse"]["verified"] and done["muse"]["verified"]["ok"]) == (
        status == "verified"
    )
    kept = httpx.get(f"{native.url}/v1/runs/{done['muse']['run']}", timeout=60).json()
    assert (kept["answer_status"], kept["abstained"]) == (status, reason)


def test_instructions_that_are_not_read_leave_an_answer_unchecked(native):
    messages = [
        {"role": "system", "content": "Never use a minus."},
        {"role": "user", "content": SOLVABLE},
    ]
    body = {"model": "contemplating/nano", "messages": messages}
    done = httpx.post(f"{native.url}/v1/chat/completions", json=body, timeout=60).json()
    assert (done["muse"]["status"], done["muse"]["verified"]) == ("unchecked", None)
