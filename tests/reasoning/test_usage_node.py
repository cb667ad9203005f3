from functools import reduce
from operator import add

from hypothesis import given, strategies as st
from strategies import exact_usages

from musespark.reasoning.usage_node import UsageNode
from musespark.usage import Usage

batches = st.lists(st.lists(exact_usages, min_size=1, max_size=4), max_size=3)


@given(exact_usages, batches)
def test_everything_adds_up_and_a_person_waits_for_the_longest_of_each_batch(own, given_batches):
    node = UsageNode("main")
    node.book(own)
    for batch in given_batches:
        together = node.new_batch()
        for number, usage in enumerate(batch):
            node.add_child(str(number), together).book(usage)
    every = [own, *(usage for batch in given_batches for usage in batch)]
    summed = reduce(add, every, Usage())
    total = node.total
    assert (total.tokens, total.usd, total.calls) == (summed.tokens, summed.usd, summed.calls)
    assert total.threads == summed.threads + sum(map(len, given_batches))
    longest = sum(max(usage.critical_path for usage in batch) for batch in given_batches)
    assert total.critical_path == own.critical_path + longest


@given(exact_usages, exact_usages)
def test_a_call_under_way_counts_once(so_far, whole):
    node = UsageNode("main")
    node.set_running(so_far)
    assert node.total == so_far
    node.book(whole)
    assert node.total == whole
