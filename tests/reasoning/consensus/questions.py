"""Questions that ask for a short answer, and the form that is read from them."""

from musespark.content import Request
from musespark.reasoning.consensus.answer_format import AnswerFormat, answer_format

SPIDERS = "How many legs do seven spiders have together?"


GASES = "Which gas do plants take in?\nA) Oxygen\nB) Carbon dioxide\nC) Helium"


NINES = "Which number is a multiple of 9?\nA) 40\nB) 54\nC) 61"


LARGEST = "Which is the largest: 643, 896, 87?"


MAMMALS = "Which of these is a mammal: shark, dolphin, tuna?"


PRIME = "Is 91 a prime number?"


PERU = "What is the capital of Peru?"


EMMA = 'Who wrote "Emma"?'


def format_of(question: str) -> AnswerFormat:
    found = answer_format(Request.of(question))
    assert found is not None
    return found
