from musespark.models.fake import FakeModel
from musespark.models.model import Abilities
from musespark.reasoning.team.aggregate import AGGREGATORS
from musespark.reasoning.team.team import AGGREGATES, Team


def test_a_model_alone_is_a_team_that_is_solo_only_if_it_spawns_by_itself():
    spawns = FakeModel(name="spawns", abilities=Abilities(native_spawn=True))
    plain = FakeModel(name="plain", abilities=Abilities(conversation=True))
    assert (Team.of(spawns).explorers, Team.of(spawns).solo) == ((spawns,), True)
    assert (Team.of(plain), Team.of(plain).solo) == (Team(explorers=(plain,)), False)


def test_every_named_way_to_aggregate_exists():
    assert tuple(AGGREGATORS) == AGGREGATES
