"""Lines of a conversation: commands change its settings, and everything else is a question."""

import numpy as np
import pytest
from PIL import Image

from musespark.cli.chat.attachments import split_images
from musespark.cli.chat.commands import COMMANDS, Ask, Commands
from musespark.cli.chat.conversation import ChatSettings, Conversation, Exchange
from musespark.content import Message, Mode
from musespark.errors import BadImage, MissingFile, MuseError


@pytest.fixture
def told():
    return []


@pytest.fixture
def talk():
    return Conversation(ChatSettings(models=("fake:answer",)))


@pytest.fixture
def commands(talk, told):
    return Commands(talk, told.append, lambda: told.append("agents"))


@pytest.fixture
def picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "my maze.png")
    return tmp_path / "my maze.png"


def test_a_question_is_a_question(commands):
    for line in ("What is 6 * 7?", "/etc/passwd is which file?", "a /mode b", "1/2 + 1/3 = ?"):
        assert commands.read(f" {line}\n") == Ask(line)
    assert commands.read("\n") is None and not commands.over


def test_models_and_modes_are_chosen(commands, talk, told):
    commands.read("/mode contemplating")
    commands.read("/model fake:team nano")
    assert (talk.settings.mode, talk.settings.models) == (
        Mode.CONTEMPLATING,
        ("fake:team", "nano"),
    )
    commands.read("/agents 3")
    commands.read("/tools python, look")
    assert talk.settings.options == {"agents": 3, "tools": ["python", "look"]}
    commands.read("/tools none")
    assert talk.settings.options == {"agents": 3}
    commands.read("/model")
    commands.read("/agents")
    assert told[-1] == "agents" and "ollama:NAME" in told[-2]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/mode thinkin", "'thinking'"),
        ("/model nanoo", "'nano'"),
        ("/tools pyton", "'python'"),
        ("/agents many", "1 to 64"),
        ("/agents 65", "1 to 64"),
        ("/modl nano", "'/model'"),
        ("/save", "the name of a file"),
        ("/retry", "empty"),
    ],
)
def test_a_mistake_is_one_sentence_and_changes_nothing(commands, talk, line, hint):
    before = talk.settings
    with pytest.raises(MuseError, match=hint):
        commands.read(line)
    assert talk.settings == before


def test_images_by_command_and_by_path(commands, picture, told):
    assert commands.read(f"/image {picture}") is None and told == [
        "With the next question: my maze.png."
    ]
    asked = commands.read(f"'{picture}' Which moves?")
    assert asked.question == "Which moves?" and len(asked.images) == 2
    assert commands.read("Again?").images == ()
    assert commands.read(str(picture).replace(" ", "\\ ")) is None  # dragged alone
    assert len(commands.read("Which moves?").images) == 1
    with pytest.raises(MissingFile):
        commands.read("/image nowhere.png")
    (picture.parent / "text.png").write_text("hello")
    with pytest.raises(BadImage):
        commands.read("text.png ?")


def test_paths_are_found_in_every_form(picture):
    Image.new("RGB", (2, 2)).save("b.JPG")
    forms = (
        f"'{picture}'",
        f'"{picture}"',
        str(picture).replace(" ", "\\ "),
        picture.as_uri(),
    )
    for form in forms:
        assert split_images(f"{form} what is it?") == ("what is it?", [picture])
        assert split_images(f"what is it? {form} ") == ("what is it?", [picture])
    text, paths = split_images(f"compare b.JPG with '{picture}', please")
    assert (text, len(paths)) == ("compare b.JPG with my maze.png, please", 2)
    assert split_images("nowhere.png and don't \x00.png") == (
        "nowhere.png and don't \x00.png",
        [],
    )


def test_a_conversation_is_saved_and_no_other_file_overwritten(commands, talk, tmp_path, told):
    talk.exchanges.append(Exchange(Message.user("Six times seven?"), "42", "fake"))
    commands.read(f"/save {tmp_path / 'talk.md'}")
    commands.read(f"/save {tmp_path / 'talk.md'}")  # its own file
    assert "Six times seven?" in (tmp_path / "talk.md").read_text("utf-8")
    (tmp_path / "other").write_text("mine")
    for name in ("other", "no/such/place", "."):
        with pytest.raises(MuseError):
            commands.read(f"/save {tmp_path / name}")
    assert (tmp_path / "other").read_text() == "mine"


def test_the_rest(commands, talk, told):
    talk.exchanges.append(Exchange(Message.user("?"), "!", "fake"))
    commands.read("/clear")
    assert talk.exchanges == []
    commands.read("/help")
    assert all(name in told[-1] for name in COMMANDS)
    assert commands.read("/exit") is None and commands.over
