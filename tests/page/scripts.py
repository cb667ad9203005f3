"""Models that play scripts, for the page: teams that end, talk, crowd, hang and attack."""

from page.hostile import HOSTILE

from musespark.models.fake import DOT, FakeModel, Hang, Wait
from musespark.models.model import (
    Abilities,
    Finish,
    ImageDelta,
    TextDelta,
    ThinkingDelta,
    ThreadReturned,
    ThreadStarted,
    UsageDelta,
)
from musespark.usage import Usage

ABLE = Abilities(
    conversation=True,
    tools=True,
    pictures_in=True,
    pictures_out=True,
    native_spawn=True,
    context=100_000,
)
TEAM = [
    ThinkingDelta("Two ways. "),
    ThreadStarted("a", "main", "the first way"),
    ThreadStarted("b", "main", "the second way"),
]


def steady(*steps, wait=0.15):
    """So that there is a middle."""
    return [step for delta in steps for step in (Wait(wait), delta)]


USED = UsageDelta(Usage(tokens=20, critical_path=9, threads=2, usd=0.002))
TOLD = [TextDelta("4"), TextDelta("2"), USED, Finish()]


def models():
    """The scripted models, by name. Each contemplates by itself."""
    scripts = crowded() | paced() | {"hostile": hostile()}
    able = {name: FakeModel(script, name=name, abilities=ABLE) for name, script in scripts.items()}
    return able | {
        "reader": FakeModel(
            TOLD, name="reader", abilities=Abilities(conversation=True, tools=True, effort=True)
        ),
        "bare": FakeModel(TOLD, name="bare", abilities=Abilities()),
    }


def crowded():
    """Scripts with many agents or much text."""
    lanes = [ThreadStarted(f"t{lane}", "main", f"way {lane}") for lane in range(16)]
    busy = [
        step
        for count in range(200 * 8)
        for step in ([Wait(0.02)] if count % 4 == 0 else [])
        + [ThinkingDelta(f"and so the thought number {count} follows ", f"t{count % 16}")]
    ]
    return {
        "long": [
            *lanes,
            *(
                ThinkingDelta(f"the step number {count}, ", f"t{count % 16}")
                for count in range(12_000)
            ),
            *TOLD,
        ],
        "talkative": [
            *(
                step
                for number in range(900)
                for step in (
                    ThinkingDelta(f"thought {number}\n"),
                    ImageDelta(DOT, 1, 1, f"picture of dot {number}"),
                )
            ),
            *TOLD,
        ],
        "busy": [*lanes, *busy, *(ThreadReturned(f"t{lane}", "42") for lane in range(16)), *TOLD],
        "crowd": [
            *(ThreadStarted(f"t{lane}", "main", f"way {lane}") for lane in range(200)),
            *(ThreadReturned(f"t{lane}", str(lane)) for lane in range(200)),
            *TOLD,
        ],
    }


def paced():
    """Scripts of two agents: at once, step by step, without an end."""
    ways = [ThinkingDelta(f"step {number}, ", agent) for number in range(8) for agent in "ab"]
    ended = [
        ThreadReturned("a", "nothing"),
        ImageDelta(DOT, 1, 1, "what b imagines", "b"),
        ThreadReturned("b", "42"),
    ]
    return {
        "quick": [*TEAM, *ended, *TOLD],
        "steady": steady(*TEAM, *ways, *ended, *TOLD),
        "endless": [*TEAM, TextDelta("4"), TextDelta("2"), Hang()],
    }


def hostile():
    """A script whose every text is an attack."""
    return [
        *(ThinkingDelta(text + "\n") for text in HOSTILE),
        *(
            step
            for number, text in enumerate(HOSTILE)
            for step in (
                ThreadStarted(f"t{number}", "main", text),
                ThinkingDelta(text, f"t{number}"),
                ImageDelta(DOT, 1, 1, text, f"t{number}"),
                ThreadReturned(f"t{number}", text),
            )
        ),
        TextDelta("\n\n".join(HOSTILE)),
        USED,
        Finish(),
    ]
