"""A short answer is found in a reply by the form that its question asks for."""

import pytest
from reasoning.consensus.questions import (
    EMMA,
    GASES,
    LARGEST,
    MAMMALS,
    NINES,
    PERU,
    PRIME,
    SPIDERS,
    format_of,
)


@pytest.mark.parametrize(
    "reply",
    [
        "56",
        "56.",
        "**56**",
        "56 legs",
        "The answer is 56.",
        "The answer is indeed 56",
        "Seven spiders have 56 legs.",
        "Seven spiders have **56** legs in total.",
        "There are 56 legs.",
        "56 is the number of legs.",
        "Total: 56",
        "= 56",
        "Each spider has 8 legs, so 7 * 8 = 56.",
        "Each spider has 8 legs. 8 × 7 = 56. So together they have 56 legs.",
        "8 + 8 + 8 + 8 + 8 + 8 + 8 = 56",
        "Answer: 56",
        "Answer: 7 * 8, that is 56",
        r"\boxed{56}",
        r"So it is $\boxed{56}$.",
        "The total is 56, not 42.",
        "It is not 42. It is 56.",
        "Seven spiders have many legs (56).",
        "I think it's 56.",
        "A spider has 8 legs.\n\nSeven have 56.\n\nLet me know if you want more!",
        "Step 1: 8 legs.\nStep 2: 7 spiders.\nStep 3: 56 legs.",
        "7 spiders with 8 legs each (that makes 56).",
        '{"reason": "7 * 8", "answer": 56}',
    ],
)
def test_a_number_is_found_wherever_it_stands(reply: str) -> None:
    assert format_of(SPIDERS).find(reply) == "56"


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("1,056", "1056"),
        ("They have 1,056 legs.", "1056"),
        ("-3", "-3"),
        ("The result is -3.", "-3"),
        ("The result is −3.", "-3"),
        ("56.5", "56.5"),
        ("It costs $1,250.50 in all.", "1250.50"),
        ("3/4", "3/4"),
        ("The probability is 3/4.", "3/4"),
        ("25%", "25%"),
        ("Answer: 25%", "25%"),
        ("Answer: 56 legs", "56 legs"),
        ("Answer: they have 56 legs together", "56 legs"),
    ],
)
def test_a_number_keeps_its_sign_its_fraction_and_what_is_marked_with_it(
    reply: str, number: str
) -> None:
    assert format_of(SPIDERS).find(reply) == number


@pytest.mark.parametrize(
    "reply", ["Many.", "There's no way to know.", "It depends on the spiders, and on who counts."]
)
def test_where_no_number_is_said_none_is_found(reply: str) -> None:
    assert format_of(SPIDERS).find(reply) is None


@pytest.mark.parametrize(
    "reply",
    [
        "B",
        "b",
        "B.",
        "(B)",
        "B)",
        "**B**",
        "B) Carbon dioxide",
        "Carbon dioxide",
        "carbon dioxide.",
        "The answer is B.",
        "Option B",
        "The answer is (B) Carbon dioxide.",
        "Plants take in carbon dioxide.",
        "Plants take in carbon dioxide (B).",
        "Carbon dioxide, not oxygen.",
        "Option B is correct.",
        "The correct option is B) Carbon dioxide.",
        r"\boxed{B}",
        "Answer: B",
        "Answer: Carbon dioxide",
        "I would choose B",
        "The gas is carbon dioxide",
        "Let me think. A plant breathes. I pick B.",
        "Carbon dioxide is the gas that plants take in, while oxygen is released.",
        '{"answer": "B"}',
        "A) Oxygen is what they give off.\nB) Carbon dioxide is right.\nC) Helium is not used.\n\nThe answer is B.",
    ],
)
def test_an_option_is_found_by_its_letter_and_by_its_words(reply: str) -> None:
    assert format_of(GASES).find(reply) == "B"


@pytest.mark.parametrize(
    "reply",
    ["54", "B", "B) 54", "The answer is 54.", "9 * 6 = 54, so B.", "54 is a multiple of 9."],
)
def test_an_option_that_is_a_number_is_found_by_its_letter_and_by_the_number(reply: str) -> None:
    assert format_of(NINES).find(reply) == "B"


@pytest.mark.parametrize(
    ("question", "reply", "option"),
    [
        (LARGEST, "896", "896"),
        (LARGEST, "The largest is 896.", "896"),
        (LARGEST, "896 is indeed the largest.", "896"),
        (LARGEST, "896 is larger than 643 and 87.", "896"),
        (LARGEST, "The largest number is **896**.", "896"),
        (LARGEST, "896, not 643", "896"),
        (LARGEST, "Answer: 896", "896"),
        (LARGEST, r"\boxed{896}", "896"),
        (MAMMALS, "dolphin", "dolphin"),
        (MAMMALS, "A dolphin.", "dolphin"),
        (MAMMALS, "The dolphin is a mammal.", "dolphin"),
        (MAMMALS, "Dolphin is the mammal; sharks and tuna are fish.", "dolphin"),
        (MAMMALS, "**Dolphin**", "dolphin"),
    ],
)
def test_one_of_a_listed_set_is_found_in_a_sentence(question: str, reply: str, option: str) -> None:
    assert format_of(question).find(reply) == option


@pytest.mark.parametrize("reply", ["Both A and B.", "None of these.", "D", "Plants are green."])
def test_a_reply_that_settles_on_no_option_has_none(reply: str) -> None:
    assert format_of(GASES).find(reply) is None


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("No", "no"),
        ("No.", "no"),
        ("no, 91 = 7 * 13.", "no"),
        ("**No**, it is 7 times 13.", "no"),
        ("False", "no"),
        ("Answer: no", "no"),
        ("91 is not prime. The answer is no.", "no"),
        ("91 is 7 × 13, so no.", "no"),
        (r"\boxed{\text{No}}", "no"),
        ("At first one says yes, but the answer is no.", "no"),
        ("Yes", "yes"),
        ("Yes, it is.", "yes"),
        ("The answer is: Yes.", "yes"),
        ("True.", "yes"),
    ],
)
def test_yes_and_no_are_found_first_last_or_alone(reply: str, answer: str) -> None:
    assert format_of(PRIME).find(reply) == answer


@pytest.mark.parametrize(
    "reply",
    [
        "Lima",
        "Lima.",
        "**Lima**",
        "The capital of Peru is Lima.",
        "The capital of Peru is **Lima**.",
        "Lima is the capital of Peru.",
        "The capital city of Peru is Lima, which lies on the coast.",
        "Answer: Lima",
        "Lima, Peru",
        "Lima (not Cusco)",
        "Lima is indeed the capital of Peru.",
        "The capital of Peru is Lima, not Cusco.",
        r"\boxed{Lima}",
    ],
)
def test_a_name_is_found_alone_and_beside_the_words_of_the_question(reply: str) -> None:
    assert format_of(PERU).find(reply) == "Lima"


@pytest.mark.parametrize(
    "reply", ["Jane Austen", "**Jane Austen**", "Jane Austen, in 1815.", "Answer: Jane Austen"]
)
def test_a_name_of_two_words_is_found_whole(reply: str) -> None:
    assert format_of(EMMA).find(reply) == "Jane Austen"


@pytest.mark.parametrize(
    ("question", "reply", "answer"),
    [
        (SPIDERS, "56 (7 spiders, each with 8).", "56"),
        (SPIDERS, "They have 56 legs, since each of the 7 has 8.", "56"),
        (SPIDERS, "fifty-six legs", "56"),
        (SPIDERS, "There are 56 legs, which is 16 more than 40.", "56"),
        (SPIDERS, "8 legs each, so 56 in total.", "56"),
        (SPIDERS, "Not 48 but 56.", "56"),
        (SPIDERS, "That is 20%.", "20%"),
        (SPIDERS, "5 or 6", None),
        (SPIDERS, "Seven spiders have many legs.", None),
        (SPIDERS, "2 hours and 5 minutes.", None),
        (GASES, "C is an inert gas and A is wrong. So B.", "B"),
        (GASES, "Oxygen is wrong.", None),
        (GASES, "It is B, not C.", "B"),
        (GASES, "Not C but B.", "B"),
        (GASES, "The right one is B.", "B"),
        (GASES, "Plants take in carbon dioxide and release oxygen.", "B"),
        (GASES, "Plants release oxygen.", None),
        (GASES, "B) Helium", None),
        (GASES, "A and C are wrong.", None),
        (GASES, "Vitamin C is healthy.", None),
        (NINES, "40 is not, 61 is not, 54 is.", "B"),
        (LARGEST, "87 is the smallest; 896 is the largest.", "896"),
        (LARGEST, "Of 643, 896 and 87, 896 is the largest.", "896"),
        (LARGEST, "87 < 896, so 896.", "896"),
        (LARGEST, "896 (87 and 643 are smaller)", "896"),
        (LARGEST, "643 is smaller than 896.", None),
        (LARGEST, "The smallest is 87.", None),
        (MAMMALS, "The tuna is a fish, but the dolphin is a mammal.", "dolphin"),
        (MAMMALS, "Sharks and tuna are fish, so dolphin.", "dolphin"),
        (PRIME, "It is not prime.", "no"),
        (PRIME, "91 is a prime number.", "yes"),
        (PRIME, "It has no divisors.", None),
        (PRIME, "Yes and no.", None),
        (PERU, "It's Lima.", "Lima"),
        (PERU, "Peru's capital is Lima.", "Lima"),
        (PERU, "The capital of Peru is not Cusco but Lima.", "Lima"),
        (PERU, "It is a lively city.", None),
        (PERU, "Peru has a capital.", None),
        (EMMA, "Jane Austen wrote Emma.", "Jane Austen"),
        (EMMA, "It was written by Jane Austen in 1815.", "Jane Austen"),
        (EMMA, "Emma was written in 1815.", None),
        (
            "Which planet is closest to the Sun?",
            "The closest planet to the Sun is Mercury.",
            "Mercury",
        ),
        ("Which planet is closest to the Sun?", "Mercury is closest to the Sun.", "Mercury"),
        ("Who is older?\nA) Tom\nB) Cannot be determined", "It cannot be determined.", "B"),
    ],
)
def test_the_answer_is_told_from_what_stands_around_it(
    question: str, reply: str, answer: str | None
) -> None:
    assert format_of(question).find(reply) == answer
