"""A team as it is by default: plain, equal samples, and a vote that tells what it is worth."""

import asyncio
from dataclasses import replace

import pytest
from reasoning.teams import ABLE, contemplated, model, of, says

from musespark.content import Request
from musespark.models.fake import Hang
from musespark.reasoning.consensus.answer_format import answer_format
from musespark.reasoning.parallel.stragglers import EVERYONE
from musespark.reasoning.team.approaches import APPROACHES, WARM
from musespark.reasoning.team.team import Team

SPIDERS = Request.of("How many legs do seven spiders have together?")
GASES = Request.of("Which gas do plants take in?\nA) Oxygen\nB) Carbon dioxide\nC) Helium")
LARGEST = Request.of("Which is the largest: 643, 896, 87?")
PRIME = Request.of("Is 91 a prime number?")
PERU = Request.of("What is the capital of Peru?")
OPEN = Request.of("What would you do with one free day in Lisbon?")
REFUSAL = "I'm sorry, I can't answer that."
SEEDED = replace(ABLE, seed=True, temperature=True)


async def answered(replies, request=SPIDERS, **options):
    """The model that gave these replies, one to each explorer, and the events of the run."""
    one = model(
        [says(reply, 0.002 * number) for number, reply in enumerate(replies)],
        abilities=options.pop("abilities", ABLE),
    )
    team = Team(
        explorers=(one,),
        **{"agents": len(replies), "first_wave": len(replies), "stragglers": EVERYONE, **options},
    )
    events, error, _ = await contemplated(team, request)
    assert error is None
    return one, events


def groups_of(events):
    """Number of agents behind each answer in the end, the most first."""
    return [len(agents) for agents in of(events, "agreed")[-1].groups]


def follows_up(request):
    """True if an agent is asked for the answer alone."""
    return request.stage == "clarify"


def asked_again(one):
    """The requests for the answer alone."""
    return [request for request in one.requests if follows_up(request)]


# Sentences of one answer.


@pytest.mark.parametrize(
    ("request_", "replies"),
    [
        (
            SPIDERS,
            [
                "They have 56 legs.",
                "56 is the number of legs.",
                "Each has 8, so 7 * 8 = **56**.",
                "Answer: 56",
            ],
        ),
        (
            GASES,
            [
                "Plants take in carbon dioxide.",
                "B",
                "The answer is (B).",
                "Carbon dioxide, not oxygen.",
            ],
        ),
        (
            LARGEST,
            [
                "The largest is 896.",
                "896 is indeed the largest.",
                "896",
                "The largest number is **896**.",
            ],
        ),
        (PRIME, ["No, it is 7 * 13.", "91 = 7 * 13, so the answer is no.", "No", "**No**."]),
        (
            PERU,
            [
                "Lima",
                "The capital of Peru is Lima.",
                "Lima is the capital of Peru.",
                "Answer: Lima",
            ],
        ),
    ],
)
async def test_sentences_of_one_answer_are_one_group(request_, replies):
    one, events = await answered(replies, request_, enough=lambda counts, remaining: (False, ""))
    assert groups_of(events) == [len(replies)]
    assert len(one.requests) == len(replies)


async def test_sentences_of_different_answers_are_counted_by_what_they_say():
    replies = [
        "The largest is 643.",
        "643 is larger than 87.",
        "896 is indeed the largest.",
        "The largest number is 896.",
        "896",
    ]
    _, events = await answered(replies, LARGEST, enough=lambda counts, remaining: (False, ""))
    assert groups_of(events) == [3, 2]
    assert "896" in events[-1].answer


# Answers that are only mentioned.

RAMBLES = "To find the answer we begin with 643, then look at 87, and think about 896 for a while before anything else is said"


async def test_the_option_mentioned_last_counts_where_no_reply_says_more():
    one, events = await answered(
        [RAMBLES, RAMBLES, "Consider 643 and 896 and 87 in turn before saying anything"], LARGEST
    )
    assert (len(one.requests), groups_of(events)) == (3, [2, 1])
    assert events[-1].answer == RAMBLES


async def test_a_clear_answer_counts_more_than_what_is_only_mentioned():
    _, events = await answered(["The largest is 643.", RAMBLES, "643 is the largest."], LARGEST)
    assert "643" in events[-1].answer and events[-1].answer != RAMBLES


async def test_one_clear_answer_does_not_win_against_many_alike_that_are_only_mentioned():
    _, events = await answered(["The largest is 643.", RAMBLES, RAMBLES, RAMBLES], LARGEST)
    assert events[-1].answer == RAMBLES
    assert "3 of 4 votes" in of(events, "decided")[0].reason


@pytest.mark.parametrize(
    ("request_", "reply", "guess"),
    [
        (
            SPIDERS,
            "They have 8 legs, well, and seven of them come to 56 or so, I would not swear",
            "56",
        ),
        (SPIDERS, "1,024 is it, or 2,048", "2048"),
        (GASES, "Oxygen? Helium? Carbon dioxide? Helium?", "C"),
        (PRIME, "Yes and no; no; well, yes, it depends", "yes"),
        (PERU, "Lima or Cusco", None),
        (SPIDERS, "Many.", None),
        (SPIDERS, REFUSAL, None),
    ],
)
def test_a_guess_is_what_a_reply_mentions_last(request_, reply, guess):
    assert answer_format(request_).guess(reply) == guess


# Refusals.


@pytest.mark.parametrize("request_", [SPIDERS, OPEN])
@pytest.mark.parametrize("refusals", [1, 2, 4])
async def test_a_refusal_never_wins_against_an_answer(request_, refusals):
    _, events = await answered(
        [REFUSAL] * refusals + ["Answer: 56"],
        request_,
        enough=lambda counts, remaining: (False, ""),
    )
    assert events[-1].answer == "Answer: 56"
    assert groups_of(events) == [1]


async def test_two_refusals_at_first_do_not_end_the_search():
    one = model(
        [says(REFUSAL), says(REFUSAL), says("Answer: 56"), says("Answer: 56"), says("Answer: 56")]
    )
    events, error, _ = await contemplated(
        Team(explorers=(one,), agents=5, stragglers=EVERYONE), SPIDERS
    )
    assert error is None and events[-1].answer == "Answer: 56"


async def test_where_all_refuse_the_refusal_is_the_answer_and_that_is_said():
    _, events = await answered([REFUSAL] * 3)
    assert events[-1].answer == REFUSAL
    assert of(events, "decided")[0].reason.endswith("No agent gave an answer.")


# Ties.


async def test_that_all_answers_differ_is_told():
    one, events = await answered(["Answer: 54", "Answer: 55", "Answer: 56"])
    decided = of(events, "decided")[0]
    assert (decided.by, events[-1].answer) == ("vote", "Answer: 54")
    assert "all 3 answers differ, and the first counts" in decided.reason
    assert len(one.requests) == 3  # neither a judge nor a round of refinement


async def test_a_tie_names_what_the_winner_was_tied_with():
    _, events = await answered(["Answer: 54", "Answer: 56", "Answer: 56", "Answer: 54"])
    decided = of(events, "decided")[0]
    assert (decided.by, events[-1].answer) == ("vote", "Answer: 54")
    assert "2 of 4 votes, tied with “56”" in decided.reason


async def test_a_vote_that_was_won_speaks_of_no_tie():
    _, events = await answered(["Answer: 54", "Answer: 56", "Answer: 56"])
    reason = of(events, "decided")[0].reason
    assert events[-1].answer == "Answer: 56"
    assert "2 of 3 votes" in reason and "tied" not in reason and "differ" not in reason


async def test_a_named_judge_is_asked_about_a_tie_without_more():
    judge = model([says("?")], judge=[says('{"better": "A"}')], name="judge")
    _, events = await answered(["Answer: 54", "Answer: 56"], judge=judge)
    assert len(judge.requests) == 2
    assert "favoured neither" in of(events, "decided")[0].reason


async def test_prose_that_differs_is_merged_by_default():
    prose = [
        "I would walk up to the castle in the morning and look down on the river from there, before it gets too hot and "
        "too full; after that I would sit in the shade.",
        "Take the tram to the end of the line, eat fish by the sea, and come back on foot along the water when evening comes, "
        "with a book for the way.",
    ]
    one = model([says(text) for text in prose], merge=[says("The castle first, then the sea.")])
    events, error, _ = await contemplated(
        Team(explorers=(one,), agents=2, stragglers=EVERYONE), OPEN
    )
    assert error is None and (of(events, "decided")[0].by, events[-1].answer) == (
        "merge",
        "The castle first, then the sea.",
    )


# Plain sampling.


async def test_plain_requests_are_equal_but_for_the_seed():
    one, _ = await answered(
        [f"Answer: {number}" for number in range(4)], replace(SPIDERS, seed=7), abilities=SEEDED
    )
    assert [request.seed for request in one.requests] == [7, 8, 9, 10]
    assert len({replace(request, seed=None) for request in one.requests}) == 1
    assert one.requests[0].messages == SPIDERS.messages
    assert one.requests[0].temperature == WARM


async def test_a_temperature_that_was_asked_for_is_kept_for_all():
    one, _ = await answered(
        ["Answer: 1", "Answer: 2"], replace(SPIDERS, temperature=0.3), abilities=SEEDED
    )
    assert {request.temperature for request in one.requests} == {0.3}


async def test_an_instruction_stands_after_the_question_and_nowhere_else():
    one, _ = await answered(
        [f"Answer: {number}" for number in range(len(APPROACHES["varied"]))], approach="varied"
    )
    told = [request.messages for request in one.requests]
    assert all([message.role for message in messages] == ["user"] for messages in told)
    assert [messages[0].text.removeprefix(SPIDERS.question).strip() for messages in told] == list(
        APPROACHES["varied"]
    )


# The answer alone.


async def test_replies_without_an_answer_are_asked_for_it_once_and_that_is_counted():
    def play(request):
        return says(
            "56" if follows_up(request) else "Many, for each of the seven has a lot of them."
        )

    one = model(play)
    events, error, _ = await contemplated(
        Team(explorers=(one,), agents=2, stragglers=EVERYONE), SPIDERS
    )
    assert error is None
    assert 1 <= len(asked_again(one)) <= 2
    assert events[-1].usage.calls == len(one.requests) == 2 + len(asked_again(one))
    assert events[-1].answer.endswith("56") and events[-1].answer.startswith("Many,")
    assert any("no answer can be told" in event.text for event in of(events, "noted"))


async def test_whoever_still_gives_no_answer_is_not_asked_a_third_time():
    one, events = await answered(["Many, for each of the seven has a lot of them."] * 2)
    assert len(asked_again(one)) <= 2 and len(one.requests) <= 4
    assert events[-1].usage.calls == len(one.requests)
    assert events[-1].answer.startswith("Many,")


async def test_a_follow_up_shows_the_question_and_the_reply():
    def play(request):
        return says(
            "56" if follows_up(request) else "Many, for each of the seven has a lot of them."
        )

    one = model(play)
    await contemplated(Team(explorers=(one,), agents=1), SPIDERS)
    (again,) = asked_again(one)
    assert [message.role for message in again.messages] == ["user", "assistant", "user"]
    assert again.messages[0].text == SPIDERS.question and again.messages[1].text.endswith(
        "has a lot of them."
    )
    assert again.max_tokens is not None and again.max_tokens <= 100


@pytest.mark.parametrize("request_", [OPEN, Request.of("Why do spiders have eight legs?")])
async def test_an_open_question_is_not_asked_again(request_):
    one, events = await answered(["Many things, and then a few more."] * 2, request_)
    assert not asked_again(one) and len(one.requests) == 2
    assert events[-1].usage.calls == 2


@pytest.mark.parametrize("replies", [["They have 56 legs."] * 2, [REFUSAL] * 2])
async def test_nobody_is_asked_again_who_answered_or_refused(replies):
    one, _ = await answered(replies)
    assert not asked_again(one)


async def test_a_follow_up_that_hangs_leaves_nothing_running_when_the_reader_goes():
    def play(request):
        return [Hang()] if follows_up(request) else says("Many.")

    one = model(play)
    task = asyncio.create_task(contemplated(Team(explorers=(one,), agents=2), SPIDERS))
    async with asyncio.timeout(20):
        while not asked_again(one):
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.wait([task])
    assert one.running == 0
