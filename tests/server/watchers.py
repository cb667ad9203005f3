"""What the tests of watching share: a client that reads server-sent events and can break off anywhere, and a model to watch."""

import json
import time

from musespark.models.fake import DOT, Wait
from musespark.models.model import Finish, ImageDelta, TextDelta, ThinkingDelta, UsageDelta
from musespark.usage import Usage


def talking(count=30):
    """A script of many thoughts, some pictures among them, with pauses."""
    for number in range(count):
        yield ThinkingDelta(f"thought {number}\n\nof many \u2028")
        if number % 10 == 0:
            yield ImageDelta(DOT, 1, 1, f"picture {number}")
        yield from (Wait(0.005), UsageDelta(Usage(tokens=number)))
    yield from (TextDelta("42"), UsageDelta(Usage(tokens=count + 1, usd=0.01)), Finish())


def messages(raw):
    """The whole messages of a stream's bytes, as (id, event, data); what was cut in the middle is none."""
    found = []
    for block in raw.decode("utf-8", "ignore").split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if "data" in fields:
            found.append((fields.get("id"), fields["event"], json.loads(fields["data"])))
    return found


def watched(http, id, cuts=(), **headers):
    """Everything a client sees that breaks off after so many bytes, again and again, and goes on from the last whole event."""
    seen, cuts = [], list(cuts)
    while not seen or seen[-1][1] != "end":
        cut = cuts.pop(0) if cuts else None
        last = next((message[0] for message in reversed(seen) if message[0]), None)
        repeated = {} if last is None else {"last-event-id": last}
        raw = b""
        with http.stream(
            "GET", f"/v1/runs/{id}/events", headers={**headers, **repeated}
        ) as response:
            assert response.status_code == 200, response.read()
            for piece in response.iter_bytes():
                raw += piece
                if cut is not None and len(raw) >= cut:
                    raw = raw[:cut]
                    break
        seen += messages(raw)
    return seen


def started(http, headers=None, **body):
    """The id of a new run."""
    response = http.post("/v1/runs", json={"question": "What is 6 * 7?", **body}, headers=headers)
    assert response.status_code == 201, response.text
    return response.json()["id"]


def until(condition, seconds=60.0):
    """Wait for a condition; generous, for machines are busy."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found
