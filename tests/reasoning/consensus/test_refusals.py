"""Replies that give no answer are told from answers."""

import pytest
from reasoning.consensus.questions import GASES, LARGEST, PRIME, SPIDERS, format_of

from musespark.reasoning.consensus.equivalence.refusal import is_refusal


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, I can't answer that.",
        "I don't know.",
        "I do not know how many legs they have.",
        "I cannot tell from this.",
        "Sorry, there is not enough information.",
        "As an AI, I have no way to count spiders.",
        "Unknown.",
        "N/A",
        "It is impossible to say.",
        "There is no single answer.",
        "I am not sure.",
        "I am unable to answer this question.",
        "The answer cannot be determined.",
    ],
)
def test_a_refusal_is_recognised(reply: str) -> None:
    assert is_refusal(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "56",
        "The answer is 56.",
        "No",
        "No, it is not prime.",
        "Not oxygen but carbon dioxide.",
        "I know this one: 56.",
        "It is 56, I am not sure.",
        "I counted them: 56.",
        "The unknown is x = 4.",
        "I can answer that: 56.",
    ],
)
def test_an_answer_is_no_refusal(reply: str) -> None:
    assert not is_refusal(reply)


@pytest.mark.parametrize("question", [SPIDERS, GASES, LARGEST, PRIME])
@pytest.mark.parametrize(
    "reply",
    ["I'm sorry, I can't answer that.", "I don't know.", "Answer: unknown", "Answer: I don't know"],
)
def test_no_answer_is_found_in_a_refusal(question: str, reply: str) -> None:
    assert format_of(question).find(reply) is None


@pytest.mark.parametrize(
    "reply",
    [
        "Unfortunately, I can't answer that.",
        "No idea.",
        "I'm unsure.",
        "Nobody knows.",
        "It cannot be known.",
        "Insufficient information.",
        "Well, I have no clue.",
        "I apologize, but I cannot say.",
        "I'd rather not answer.",
        "I'm only a language model and cannot count.",
        "The answer is unknown.",
    ],
)
def test_a_refusal_is_recognised_behind_politeness(reply: str) -> None:
    assert is_refusal(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "Sorry about your cold. Drink tea.",
        "I'm afraid of spiders, so I counted fast: 56.",
        "I cannot praise it enough.",
        "I can't wait: go now.",
        "Unknown Soldier",
        "No answer fits better than 56.",
        "I don't know, but it is probably 56.",
        "I won't forget it: 56.",
    ],
)
def test_an_answer_that_opens_like_a_refusal_is_none(reply: str) -> None:
    assert not is_refusal(reply)
