from dataclasses import replace

import pytest
from attempts import attempt

from musespark.reasoning.consensus.equivalence import equivalence_named
from musespark.reasoning.consensus.groups import AnswerGroups
from musespark.reasoning.team.clarify import has_winner


@pytest.mark.parametrize(
    ("answers", "wins"),
    [
        ([], False),
        (["1"], True),
        (["1", "2"], False),
        (["1", "1", "2"], True),
        (["1", "1", "2", "2"], False),
        (["1?"], False),
        (["1?", "1?", "2"], False),
        (["1!"], True),
        (["1!", "1?", "2"], True),
        (["1?", "1", "2"], True),
    ],
)
async def test_a_group_wins_that_is_larger_than_all_others_and_has_a_clear_or_guessed_answer(
    answers, wins
):
    groups = AnswerGroups(equivalence_named("exact"))
    for number, text in enumerate(answers):  # "?" is unclear, "!" unclear and guessed
        one = attempt(text.rstrip("?!"), agent=f"a{number}")
        await groups.add(replace(one, unclear=text[-1] in "?!", guessed=text[-1] == "!"))
    assert has_winner(groups) == wins
