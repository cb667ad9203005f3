"""Thoughts within a text are told from the answer by the text alone, however it is cut."""

import pytest
from hypothesis import given, settings, strategies as st

from musespark.models.providers.adapter.thoughts import (
    ENDS,
    FAMILIES,
    ThoughtSplitter,
    split_thoughts,
)

ANSWER = "The answer is 12."
MUSING = "Three times four, so twelve."


def read(pieces):
    """The answer and the thoughts that the pieces of a text add up to."""
    splitter = ThoughtSplitter()
    found = [one for piece in pieces for one in splitter.feed(piece)] + list(splitter.end())
    answer, thoughts = "", ""
    for kind, text in found:
        if kind == "text":
            answer += text
        elif kind == "thought":
            thoughts += text
        else:
            answer, thoughts = "", thoughts + answer
    return answer, thoughts.strip()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.opening)
@pytest.mark.parametrize("space", ["", "\n", "\n\n"])
@pytest.mark.parametrize("change", [str, str.upper])
def test_the_tags_of_every_family_hold_a_thought(family, space, change):
    for closing in family.closings:
        text = (
            f"{space}{change(family.opening)}{space}{MUSING}{space}{change(closing)}{space}{ANSWER}"
        )
        assert read([text]) == (ANSWER, MUSING)


@pytest.mark.parametrize(
    "text",
    [
        f"{MUSING}</think>{ANSWER}",
        f"{MUSING}\n</thinking>\n\n{ANSWER}",
        f"<think></think>\n\n{MUSING}\n</think>\n{ANSWER}",
        f"</think>\n\n{ANSWER}",
        f"<|start|>assistant<|channel|>analysis<|message|>{MUSING}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}"
        "<|return|>",
        f"<|channel|>final<|message|>{ANSWER}<|return|>",
        f"analysis{MUSING}assistantfinal{ANSWER}",
        f"<|begin_of_thought|>{MUSING}<|end_of_thought|>\n<|begin_of_solution|>{ANSWER}<|end_of_solution|>",
    ],
)
def test_a_thought_may_lack_its_opening_and_an_answer_may_be_wrapped(text):
    answer, thoughts = read([text])
    assert answer == ANSWER and thoughts in (MUSING, "")


@pytest.mark.parametrize(
    "text",
    [
        "Wrap it in `<think>` and `</think>`.",
        "The <think> tag opens a thought, and the </think> tag closes it.",
        "<think> is a tag that some models write.",
        'They write "<think>" first.',
        "```xml\n<think>\nhm\n</think>\n```\nThat is the form.",
        "~~~\n</think>\n~~~",
        "Put it as <think>so</think> there.",
        "Stop at </think> if you can.",
        "if a < b and c[0] > 1: print('<div>')",
        "analysis of the case",
        "An Analysis: [THINKING] of it",
    ],
)
def test_a_text_that_speaks_of_tags_stays_as_it_is(text):
    assert read([text]) == (text, "")


def test_a_thought_may_speak_of_its_own_end():
    text = f"<think>I close with `</think>` then.</think>{ANSWER}"
    assert read([text]) == (ANSWER, "I close with `</think>` then.")


def test_a_second_thought_on_a_line_of_its_own_is_one():
    assert read([f"First.\n<think>{MUSING}</think>\nSecond."]) == ("First.\nSecond.", MUSING)


def test_an_answer_before_a_stray_closing_tag_is_kept_if_nothing_follows():
    assert read([f"<think>{MUSING}</think>{ANSWER}</think>"])[0] == ANSWER


TAGS = st.sampled_from(
    [tag for one in FAMILIES for tag in (one.opening, *one.closings, *one.wrappers)]
)
TEXTS = st.lists(
    st.one_of(
        TAGS,
        TAGS.map(str.upper),
        st.sampled_from(
            ["analysis", "assistantfinal", "`", "```\n", "\n", " ", ". ", "the ", " tag", "İ"]
        ),
        st.text(max_size=4),
    ),
    max_size=8,
).map("".join)


@settings(max_examples=300)
@given(TEXTS, st.data())
def test_the_cuts_of_a_text_do_not_matter(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert read(pieces) == read([text]) == read(list(text))


@given(
    st.text(st.characters(exclude_characters="<[◁")).filter(
        lambda text: "analysis" not in text.lower()
    )
)
def test_nothing_is_lost_of_a_text_without_tags(text):
    assert "".join(piece.text for piece in split_thoughts(text)) == text


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("cut", [1, 3, 1000])
def test_tokens_for_the_end_of_a_turn_are_no_text_at_the_end(end, cut):
    for text in (
        f"{ANSWER}{end}",
        f"{ANSWER}{end}{end}",
        f"<think>{MUSING}</think>{ANSWER}{end}\n",
    ):
        answer, _ = read([text[at : at + cut] for at in range(0, len(text), cut)])
        assert answer.strip() == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        "A turn ends with <|im_end|>",
        "It ends with `<|im_end|>`",
        "<|im_end|> ends a turn.",
        f"{ANSWER}<|im_end|>{ANSWER}",
        f"{ANSWER}<|im_",
        f"{ANSWER}<s>old</s>",
    ],
)
@pytest.mark.parametrize("cut", [1, 3, 1000])
def test_a_token_that_the_text_is_about_stays(text, cut):
    assert read([text[at : at + cut] for at in range(0, len(text), cut)]) == (text, "")
