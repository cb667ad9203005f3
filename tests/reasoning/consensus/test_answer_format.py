"""The short answer that a question asks for, and what is found of it in replies of many shapes."""

from time import process_time

import pytest

from musespark.content import Request, ToolSpec
from musespark.reasoning.consensus.answer_format import MOST_OPTIONS, AnswerFormat, answer_format
from musespark.reasoning.consensus.equivalence.refusal import is_refusal

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


# What a question asks for.


@pytest.mark.parametrize(
    "question",
    [
        SPIDERS,
        "A train leaves at 9:15 and arrives at 11:40. How many minutes does it take?",
        "What is 17 * 23?",
        "Compute 144 / 12.",
        "What is the sum of 12, 15 and 30?",
        "12 + 30 =",
        "12 + 30 = ?",
        "What percentage of 80 is 20?",
        "How old is Tom?",
        "Calculate the remainder of 100 divided by 7.",
        "What is 12 plus 30?",
        "What is the median of 3, 9 and 4?",
        "A bat and a ball cost $1.10. The bat costs one dollar more than the ball. How much does the ball cost?",
        "How tall is Mount Everest in metres?",
        "I have 3 apples and buy 5 more. How many do I have?",
        "What is the number of days in a leap year?",
        "Answer with only a number: how many weeks are in 3 years?",
    ],
)
def test_a_question_for_a_number_is_recognised(question: str) -> None:
    assert format_of(question).kind == "number"


@pytest.mark.parametrize(
    "question",
    [
        GASES,
        "Which gas do plants take in?\n\nA. Oxygen\nB. Carbon dioxide\nC. Helium",
        "Which gas do plants take in?\n(A) Oxygen\n(B) Carbon dioxide\n(C) Helium",
        "Which gas do plants take in?\n- A: Oxygen\n- B: Carbon dioxide\n- C: Helium",
        "Which gas do plants take in? (A) Oxygen (B) Carbon dioxide (C) Helium",
        "Which gas do plants take in? A) Oxygen, B) Carbon dioxide, C) Helium",
        "Which gas do plants take in?\na) Oxygen\nb) Carbon dioxide\nc) Helium\n",
    ],
)
def test_options_with_letters_are_recognised_on_lines_and_inline(question: str) -> None:
    found = format_of(question)
    assert found.kind == "choice"
    assert [(option.label, option.text) for option in found.options] == [
        ("A", "Oxygen"),
        ("B", "Carbon dioxide"),
        ("C", "Helium"),
    ]


@pytest.mark.parametrize(
    ("question", "options"),
    [
        (LARGEST, ["643", "896", "87"]),
        (MAMMALS, ["shark", "dolphin", "tuna"]),
        ("Which is larger: 9.11 or 9.9?", ["9.11", "9.9"]),
        ("Which city lies furthest north: Rome, Oslo, or Madrid?", ["Rome", "Oslo", "Madrid"]),
        ("Who wrote Emma, Jane Austen or Emily Brontë?", ["Jane Austen", "Emily Brontë"]),
    ],
)
def test_a_listed_set_is_the_options(question: str, options: list[str]) -> None:
    found = format_of(question)
    assert found.kind == "choice" and [option.answer for option in found.options] == options


@pytest.mark.parametrize(
    "question",
    [
        PRIME,
        "Do penguins fly?",
        "Can a square be a rhombus? Answer yes or no.",
        "True or false: the Nile is in Africa.",
        "Will a stone float in water?",
        "Tom is taller than Ann, and Ann is taller than Ben. Is Ben taller than Tom?",
        "Does water boil at 100 degrees at sea level? Yes or no?",
        "Reply with true or false. The moon is made of cheese.",
    ],
)
def test_a_question_for_yes_or_no_is_recognised(question: str) -> None:
    assert format_of(question).kind == "yes_no"


@pytest.mark.parametrize(
    "question",
    [
        PERU,
        EMMA,
        "Which planet is closest to the Sun?",
        "What is the chemical symbol of gold?",
        "Who discovered penicillin?",
        "In which year did the Berlin Wall fall?",
        "What language is spoken in Brazil?",
        "What is the opposite of hot?",
        "What is the longest river in Africa?",
    ],
)
def test_a_question_for_a_name_is_recognised(question: str) -> None:
    assert format_of(question).kind == "name"


@pytest.mark.parametrize(
    "question",
    [
        "What is the meaning of life?",
        "Explain why the sky is blue.",
        "Why is the sky blue?",
        "How do I bake bread?",
        "What is love?",
        "What are the advantages of trains over planes?",
        "How would you explain gravity to a child?",
        "What is photosynthesis?",
        "Write a Python function that returns how many vowels a string has.",
        'Translate "how many apples" into French.',
        "How many planets are there, and why is Pluto not one?",
        "What is 3 + 4 and why?",
        "Summarize the plot of Hamlet.",
        "What would you do with one free day in Lisbon?",
        "Tell me a joke.",
        "Give me three names for a cat.",
        "Is tea or coffee better?",
        "Is it better to rent or to buy?",
        "What happened in 1969?",
        "What is the best way to learn the piano?",
        "Where is the Eiffel Tower?",
        "List how many items are in each box.",
        "What are the three primary colors?",
        "Who are you?",
        "Discuss: is 91 a prime number?",
        "What is wrong with this?\n\ndef count(xs):\n    return sum(x for x in xs)\n",
        "",
    ],
)
def test_an_open_question_asks_for_no_short_answer(question: str) -> None:
    assert answer_format(Request.of(question or "?")) is None


def test_a_document_before_a_question_does_not_make_its_lists_options() -> None:
    contract = "".join(
        f"{'abcdefgh'[number % 8]}) Clause {number}: the tenant keeps rule {number}.\n"
        for number in range(300)
    )
    assert answer_format(Request.of(f"{contract}\nWhat does all of this mean for my dog?")) is None


def test_a_request_with_a_form_of_its_own_is_left_alone() -> None:
    assert answer_format(Request.of(SPIDERS, schema='{"type": "object"}')) is None
    assert (
        answer_format(
            Request.of(SPIDERS, tools=(ToolSpec.of("count", "Counts.", {"type": "object"}),))
        )
        is None
    )


def test_letters_out_of_order_or_one_alone_are_no_options() -> None:
    assert answer_format(Request.of("What do you make of it?\nA) Oxygen\nC) Helium")) is None
    assert answer_format(Request.of("What do you make of it?\nA) Oxygen")) is None


def test_there_may_be_as_many_options_as_letters() -> None:
    lines = "\n".join(f"{chr(ord('A') + number)}) thing {number}" for number in range(MOST_OPTIONS))
    assert len(format_of(f"Which?\n{lines}").options) == MOST_OPTIONS


# Where a reply says it.


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


# Kinds of questions that look like another, and replies that say more than their answer.


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("Who carved it - Rodin, Moore or Arp?", ["Rodin", "Moore", "Arp"]),
        ("Which one swims, the cod, the crow or the cat?", ["the cod", "the crow", "the cat"]),
        ("What is the smallest of 12, 7 and 31?", ["12", "7", "31"]),
        ("Which of 9, 14 and 21 is even?", ["9", "14", "21"]),
        ("Which of these words is a verb? run, chair, blue", ["run", "chair", "blue"]),
        ("Pick one: tea, milk, juice.", ["tea", "milk", "juice"]),
        ("Is 24 odd or even?", ["odd", "even"]),
        ("Is a bat a bird or a mammal?", ["a bird", "a mammal"]),
        ("Is Rome in Italy or in Spain?", ["in Italy", "in Spain"]),
        ("Which lake, the Ohrid or the Garda, is deeper?", ["the Ohrid", "the Garda"]),
        ("Which is odd: (a) 4 (b) 9 (c) 10?", ["4", "9", "10"]),
    ],
)
def test_a_set_is_found_wherever_the_question_lists_it(question: str, options: list[str]) -> None:
    found = format_of(question)
    assert found.kind == "choice" and [option.text for option in found.options] == options


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What's 20% of 350?", "number"),
        ("What is the square root of 81?", "number"),
        ("What is nine times six?", "number"),
        ("What is 6 factorial?", "number"),
        ("How long is the flight, in hours?", "number"),
        ("Find x: 2x + 1 = 9", "number"),
        ("Solve 3y = 12 for y.", "number"),
        ("What is the area of a square with side 4?", "number"),
        ("What is the probability of heads?", "number"),
        ("Which lake is the deepest in Asia?", "name"),
        ("Does it follow that:\nAll birds are fish?\n(Answer Yes or No)", "yes_no"),
        ("Is 51 prime or not?", "yes_no"),
    ],
)
def test_a_short_answer_is_asked_for_in_many_ways(question: str, kind: str) -> None:
    assert format_of(question).kind == kind


@pytest.mark.parametrize(
    "question",
    [
        "Shorten this.\n\nA) The sun rose.\nB) The moon set.",
        "My notes:\nA) milk\nB) bread",
        "The guest shall\na) pay\nb) leave early\nWhat happens after a fire?",
        "Which are fish? Select all that apply.\nA) cod\nB) crow",
        "What is the difference between jam and jelly?",
        "What is the difference between Python 2 and Python 3?",
        "What is the mean teacher like?",
        "How much does it matter to sleep?",
        "How many ways can I cheer up my dog?",
        "How fast should I run?",
        "Can you suggest a film?",
        "Do you have tips for a first date?",
        "Are there any nice parks nearby?",
        "Should I buy a car?",
        "Is it safe to swim here?",
        "What is the country house style?",
        "Who is Alan Turing?",
        "Which river should I sail?",
        "Which city is best for students?",
        "Who discovered radium and how did she do it?",
        "Do you want tea or coffee?",
    ],
)
def test_a_question_that_only_looks_like_one_for_a_short_answer_is_left_alone(
    question: str,
) -> None:
    assert answer_format(Request.of(question)) is None


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


@pytest.mark.parametrize(
    "unit", [" ", "\n", "7", "a", "**", "(", ".", ", ", "not ", "1,", "A) ", "7 = ", "896 and "]
)
def test_long_runs_take_no_longer_than_other_text(unit: str) -> None:
    text = f"x{unit * (20_000 // len(unit))}y"
    formats = [format_of(question) for question in (SPIDERS, GASES, LARGEST, PRIME, PERU, EMMA)]
    for work in (
        *(form.find for form in formats),
        is_refusal,
        lambda each: answer_format(Request.of(each)),
    ):
        start = process_time()
        work(text)
        assert process_time() - start < 0.5
