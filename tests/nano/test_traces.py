from hypothesis import given, strategies as st

from musespark.nano import vocabulary as v
from musespark.nano.trace import begin_trace


def path(trace, index):
    """The tokens a segment sees, its own included, and the positions they stand at."""
    segment = trace.segments[index]
    tokens, positions = ([], []) if segment.parent is None else path(trace, segment.parent)
    own = range(segment.start, segment.start + len(segment.tokens))
    return tokens + segment.tokens, positions + list(own)


@given(
    st.lists(st.sampled_from(["write", "fork", "write in a branch", "fork a branch"]), max_size=30),
    st.randoms(),
)
def test_positions_run_on_along_every_path(actions, rng):
    trace, root = begin_trace("A question", None)
    branches = [root]
    for action in actions:
        branch = rng.choice(branches)
        if action.startswith("write"):
            branch.write("xyz", v.EOS)
        else:
            branches.append(branch.fork())
    for index, segment in enumerate(trace.segments):
        assert segment.parent is None or segment.parent < index
        _, positions = path(trace, index)
        assert positions == list(range(len(positions)))


def test_a_branch_does_not_see_what_is_written_after_the_fork():
    trace, root = begin_trace("Q", None)
    root.write("a")
    child = root.fork().write("c")
    root.write("b")
    sibling = root.fork().write("d")
    seen = {v.decode(path(trace, i)[0]) for i in range(len(trace.segments))}
    assert {"<bos>Qac", "<bos>Qab", "<bos>Qabd"} <= seen
    assert child is not sibling


def test_given_tokens_carry_no_loss():
    trace, root = begin_trace("Q", None)
    root.force("x").write("y", weight=0.5)
    assert trace.segments[0].weights == [0, 0, 0, 0.5]


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_survives_the_vocabulary(text):
    assert v.decode(v.encode(text)) == text


def test_what_is_not_on_a_keyboard_becomes_unknown_or_plain():
    assert v.decode(v.encode("café\t→")) == "cafe    <unknown>"
    assert all(v.is_text(token) for token in v.encode("plain text\n"))
