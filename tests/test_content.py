import pytest

from musespark import errors
from musespark.content import MAX_QUESTION, Image, Message, Mode, Request, Text, ToolCall

PNG = b"\x89PNG\r\n\x1a\n rest"


def test_messages_compare_and_hash_by_what_they_say():
    one = Message.user("Which?", Image(PNG, "image/png"))
    other = Message.user(Text("Which?"), Image(PNG, "image/png"))
    assert one == other
    assert hash(one) == hash(other)
    assert one.text == "Which?"
    assert len(one.images) == 1


def test_tool_calls_with_equal_arguments_are_equal():
    assert ToolCall.of("1", "add", {"a": 1, "b": 2}) == ToolCall.of("1", "add", {"b": 2, "a": 1})
    assert ToolCall.of("1", "add", {"a": 1}).parsed() == {"a": 1}


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"BM..", "image/bmp"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
    ],
)
def test_the_first_bytes_tell_the_media_type(data, media_type):
    assert Image.from_bytes(data).media_type == media_type


def test_an_image_needs_an_image_file(tmp_path):
    (tmp_path / "note.txt").write_text("hello")
    (tmp_path / "empty.png").touch()
    with pytest.raises(errors.BadImage, match="not a PNG"):
        Image.from_path(tmp_path / "note.txt")
    with pytest.raises(errors.BadImage, match="empty"):
        Image.from_path(tmp_path / "empty.png")
    with pytest.raises(errors.BadImage, match="bytes"):
        Image.from_path("/dev/zero")
    for name in (tmp_path / "nowhere.png", tmp_path, "null\0character"):
        with pytest.raises(errors.MissingFile):
            Image.from_path(name)


def test_a_request_that_exists_can_be_answered():
    request = Request.of("Why?", mode="thinking")
    assert (request.mode, request.question, request.images) == (Mode.THINKING, "Why?", ())


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"question": ""}, errors.EmptyQuestion),
        ({"question": " \n"}, errors.EmptyQuestion),
        ({"question": "x" * (MAX_QUESTION + 1)}, errors.QuestionTooLong),
        ({"mode": "hasty"}, errors.UnknownMode),
        ({"threads": 0}, errors.BadOption),
        ({"threads": 10_000}, errors.BadOption),
        ({"threads": 1.5}, errors.BadOption),
        ({"seed": -1}, errors.BadOption),
        ({"max_tokens": 0}, errors.BadOption),
        ({"temperature": -0.1}, errors.BadOption),
        ({"temperature": float("nan")}, errors.BadOption),
        ({"images": [Image(PNG, "image/png")] * 17}, errors.BadOption),
    ],
)
def test_any_other_request_says_what_to_change(options, error):
    with pytest.raises(error) as caught:
        Request.of(**{"question": "Why?", **options})
    sentence = str(caught.value)
    assert isinstance(caught.value, errors.BadInput)
    assert caught.value.exit_code == 2
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 200
