from reasoning.teams import contemplated, model, of, says, team

from musespark.api import build_team
from musespark.content import Request
from musespark.reasoning.team.history import load_panel, vote_recorder
from musespark.reasoning.team.team import Team
from musespark.store import Vote, VoteStore


def named(name, answer="1"):
    return model([says(f"Answer: {answer}")], name=name)


def taught(path, **right):
    """A store in which each model was right on so many of 40 questions of the kind `sums`."""
    with VoteStore(path) as store:
        store.add(
            Vote("sums", str(question), name, str(question < hits), question < hits)
            for name, hits in right.items()
            for question in range(40)
        )


async def test_votes_are_kept_and_known_the_next_time(tmp_path):
    path = tmp_path / "votes.db"
    models = [named("a", 1), named("b", 1), named("c", 2)]
    who = Team(
        explorers=tuple(models),
        agents=3,
        first_wave=3,
        rounds=0,
        remember=vote_recorder("sums", path),
        enough=lambda *_: (False, ""),
    )
    await contemplated(who, Request.of("1 + 0?"))
    with VoteStore(path) as store:
        votes = {vote.model: (vote.group, vote.right) for vote in store.votes("sums")}
    assert votes == {"a": ("0", None), "b": ("0", None), "c": ("1", None)}
    panel, explorers = load_panel("sums", path, models)
    assert panel is not None and {model.name for model in explorers} <= {"a", "b", "c"}
    assert load_panel("other", path, models) == (None, tuple(models))


async def test_who_is_known_to_be_right_outvotes_many_who_are_not(tmp_path):
    path = tmp_path / "votes.db"
    taught(path, strong=39, weak=22, poor=22, feeble=21)
    models = [named("weak", 2), named("poor", 2), named("strong", 1)]
    who = build_team(
        {"model": models, "task_kind": "sums", "store": path, "rounds": 0, "first_wave": 3}
    )
    assert isinstance(who, Team) and who.explorers[0].name == "strong"
    events, error, _ = await contemplated(who)
    assert error is None and events[-1].answer == "Answer: 1"
    assert of(events, "decided")[0].by in ("weigh", "vote")


async def test_without_knowledge_a_weighed_vote_is_a_plain_one():
    events, _, _ = await contemplated(team(named("a"), agents=2, first_wave=2, aggregate="weigh"))
    assert "No reliability is known" in of(events, "decided")[0].reason
