"""Comparing answers works out what an answer is once, however many it is compared with."""

import pytest
from attempts import attempt

from musespark.content import Request
from musespark.reasoning.consensus.equivalence import automatic, equivalence_for, judged
from musespark.reasoning.consensus.groups import AnswerGroups


async def differs(first, second):
    return False


@pytest.mark.parametrize("name", ["_structured", "_quoted_value", "prose"])
async def test_the_kind_of_an_answer_is_worked_out_once(name, monkeypatch):
    original, seen = getattr(automatic, name), []
    monkeypatch.setattr(automatic, name, lambda answer: seen.append(answer) or original(answer))
    groups = AnswerGroups(equivalence_for(Request.of("Why?"), judge=differs))
    for number in range(8):
        await groups.add(
            attempt(
                f"Because of reason {number}. "
                + "It has been so for a long time, as all of us know. " * 5
            )
        )
    # `prose` asks `_structured` once more of its own.
    assert len(groups) == 8 and len(seen) == (16 if name == "_structured" else 8)


async def test_the_text_for_a_judge_is_normalised_once(monkeypatch):
    original, seen = judged.normalised, []
    monkeypatch.setattr(judged, "normalised", lambda text: seen.append(text) or original(text))
    equivalence = judged.JudgedEquivalence(differs)
    attempts = [attempt(f"answer {number}") for number in range(6)]
    for left in attempts:
        for right in attempts:
            await equivalence.same(left, right)
    assert len(seen) == 6
