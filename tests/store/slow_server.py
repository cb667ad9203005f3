"""`muse`, with one more script for its fake model: an answer of many pieces that takes its time, and money."""

import sys

from musespark.cli.app import run
from musespark.models import fake
from musespark.models.model import Finish, TextDelta, ThinkingDelta, UsageDelta
from musespark.usage import Usage

PIECES = 150


def script():
    """Thoughts, then numbers, a cent for every tenth."""
    yield from (
        step for number in range(20) for step in (fake.Wait(0.01), ThinkingDelta(f"hm {number}. "))
    )
    for number in range(PIECES):
        yield from (fake.Wait(0.01), TextDelta(f"{number} "))
        if number % 10 == 9:
            yield UsageDelta(Usage(tokens=number + 1, usd=(number + 1) / 1000))
    yield from (fake.Wait(0.01), Finish())


if __name__ == "__main__":
    fake.SCRIPTS = {**fake.SCRIPTS, "long": tuple(script())}
    sys.exit(run(sys.argv[1:]))
