"""Models and runs that the tests of teams share."""

import time
from contextlib import aclosing

from musespark import errors
from musespark.content import Request
from musespark.models.fake import FakeModel, Wait
from musespark.models.model import (
    Abilities,
    Finish,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageDelta,
)
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.usage import Usage

ABLE = Abilities(conversation=True, tools=True, pictures_in=True, context=100_000)
QUESTION = Request.of("What is 6 * 7?")


def says(text, seconds=0.0, tokens=10):
    """A script that answers after a while."""
    return [
        Wait(seconds),
        ThinkingDelta("Hm. "),
        TextDelta(text),
        UsageDelta(Usage(tokens=tokens, critical_path=tokens)),
        Finish(),
    ]


def calls(*tool_calls, text=""):
    """A script that uses tools."""
    said = [TextDelta(text)] if text else []
    return [
        *said,
        *map(ToolCallDelta, tool_calls),
        UsageDelta(Usage(tokens=5, critical_path=5)),
        Finish(),
    ]


def stage_of(request):
    """Script of `model` that a request is for; comparisons and conclusions are the explorers'."""
    return request.stage if request.stage in ("refine", "judge", "merge") else "explore"


def model(explore, *, refine=None, judge=None, merge=None, name="fake", abilities=ABLE):
    """A model that plays a script for each stage; a list of scripts is dealt to the calls of that stage in turn."""
    stages = {"explore": explore, "refine": refine, "judge": judge, "merge": merge}
    played = dict.fromkeys(stages, 0)

    def play(request, number):
        stage = stage_of(request)
        script = stages[stage]
        if callable(script):
            return script(request)
        at = played[stage]
        played[stage] += 1
        return script[min(at, len(script) - 1)]

    return FakeModel(play, name=name, abilities=abilities)


async def contemplated(team, request=QUESTION, budget=None):
    """The events of a team's run, the error it ended with, and its seconds."""
    events, error = [], None
    began = time.monotonic()
    try:
        async with aclosing(run(team, request, budget)) as stream:
            async for event in stream:
                events.append(event)
    except errors.MuseError as raised:
        error = raised
    return events, error, time.monotonic() - began


def of(events, kind):
    """The events of a kind."""
    return [event for event in events if event.kind == kind]


def team(*models, **options):
    """A team of these, without refinement unless asked for."""
    return Team(explorers=models, **{"rounds": 0, **options})
