import pytest
from attempts import attempt

from musespark.content import Request
from musespark.errors import BadOption
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence import equivalence_for, equivalence_named
from musespark.reasoning.consensus.groups import AnswerGroups
from musespark.reasoning.consensus.voting import vote, weigh


async def groups_of(*attempts: Attempt, kind: str = "literal") -> AnswerGroups:
    groups = AnswerGroups(equivalence_named(kind))
    for each in attempts:
        await groups.add(each)
    return groups


async def test_heads_win_a_vote_and_weight_wins_a_weighing() -> None:
    groups = await groups_of(
        attempt("1", "a", "weak"), attempt("2", "b", "strong"), attempt("1", "c", "weak")
    )
    assert vote(groups).winner.answer == "1"
    choice = weigh(groups, {"strong": 3.0, "weak": 1.0})
    assert choice.winner.answer == "2" and (choice.votes, choice.of) == (3.0, 5.0)
    assert weigh(groups, {"strong": 1.0, "weak": 1.0}).winner.answer == "1"


async def test_a_model_worse_than_chance_is_no_evidence_against() -> None:
    groups = await groups_of(
        attempt("1", "a", "bad"), attempt("1", "b", "good"), attempt("2", "c", "fair")
    )
    assert weigh(groups, {"bad": -9.0, "good": 1.0, "fair": 0.5}).winner.answer == "1"


async def test_the_first_of_equals_wins() -> None:
    groups = await groups_of(attempt("2", "a"), attempt("1", "b"))
    assert vote(groups).winner.answer == weigh(groups, {}).winner.answer == "2"


async def test_who_wrote_the_answer_as_it_was_asked_for_speaks_for_the_group() -> None:
    groups = await groups_of(attempt("POO", "a", "strong"), attempt("'POO'", "b", "weak"))
    assert weigh(groups, {"strong": 3.0, "weak": 1.0}).attempt.answer == "'POO'"
    groups = await groups_of(attempt("'x'", "a", "weak"), attempt('"x"', "b", "strong"))
    assert weigh(groups, {"strong": 3.0, "weak": 1.0}).attempt.agent == "b"
    assert vote(groups).attempt.agent == "a"


async def test_nobody_wins_where_nobody_answered() -> None:
    groups = await groups_of(attempt(""))
    for decide in (lambda: vote(groups), lambda: weigh(groups, {})):
        with pytest.raises(BadOption, match="answer"):
            decide()


async def test_of_equal_answers_the_exact_one_speaks_unless_a_decimal_was_asked_for() -> None:
    for question, speaker in (("What is it?", "1/3"), ("Round it to two decimal places.", "0.33")):
        groups = AnswerGroups(equivalence_for(Request.of(question)))
        for name, answer in enumerate(("0.3333333333", "1/3", "0.33")):
            await groups.add(attempt(answer, agent=str(name)))
        assert vote(groups).attempt.answer == speaker
