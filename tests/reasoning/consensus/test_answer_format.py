"""The short answer that a question asks for, and what is found of it in replies of many shapes."""

from time import process_time

import pytest
from reasoning.consensus.questions import (
    EMMA,
    GASES,
    LARGEST,
    MAMMALS,
    PERU,
    PRIME,
    SPIDERS,
    format_of,
)

from musespark.content import Request, ToolSpec
from musespark.reasoning.consensus.answer_format import MOST_OPTIONS, answer_format
from musespark.reasoning.consensus.equivalence.refusal import is_refusal

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
