import pytest

from musespark.errors import UnknownModel
from musespark.models.fake import FakeModel
from musespark.models.registry import MODELS, model_named


def test_a_name_gives_a_model_and_its_argument():
    assert model_named("fake").name == "fake"
    assert isinstance(model_named("fake:hang"), FakeModel)


def test_each_call_gives_a_new_model():
    assert model_named("fake") is not model_named("fake")


@pytest.mark.parametrize("name", ["", "oracle", "Fake", "oracle:1"])
def test_an_unknown_name_lists_the_known(name):
    with pytest.raises(UnknownModel) as caught:
        model_named(name)
    assert all(known in str(caught.value) for known in MODELS)
