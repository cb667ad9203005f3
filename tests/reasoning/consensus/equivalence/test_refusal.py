import pytest
from attempts import attempt

from musespark.reasoning.consensus.equivalence import equivalence_named
from musespark.reasoning.consensus.equivalence.refusal import is_refusal
from musespark.reasoning.consensus.groups import AnswerGroups


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot answer this question.",
        "As an AI language model, I am unable to assist with it.",
        "I don't know.",
        "Sorry, I can't assist with that request.",
        "I'm not able to provide that information.",
        "Unfortunately, I cannot help.",
        "I must decline to answer.",
        "Lo siento, no puedo ayudar con eso.",
        "抱歉，我无法回答。",
    ],
)
def test_a_reply_that_declines_is_a_refusal(reply: str) -> None:
    assert is_refusal(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "42",
        "Answer: no",
        "I can't believe it: 42.",
        "Sorry for the delay. The total is 5.",
        "The knights could not help the king.",
        "No.",
        "I do not think that it is 5; it is 6.",
        "She said: I don't know.",
    ],
)
def test_an_answer_is_none(reply: str) -> None:
    assert not is_refusal(reply)


async def test_refusals_agree_with_nobody_and_give_way_to_any_answer() -> None:
    no = "I'm sorry, but I can't help with that."
    groups = AnswerGroups(equivalence_named("automatic"))
    for name in "ab":
        await groups.add(attempt(no, name))
    assert groups.counts == (1, 1) and len(groups) == 2
    await groups.add(attempt("42", "c"))
    assert groups.counts == (1,) and groups.leader is not None and groups.leader.answer == "42"
    assert [each.agent for each in groups.declined] == ["a", "b"]


async def test_a_marked_answer_is_no_refusal() -> None:
    groups = AnswerGroups(equivalence_named("automatic"))
    await groups.add(attempt("5", text="I'm sorry, I cannot help but laugh.\nAnswer: 5"))
    assert groups.leader is not None and not groups.declined
