"""The configuration file: what it means, and what is said about one that is wrong."""

import re
from dataclasses import fields

import pytest
from hypothesis import given, strategies as st

from musespark.config import (
    FLAGS,
    Config,
    ModelConfig,
    Roles,
    TeamConfig,
    check_config,
    config_path,
    load_config,
)
from musespark.errors import BadConfig
from musespark.models.model import Abilities
from musespark.models.registry import create_model

WHOLE = """\
[models.cheap]
model = "openai:gpt-5-mini"
effort = "low"
stop = ["END"]

[models."house-7b"]
model = "vllm:qwen3-8b"
base_url = "http://127.0.0.1:9000/v1"
key_env = "HOUSE_KEY"
timeout = 30
prices = { prompt = 0.1, written = 0.4 }

[models.house-7b.abilities]
pictures_in = true
context = 32_000

[roles]
explorer = ["cheap", "nano", "house-7b"]
judge = "anthropic:claude-opus-5"

[team]
agents = 8
first = 2
deadline = 60.5
aggregate = "judge"
"""


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """A file of the test's own, which is the one in force."""
    path = tmp_path / "config.toml"
    path.write_text("")
    monkeypatch.setenv("MUSE_CONFIG", str(path))
    return path


def test_a_whole_file(file):
    file.write_text(WHOLE)
    config = load_config()
    assert check_config() == [] and config.path == file
    assert config.models["cheap"] == ModelConfig(
        model="openai:gpt-5-mini", effort="low", stop=("END",)
    )
    assert config.models["cheap"].sampling == {"effort": "low", "stop": ("END",)}
    house = config.models["house-7b"]
    assert (house.key_env, house.prices, house.abilities) == (
        "HOUSE_KEY",
        {"prompt": 0.1, "written": 0.4},
        {"pictures_in": True, "context": 32_000},
    )
    assert config.roles == Roles(
        explorer=("cheap", "nano", "house-7b"), judge="anthropic:claude-opus-5"
    )
    assert config.team == TeamConfig(agents=8, first=2, deadline=60.5, aggregate="judge")


def test_a_model_of_this_process(file):
    file.write_text(GGUF + 'threads = 2\nslots = 4\nmmproj = "p.gguf"\ntop_k = 20\nmin_p = 0.05\n')
    assert check_config() == []
    entry = load_config().models["a"]
    assert (entry.threads, entry.slots, entry.mmproj) == (2, 4, "p.gguf")
    assert entry.local_sampling == {"top_k": 20, "min_p": 0.05} and not entry.sampling


def test_one_explorer_needs_no_list(file):
    file.write_text('[roles]\nexplorer = "nano"')
    assert load_config().roles.explorer == ("nano",)


def test_where_it_is(monkeypatch, tmp_path, file):
    assert config_path() == file
    monkeypatch.delenv("MUSE_CONFIG")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_path() == tmp_path / "musespark" / "config.toml"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config_path() == tmp_path / ".config" / "musespark" / "config.toml"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("APPDATA", str(tmp_path))
    assert config_path() == tmp_path / "musespark" / "config.toml"


def test_no_file_is_an_empty_one_unless_somebody_named_it(monkeypatch, tmp_path, file):
    file.unlink()
    with pytest.raises(BadConfig, match="MUSE_CONFIG names it"):
        load_config()
    monkeypatch.delenv("MUSE_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "none"))
    assert load_config() == Config() and check_config() == []


MODEL = '[models.a]\nmodel = "nano"\n'
GGUF = MODEL.replace("nano", "gguf:x.gguf")
WRONG = [
    ("[model.a]", 1, "model", "perhaps you mean 'models'."),
    ("models = 3", 1, "models", "write [models]"),
    ("[models]\na = 3", 2, "models.a", "write [models.a]"),
    ("[models.a]", 1, "models.a", 'add model = "provider:name"'),
    ('[models."a b"]\nmodel = "nano"', 1, "models.a b", "no spaces"),
    ("[models.a]\nmodel = 3", 2, "models.a.model", "must be a text, not 3"),
    (MODEL + 'base_ulr = "http://x"', 3, "models.a.base_ulr", "perhaps you mean 'base_url'."),
    (MODEL + 'base_url = "localhost:8000"', 3, "models.a.base_url", "begins with http"),
    (MODEL + 'base_url = "http://["', 3, "models.a.base_url", "begins with http"),
    (MODEL + 'base_url = "https:///v1"', 3, "models.a.base_url", "begins with http"),
    (MODEL + 'base_url = "http://box:eighty/v1"', 3, "models.a.base_url", "begins with http"),
    (MODEL + "colour = 1", 3, "models.a.colour", "there are model, base_url"),
    (MODEL + "timeout = -1", 3, "models.a.timeout", "greater than 0"),
    (MODEL + "temperature = 3", 3, "models.a.temperature", "from 0 to 2"),
    (MODEL + "temperature = nan", 3, "models.a.temperature", "from 0 to 2"),
    (MODEL + "temperature = true", 3, "models.a.temperature", "not True"),
    (MODEL + "top_p = 0", 3, "models.a.top_p", "greater than 0"),
    (MODEL + "max_tokens = 1.5", 3, "models.a.max_tokens", "a whole number"),
    (MODEL + 'effort = "huge"', 3, "models.a.effort", "one of none, minimal"),
    (MODEL + 'effort = ["low"]', 3, "models.a.effort", "one of none, minimal"),
    (MODEL + 'stop = "END"', 3, "models.a.stop", "a list of texts"),
    (MODEL + "threads = 2", 3, "models.a.threads", "Only models of this process (gguf:FILE)"),
    (GGUF + "threads = 0", 3, "models.a.threads", "from 1 to 1,024"),
    (GGUF + "slots = 65", 3, "models.a.slots", "from 1 to 64"),
    (GGUF + "min_p = 2", 3, "models.a.min_p", "from 0 to 1"),
    (GGUF + "frequency_penalty = 3", 3, "models.a.frequency_penalty", "from -2 to 2"),
    (GGUF + 'base_url = "http://x"', 3, "models.a.base_url", "Only models of a server take it"),
    (MODEL + "prices = 1", 3, "models.a.prices", "write [models.a.prices]"),
    (MODEL + "prices = { prompt = 1 }", 3, "models.a.prices", "give both"),
    (
        MODEL + "[models.a.prices]\nprompt = -1\nwritten = 1",
        4,
        "models.a.prices.prompt",
        "per million tokens",
    ),
    (
        MODEL + "[models.a.abilities]\npictures = true",
        4,
        "models.a.abilities.pictures",
        "perhaps you mean 'pictures_in'.",
    ),
    (MODEL + '[models.a.abilities]\ntools = "yes"', 4, "models.a.abilities.tools", "true or false"),
    ('[roles]\njugde = "nano"', 2, "roles.jugde", "perhaps you mean 'judge'."),
    ("[roles]\njudge = 1", 2, "roles.judge", "name of a model"),
    ("[roles]\nexplorer = []", 2, "roles.explorer", "a list of them"),
    (
        MODEL.replace(".a", ".cheap") + '[roles]\njudge = "chaep"',
        4,
        "roles.judge",
        "perhaps you mean 'cheap'.",
    ),
    ('[roles]\njudge = "zebra"', 2, "roles.judge", "add [models.zebra]"),
    ("[team]\nagents = 0", 2, "team.agents", "from 1 to 64"),
    ("[team]\nagents = 1_000", 2, "team.agents", "not 1000"),
    ("[team]\nfirst = 9\nagents = 8", 2, "team.first", "at most all of them"),
    ("[team]\nmax_usd = 0", 2, "team.max_usd", "greater than 0"),
    ("[team]\nmax_usd = inf", 2, "team.max_usd", "greater than 0"),
    ('[team]\naggregate = "oracle"', 2, "team.aggregate", "one of auto, vote"),
    ("[team]\nagents = ", 2, "", "This is not TOML"),
    ("[team]\nagents = 1\nagents = 2", 3, "", "This is not TOML"),
]


@pytest.mark.parametrize(("text", "line", "where", "said"), WRONG)
def test_everything_wrong_is_said_with_its_line(file, text, line, where, said):
    file.write_text(text)
    problems = check_config()
    assert [(problem.line, problem.where) for problem in problems] == [
        (line, where)
    ] and said in problems[0].sentence
    assert re.fullmatch(r"[A-Z].*[.]", problems[0].sentence)
    with pytest.raises(BadConfig) as caught:
        load_config()
    assert str(file) in str(caught.value) and str(caught.value).endswith(".")


def test_all_of_it_is_said_at_once_and_loading_tells_how_much_more(file):
    file.write_text("[team]\nagents = 0\nrounds = 99\n[rolls]\n")
    assert [problem.line for problem in check_config()] == [2, 3, 4]
    with pytest.raises(BadConfig, match="check lists 2 more"):
        load_config()


def test_a_key_where_its_variable_belongs_is_refused_and_not_repeated(file):
    file.write_text(MODEL + 'key_env = "sk-secret-value"')
    (problem,) = check_config()
    assert "never the key itself" in problem.sentence and "secret" not in str(problem)
    file.write_text(MODEL + 'api_key = "sk-secret-value"')
    assert "secret" not in str(check_config()[0]) and "key_env" in str(check_config()[0])


def test_a_file_that_cannot_be_read(file, tmp_path, monkeypatch):
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(BadConfig, match="UTF-8"):
        load_config()
    monkeypatch.setenv("MUSE_CONFIG", str(tmp_path))
    with pytest.raises(BadConfig):
        check_config()


def test_a_byte_order_mark_is_no_part_of_a_file(file, tmp_path, monkeypatch):
    path = tmp_path / "marked.toml"
    path.write_bytes(b'\xef\xbb\xbf[models.big]\r\nmodel = "vllm:big"\r\n')
    monkeypatch.setenv("MUSE_CONFIG", str(path))
    assert check_config() == [] and load_config().models["big"].model == "vllm:big"


@pytest.mark.parametrize("name", ["pictures_in", "videos_in", "one_machine", "tool_choice"])
def test_an_ability_that_a_file_puts_right_is_the_models(name, file):
    for value in (True, False):
        file.write_text(
            '[models.big]\nmodel = "google:gemini-3-pro"\n'
            f"abilities = {{ {name} = {str(value).lower()} }}\n"
        )
        assert check_config() == []
        assert getattr(create_model("big", load_config()).abilities, name) is value


def test_abilities_that_a_file_can_put_right_are_abilities():
    known = {field.name for field in fields(Abilities)}
    assert known >= {*FLAGS, "context"}


TOML_VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-10, 10**12),
        st.sampled_from(["3.5", "inf", "nan", '"x"', '"nano"', "1979-05-27"]),
    ),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


def toml(value) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


FIELDS = [
    "models",
    "models.a",
    "models.a.model",
    "models.a.prices",
    "models.a.prices.prompt",
    "models.a.stop",
    "models.a.seed",
    "models.a.abilities.tools",
    "roles",
    "roles.explorer",
    "roles.judge",
    "team",
    "team.first",
    "team.agents",
    "team.max_usd",
    "x",
]


@given(st.dictionaries(st.sampled_from(FIELDS), TOML_VALUES, max_size=4))
def test_a_file_either_has_problems_or_loads(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("any") / "config.toml"
    path.write_text("".join(f"{field} = {toml(value)}\n" for field, value in values.items()))
    if check_config(path):
        with pytest.raises(BadConfig):
            load_config(path)
    else:
        assert isinstance(load_config(path), Config)
