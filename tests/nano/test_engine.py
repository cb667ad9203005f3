"""Effects of the tokens that a scripted network writes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from networks import SMALL, Script, Scripted, play, random_weights, tokens

from musespark import content
from musespark.errors import BadOption, QuestionTooLong
from musespark.nano import tiles, vocabulary as v
from musespark.nano.engine import MAX_THREADS, Batch, Engine
from musespark.nano.engine_events import (
    Cancelled,
    CanvasSaved,
    EngineEvent,
    Finished,
    Forced,
    Generated,
    Returned,
    Started,
)
from musespark.nano.threads import CHILD_PREFIX, EngineRequest

PROMPT = tokens("<bos>2+2?")


def happen(
    script: Script, mode: str = "contemplating", **options: Any
) -> tuple[list[EngineEvent], Scripted]:
    context = options.pop("context", 512)
    network = Scripted(script, context)
    events = list(Engine.of(network).run(PROMPT, None, v.MODES[mode], **options))
    assert network.open_sequences == 0, "sequences were left open"
    return events, network


def finish(events: list[EngineEvent]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def of(kind: type, events: list[EngineEvent]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def text(events: list[EngineEvent], thread: int = 0) -> str:
    """All that a thread was fed and wrote, in the order of its positions, which must have no holes."""
    pieces = [(one.position, one.tokens) for one in of(Forced, events) if one.thread == thread]
    pieces += [
        (one.position, (one.token,)) for one in of(Generated, events) if one.thread == thread
    ]
    pieces += [
        (one.position, (v.TH, *one.branch, *CHILD_PREFIX))
        for one in of(Started, events)
        if one.thread == thread
    ]
    pieces.sort()
    reached = pieces[0][0]
    for position, piece in pieces:
        assert position == reached
        reached += len(piece)
    return v.decode(token for _, piece in pieces for token in piece)


def test_a_thought_alone() -> None:
    events, network = happen(play("<code>4<answer>4<eos>"), "thinking")
    assert text(events) == "<bos>2+2?<think><code>4<answer>4<eos>"
    assert finish(events) == Finished(tuple(tokens("4")), "answered", "", 5, 6, 5, 0)
    assert network.steps[0] == ["<bos>2+2?<think>"] and len(network.steps) == 5


def test_declining() -> None:
    events, _ = happen(play("<decline><eos>"), "instant")
    assert (finish(events).ending, finish(events).answer) == ("declined", ())


def test_children_run_beside_their_parent() -> None:
    events, network = happen(
        play("<lake><spawn><th>a<th>bc<join>|<answer>4<eos>", a="x<ret>1<end>", bc="<ret>22<end>")
    )
    assert (
        text(events)
        == "<bos>2+2?<contemplate><lake><spawn><th>a<th>bc<join><ret>1<ret>22<answer>4<eos>"
    )
    assert (
        text(events, 1) == "<th>a<go>x<ret>1<end>" and text(events, 2) == "<th>bc<go><ret>22<end>"
    )
    assert of(Started, events) == [
        Started(1, 0, tuple(tokens("a")), 8),
        Started(2, 0, tuple(tokens("bc")), 8),
    ]
    assert of(Returned, events) == [
        Returned(1, tuple(tokens("1")), False),
        Returned(2, tuple(tokens("22")), False),
    ]
    assert network.steps[5:] == [
        ["<th>", "<th>a<go>"], ["b", "x"], ["c", "<ret>"], ["1", "<th>bc<go>"], ["<ret>"], ["2"], ["2"],
        ["<join><ret>1<ret>22"], ["<answer>"], ["4"],
    ]  # fmt: skip
    done = finish(events)
    assert (done.tokens, done.forced, done.critical_path, done.threads) == (19, 18, 15, 2)
    assert done.tokens == len(of(Generated, events))


def test_what_is_empty_is_not_fed() -> None:
    script = play("<lake><spawn><th>a<th>b<join>|<answer>4<eos>", a="<ret><end>", b="<ret><end>")
    events, network = happen(script)
    assert text(events).endswith("<th>b<join><answer>4<eos>") and ["<join>"] in network.steps


def test_a_winner_stops_the_others() -> None:
    script = play(
        "<lake><spawn><th>a<th>b<th>cdefgh<join>|<answer>4<eos>",
        a="....................<ret>no<end>",
        b="!<ret>1<win>",
    )
    events, _ = happen(script)
    assert "<join><ret>1<answer>4<eos>" in text(events) and "<ret>no" not in text(events)
    assert "<th>cde<join><ret>1" in text(events), "the parent was in the middle of a branch"
    assert [one.thread for one in of(Cancelled, events)] == [1]
    assert Returned(2, tuple(tokens("1")), True) in events


def test_a_token_chosen_in_the_step_of_a_win_is_lost() -> None:
    script = play("<lake><spawn><th>a<th>wxyz<join>|<answer>4<eos>", a="<ret><win>")
    events, _ = happen(script)
    assert text(events).endswith("<th>a<th>w<join><answer>4<eos>")
    assert finish(events).threads == 1, "the second branch was never complete"


def test_a_winner_does_not_interrupt_whoever_waits_already() -> None:
    events, _ = happen(play("<lake><spawn><th>a<join>|<answer>4<eos>", a="<ret>1234<win>"))
    assert text(events).count("<join>") == 1
    assert Forced(0, tuple(tokens("<ret>1234")), 11) in events


@pytest.mark.parametrize("max_threads", [1, 2, 3])
def test_the_limit_of_threads_forces_join(max_threads: int) -> None:
    script = play(
        "<lake><spawn><th>a<th>b<th>c<th>d<join>|<answer>4<eos>",
        **dict.fromkeys("abcd", "<ret>1<end>"),
    )
    events, _ = happen(script, max_threads=max_threads)
    assert finish(events).threads == max_threads == len(of(Started, events))
    assert text(events).endswith(
        "abcd"[max_threads - 1] + "<join>" + "<ret>1" * max_threads + "<answer>4<eos>"
    )


def test_spawning_again_and_the_cap_over_all() -> None:
    first = "<lake><spawn><th>a<th>b<join>|x<spawn><th>c<th>d<join>|<answer>4<eos>"
    events, _ = happen(play(first, **dict.fromkeys("abcd", "<ret>1<end>")), max_threads=3)
    assert text(events).endswith("<join><ret>1<ret>1x<spawn><th>c<join><ret>1<answer>4<eos>")


def test_threads_spawn_threads_but_not_deeper() -> None:
    first = "<lake><spawn><th>a<join>|<answer>4<eos>"
    events, _ = happen(play(first, a="<spawn><th>b<join>|<ret>5<end>", b="<spawn><th>c<join>|"))
    assert {one.thread: one.parent for one in of(Started, events)} == {1: 0, 2: 1}
    assert "<spawn>" not in text(events, 2)


def test_a_grandchild_settles_its_parents_question_only() -> None:
    script = play(
        "<lake><spawn><th>a<th>b<join>|<answer>4<eos>",
        a="<spawn><th>c<th>defgh<join>|<ret>5<end>", b="........<ret>6<end>", c="<ret>1<win>",
    )  # fmt: skip
    events, _ = happen(script)
    assert text(events).endswith("<join><ret>5<ret>6<answer>4<eos>")
    assert "<join><ret>1<ret>5<end>" in text(events, 1)


def test_images_are_kept_and_inherited() -> None:
    ice, arrow = v.TOKENS[v.tile(tiles.ICE)], v.TOKENS[v.tile(tiles.path("R"))]
    first = f"<lake><img><p3>{ice}<@9></img><spawn><th>a<join>|<img></img><answer>R<eos>"
    events, _ = happen(play(first, a=f"<img><p3>{arrow}<p4>{ice}</img><ret>R<end>"))
    kept = [
        (one.thread, one.canvas.layers(3), one.canvas.layers(4)) for one in of(CanvasSaved, events)
    ]
    ice_layer, both = (tiles.ICE,), (tiles.ICE, tiles.path("R"))
    assert kept == [(0, ice_layer, ()), (1, both, ice_layer), (0, ice_layer, ())]


def test_ablated_images_are_painted_but_not_seen() -> None:
    ice = v.TOKENS[v.tile(tiles.ICE)]
    events, network = happen(
        play(f"<lake><img><p3>{ice}</img><answer>R<eos>"), "thinking", ablate_images=True
    )
    assert of(CanvasSaved, events)[0].canvas.layers(3) == (tiles.ICE,)
    assert [v.TOKENS[v.tile(tiles.maze(0))]] in network.steps and [ice] not in network.steps


def test_a_child_that_runs_over_returns_nothing() -> None:
    script = play("<lake><spawn><th>a<th>b<join>|<answer>4<eos>", a="." * 99, b="<ret>2<end>")
    events, _ = happen(script, max_tokens=15)
    assert of(Cancelled, events) == [Cancelled(1, "it wrote the 15 tokens it was allowed")]
    assert text(events).endswith("<join><ret>2<answer>4<eos>")


def test_the_first_thread_that_runs_over_has_no_answer() -> None:
    events, _ = happen(play("<lake>" + "." * 99), "thinking", max_tokens=15)
    done = finish(events)
    assert (done.ending, done.answer, done.tokens) == ("cut", (), 15) and "15 tokens" in done.reason


def test_the_context_ends() -> None:
    events, _ = happen(play("<lake>" + "." * 99), "thinking", context=20)
    assert finish(events).ending == "stuck" and "20 tokens" in finish(events).reason


def test_returns_beyond_the_context() -> None:
    script = play(
        "<lake><spawn><th>a<th>b<join>|<answer>4<eos>", a="<ret>12345<end>", b="<ret>12345<end>"
    )
    assert finish(happen(script, context=24)[0]).ending == "stuck"


def test_a_child_that_its_returns_cut_leaves_its_parent_to_go_on() -> None:
    script = play(
        "<lake><spawn><th>a<join>|<answer>4<eos>",
        a="<spawn><th>b<th>c<join>|<ret>5<end>", b="<ret>123456<end>", c="<ret>123456<end>",
    )  # fmt: skip
    events, _ = happen(script, context=26)
    assert [one.thread for one in of(Cancelled, events)] == [1]
    assert (
        text(events).endswith("<th>a<join><answer>4<eos>") and finish(events).ending == "answered"
    )


def test_bad_questions() -> None:
    for options in (
        {"max_threads": 0},
        {"max_threads": 10_000},
        {"max_tokens": 0},
        {"temperature": -1.0},
        {"temperature": float("nan")},
    ):
        with pytest.raises(BadOption):
            happen(play("<lake>"), **options)
    with pytest.raises(BadOption):
        list(Engine.of(Scripted(play(""))).run(PROMPT, None, v.EOS))
    with pytest.raises(BadOption):
        list(Engine.of(Scripted(play(""))).run([v.BOS, v.PATCH], None))
    with pytest.raises(QuestionTooLong, match="at most"):
        happen(play(""), "thinking", context=9) if len(PROMPT) > 9 else happen(
            play(""), context=len(PROMPT)
        )


def test_whoever_stops_listening_stops_the_work() -> None:
    network = Scripted(play("<lake>" + "." * 400))
    answering = Engine.of(network).run(PROMPT)
    for _ in range(5):
        next(answering)
    answering.close()
    assert len(network.steps) < 6


def test_a_batch_drops_a_question() -> None:
    network = Scripted(play("<lake>" + "." * 400))
    batch = Batch(network)
    dropped, other = (batch.add(EngineRequest(PROMPT, v.THINK, max_tokens=9)) for _ in range(2))
    batch.step()
    batch.abort(dropped)
    while batch.trees:
        batch.step()
    assert other.finished and not dropped.finished and network.open_sequences == 0


def test_many_are_answered_as_each_alone() -> None:
    engine = Engine(SMALL, random_weights(SMALL))
    questions = [
        EngineRequest(
            tokens(f"<bos>{'7' * n}"),
            mode,
            seed=n,
            temperature=1.0,
            max_tokens=60,
            max_threads=4,
            patches=None,
        )
        for n in range(1, 9)
        for mode in (v.THINK, v.CONTEMPLATE)
    ]
    together: dict[int, list[EngineEvent]] = {}
    for index, event in engine.run_many(questions, batch=5):
        together.setdefault(index, []).append(event)
    for index, q in enumerate(questions):
        alone = list(
            engine.run(
                q.prompt,
                None,
                q.mode,
                max_threads=q.max_threads,
                seed=q.seed,
                temperature=1.0,
                max_tokens=60,
            )
        )
        assert _comparable(together[index]) == _comparable(alone)


def _comparable(events: list[EngineEvent]) -> list[Any]:
    return [
        (one.thread, one.canvas.png()) if isinstance(one, CanvasSaved) else one for one in events
    ]


def test_seeds() -> None:
    engine = Engine(SMALL, random_weights(SMALL))
    said = [
        _comparable(
            list(engine.run(PROMPT, None, v.THINK, seed=seed, temperature=1.0, max_tokens=40))
        )
        for seed in (3, 3, 4)
    ]
    assert said[0] == said[1] != said[2]


def test_the_engine_is_light_to_import() -> None:
    """Neither torch nor Pillow: the first word of an answer waits for neither."""
    code = "import sys, musespark.nano.engine; print(*sorted({'torch', 'PIL', 'transformers', 'safetensors'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_engine_takes_as_many_threads_as_a_request_may_ask_for() -> None:
    assert content.MAX_THREADS == MAX_THREADS
