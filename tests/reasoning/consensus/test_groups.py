import asyncio
import random
from collections.abc import Hashable
from itertools import permutations

import pytest
from attempts import attempt
from hypothesis import given, strategies as st

from musespark.errors import BadOption
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence import equivalence_named
from musespark.reasoning.consensus.groups import AnswerGroups
from musespark.reasoning.consensus.stopping import CONFIDENCE, enough, overtaken

counts = st.lists(st.integers(0, 12), max_size=5)


async def grouped(answers: list[str], kind: str = "numeric") -> AnswerGroups:
    groups = AnswerGroups(equivalence_named(kind))
    for number, answer in enumerate(answers):
        await groups.add(attempt(answer, agent=str(number)))
    return groups


async def test_the_leading_group_comes_first_and_the_earlier_one_of_equals() -> None:
    groups = await grouped(["7", "8", "8.0", "9"])
    assert groups.counts == (2, 1, 1)
    assert [group.answer for group in groups.ranked] == ["8", "7", "9"]
    assert groups.leader is not None and groups.leader.agents == ("1", "2")
    assert [each.agent for each in groups.attempts] == ["0", "1", "2", "3"]


async def test_who_answers_nothing_is_in_no_group() -> None:
    groups = await grouped(["", "  ", "7"])
    assert groups.counts == (1,)
    assert len(groups.blank) == 2
    assert (await grouped([])).leader is None


@given(
    st.lists(
        st.sampled_from(["5", "5.0", "5 km", "5 m", "6", "50%", "0.5", "1/2", "x"]), max_size=5
    )
)
async def test_groups_do_not_depend_on_who_came_first(answers: list[str]) -> None:
    def partition(groups: AnswerGroups) -> set[frozenset[str]]:
        return {frozenset(each.answer for each in group.attempts) for group in groups.ranked}

    first = partition(await grouped(answers))
    for order in list(permutations(answers))[:24]:
        assert partition(await grouped(list(order))) == first


async def test_a_group_holds_no_answers_that_contradict_each_other() -> None:
    groups = await grouped(["5 km", "5", "5 m", "5 km", "5"])
    assert groups.counts == (4, 1) and groups.ranked[1].answer == "5 m"
    chain = await grouped(["90", "90 minutes", "1.5 hours", "1.5", "90"])
    assert [{each.answer for each in group.attempts} for group in chain.ranked] == [
        {"90", "90 minutes"},
        {"1.5", "1.5 hours"},
    ]
    letters = await grouped(["C", "C) Rome", "C) Oslo", "C"], "automatic")
    assert letters.counts == (3, 1)


async def test_what_was_split_is_whole_again_where_the_votes_change() -> None:
    groups = await grouped(["5 km", "5", "5 m"])
    for number in range(3):
        await groups.add(attempt("5 m", agent=f"later-{number}"))
    assert groups.counts == (5, 1) and groups.ranked[1].answer == "5 km"


async def test_an_attempt_without_a_key_is_compared_by_asking() -> None:
    class Rhymes:
        name, keyed = "rhymes", False

        def key(self, attempt: Attempt) -> Hashable | None:
            return None

        async def same(self, left: Attempt, right: Attempt) -> bool:
            return left.answer[-2:] == right.answer[-2:]

    groups = AnswerGroups(Rhymes())
    for answer in ("cat", "dog", "hat"):
        await groups.add(attempt(answer))
    assert groups.counts == (2, 1)


class Asked:
    """Answers of the same last letter are the same, which takes a while to find out."""

    name, keyed = "asked", False

    def __init__(self) -> None:
        self.under_way = self.together = self.asked = 0
        self.waits = asyncio.Event()
        self.waits.set()

    def key(self, attempt: Attempt) -> Hashable:
        return attempt.answer

    async def same(self, left: Attempt, right: Attempt) -> bool:
        self.asked += 1
        self.under_way += 1
        self.together = max(self.together, self.under_way)
        try:
            await asyncio.sleep(0)
            await self.waits.wait()
            if "fault" in (left.answer, right.answer):
                raise BadOption("answer", "fault", "sound")
            return left.answer[-1] == right.answer[-1]
        finally:
            self.under_way -= 1


async def test_all_groups_are_asked_about_at_once() -> None:
    same = Asked()
    groups = AnswerGroups(same)
    for answer in ("1a", "1b", "1c", "2a", "2b", "2a"):
        await groups.add(attempt(answer))
    assert groups.counts == (3, 2, 1)
    assert same.together == 3
    assert (
        same.asked == 0 + 1 + 2 + 3 + 4
    )  # within "a" the first yes was enough for "2a", and a known answer asks nothing


def partition(groups: AnswerGroups) -> list[tuple[str, ...]]:
    return [group.agents for group in groups.ranked]


@given(
    st.lists(
        st.sampled_from(["5", "5.0", "5 km", "5 m", "6", "50%", "0.5", "1/2", "x", " "]), max_size=9
    )
)
async def test_all_taken_in_together_fall_into_the_same_groups_as_one_by_one(
    answers: list[str],
) -> None:
    for kind in ("numeric", "exact"):
        together = AnswerGroups(equivalence_named(kind))
        await together.add_all(
            attempt(answer, agent=str(number)) for number, answer in enumerate(answers)
        )
        one_by_one = await grouped(answers, kind)
        assert partition(together) == partition(one_by_one)
        assert len(together.blank) == len(one_by_one.blank)
        await together.add(attempt("5 m", agent="last"))
        await one_by_one.add(attempt("5 m", agent="last"))
        assert partition(together) == partition(one_by_one)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=9))
async def test_together_as_much_is_asked_as_one_by_one(kinds: list[str]) -> None:
    answers = [attempt(f"{number}{kind}", agent=str(number)) for number, kind in enumerate(kinds)]
    together, one_by_one = Asked(), Asked()
    groups, others = AnswerGroups(together), AnswerGroups(one_by_one)
    await groups.add_all(answers)
    for answer in answers:
        await others.add(answer)
    assert partition(groups) == partition(others)
    assert together.asked == one_by_one.asked


async def test_eight_are_compared_in_three_steps() -> None:
    async def steps(kinds: str) -> int:
        same, taken = Asked(), 0
        same.waits.clear()
        task = asyncio.create_task(
            AnswerGroups(same).add_all(
                [attempt(f"{number}{kind}") for number, kind in enumerate(kinds)]
            )
        )
        while not task.done():
            for _ in range(20):
                await asyncio.sleep(0)
            if same.under_way:
                taken += 1
                same.waits.set()
                await asyncio.sleep(0)
                same.waits.clear()
        return taken

    assert await steps("aaaaaaaa") == await steps("abcdefgh") == 3
    assert (
        await steps("aaaabbbb") == 3 + 1
    )  # where the first two of two groups differ, the others are asked about


async def test_what_was_found_before_the_time_ran_out_holds() -> None:
    same = Asked()
    groups = AnswerGroups(same)
    task = asyncio.create_task(
        groups.add_all([attempt(answer) for answer in ("1a", "2a", "3a", "1b")])
    )
    while same.asked < 3:
        await asyncio.sleep(0)
    same.waits.clear()
    while same.under_way < 1:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert same.under_way == 0
    assert groups.counts == (2, 1, 1)
    same.waits.set()
    await groups.add(attempt("4a"))
    assert groups.counts == (4, 1)


async def test_who_is_cancelled_while_asking_leaves_nothing_behind() -> None:
    same = Asked()
    groups = AnswerGroups(same)
    for answer in ("1a", "1b"):
        await groups.add(attempt(answer))
    same.waits.clear()
    task = asyncio.create_task(groups.add(attempt("2a")))
    while same.under_way < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert same.under_way == 0 and groups.counts == (1, 1)
    same.waits.set()
    await groups.add(attempt("2a"))
    assert groups.counts == (2, 1)


async def test_what_the_equivalence_raises_comes_as_it_is_and_nobody_goes_on_asking() -> None:
    same = Asked()
    groups = AnswerGroups(same)
    for answer in ("1a", "1b"):
        await groups.add(attempt(answer))
    with pytest.raises(BadOption):
        await groups.add(attempt("fault"))
    assert same.under_way == 0 and groups.counts == (1, 1)


@given(
    st.lists(st.sampled_from(["1a", "2a", "1b", "2b", "1c"]), max_size=5),
    st.randoms(use_true_random=False),
)
async def test_groups_that_are_asked_about_do_not_depend_on_the_order_either(
    answers: list[str], chance: random.Random
) -> None:
    shuffled = chance.sample(answers, len(answers))
    partitions = []
    for order in (answers, shuffled):
        groups = AnswerGroups(Asked())
        await asyncio.gather(*(groups.add(attempt(answer)) for answer in order))
        partitions.append(
            {frozenset(each.answer for each in group.attempts) for group in groups.ranked}
        )
    assert partitions[0] == partitions[1]


def test_two_of_sixteen_that_agree_are_enough_and_two_that_differ_are_not() -> None:
    assert enough((2,), 14)[0]
    assert not enough((1, 1), 14)[0]
    assert not enough((1,), 15)[0]
    assert not enough((), 16)[0]
    assert enough((), 0)[0] and enough((1, 1), 0)[0]
    assert "probability" in enough((2,), 14)[1]


@given(counts, st.integers(1, 40))
def test_the_rule_looks_at_the_counts_and_not_at_their_names(
    each: list[int], remaining: int
) -> None:
    assert enough(each, remaining) == enough(each[::-1], remaining) == enough([*each, 0], remaining)


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 40))
def test_a_longer_lead_is_never_overtaken_more_often(
    leader: int, runner_up: int, remaining: int
) -> None:
    assert (
        overtaken(leader + runner_up + 1, runner_up, remaining)
        <= overtaken(leader + runner_up, runner_up, remaining) + 1e-12
    )


@given(st.integers(0, 12), st.integers(0, 40))
def test_a_tie_can_go_either_way(votes: int, remaining: int) -> None:
    assert overtaken(votes, votes, remaining) == pytest.approx(0.5)


@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 20))
def test_what_one_side_may_lose_the_other_may_win(one: int, other: int, remaining: int) -> None:
    assert overtaken(one, other, remaining) + overtaken(other, one, remaining) == pytest.approx(1)


@pytest.mark.parametrize("confidence", [0.7, CONFIDENCE, 0.95])
def test_stopping_early_errs_no_more_often_than_it_says(confidence: float) -> None:
    """Under the rule's own assumption: two answers, and a share of the first that is uniform."""
    chance = random.Random(1)
    stopped = wrong = 0
    for _ in range(4000):
        share = chance.random()
        votes = [0, 0]
        said = None
        for asked in range(1, 17):
            votes[chance.random() < share] += 1
            if said is None and asked < 16 and enough(votes, 16 - asked, confidence)[0]:
                said = votes.index(max(votes))
        if said is not None:
            stopped += 1
            wrong += 1.0 if votes[said] < votes[1 - said] else 0.5 if votes[0] == votes[1] else 0.0
    assert stopped > 1000
    assert wrong / stopped <= 1 - confidence + 0.02
