"""Scripted models of a server, and requests for its runs."""

import base64

from server.conftest import ABLE, parrot, says
from server.watchers import watched

from musespark.models.fake import DOT, FakeModel, Hang, Wait
from musespark.models.model import Finish, TextDelta, ThinkingDelta, UsageDelta
from musespark.usage import Usage

IMAGE = {"media_type": "image/png", "data": base64.b64encode(DOT).decode()}


def first_of_many(request, number):
    """The first answers, the others think for ever."""
    return says("42") if number == 0 else [ThinkingDelta("Hm."), Hang()]


def models():
    """Models anew: what they have been asked is counted."""
    found = {
        "plain": FakeModel(says("4", "2"), name="plain", abilities=ABLE),
        "parrot": FakeModel(parrot, name="parrot", abilities=ABLE),
        "hang": FakeModel([TextDelta("4"), Hang()], name="hang", abilities=ABLE),
        "mute": FakeModel([ThinkingDelta("Hm."), Hang()], name="mute", abilities=ABLE),
        "slow": FakeModel(
            [TextDelta("4"), Wait(1.0), TextDelta("2"), Finish()], name="slow", abilities=ABLE
        ),
        "first": FakeModel(first_of_many, name="first", abilities=ABLE),
        "blind": FakeModel(says("42"), name="blind"),
        "broken": FakeModel("error", name="broken", abilities=ABLE),
        "dear": FakeModel(
            [
                TextDelta("4"),
                UsageDelta(Usage(tokens=10, usd=0.3)),
                Wait(0.3),
                TextDelta("2"),
                Finish(),
            ],
            name="dear",
            abilities=ABLE,
        ),
    }
    found["blind"].abilities = ABLE.__class__(conversation=True)
    return found


def ended(http, id, **headers):
    """The run once it is over."""
    watched(http, id, **headers)
    return http.get(f"/v1/runs/{id}", headers=headers).json()


def refused(response, status, *words):
    error = response.json()["error"]
    assert response.status_code == status and error["message"].endswith("."), response.text
    assert all(word in error["message"] for word in words), error["message"]
    return error
