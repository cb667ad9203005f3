"""Chunks that differ in nothing but their text are read in one go, and say the same as if each had been parsed."""

import asyncio
import json

from hypothesis import given, strategies as st

from musespark.models.model import TextDelta, ThinkingDelta
from musespark.models.providers.adapter.chat_fastpath import PlainReply, _text_alone
from musespark.models.providers.adapter.chunk_template import Frame

HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
TEXTS = st.text(max_size=6) | st.sampled_from(
    ['"', "\\", "\n", "\t", 'a","b', "\\u0041", "{}", '"},"x', "<think>", "</think>", "<", " ", "é", "\U0001f600", "\ud83d",
     "another text", "content", "chatcmpl-1", "index"])


def chunk(text, ascii=True, tight=True, **more):
    value = {**HEAD, "choices": [{"index": 0, "delta": {"content": text, **more}, "finish_reason": None}]}
    return json.dumps(value, ensure_ascii=ascii, separators=(",", ":") if tight else None)


CHUNKS = st.builds(lambda text: chunk(text, ascii=False), TEXTS) | st.builds(chunk, TEXTS) | st.builds(
    lambda text: chunk(text, tight=False, role="assistant"), TEXTS) | st.sampled_from([
        '{"choices":[{"index":0,"delta":{"content":"a","reasoning_content":"b"},"finish_reason":null}]}',
        '{"choices":[{"index":0,"delta":{"content":"a","content":"b"},"finish_reason":null}]}',
        '{"content":"no","choices":[{"index":0,"delta":{"content":"\\u0061"},"finish_reason":null}]}',
        '{"choices":[{"index":0,"delta":{"content":"a","tool_calls":[]},"finish_reason":null}]}', "{}", "no JSON"])


async def heard(body, cuts, frames):
    """The pieces, texts of one kind as one, and how it ended."""

    async def received():
        for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
            yield body[start:end]

    found = []
    chat_fastpath.FRAMES, before = frames, chat_fastpath.FRAMES
    reply = PlainReply(received(), "m", "here", "openai", {})
    try:
        async for piece in reply:
            if found and type(found[-1]) is type(piece):
                piece = type(piece)(found.pop().text + piece.text)
            found.append(piece)
    except Exception as error:  # whatever is no reply is none either way
        return found, type(error)
    finally:
        chat_fastpath.FRAMES = before
    return found, [(type(part), part.content) for part in reply.get().parts]


@given(chunks=st.lists(CHUNKS, max_size=12), data=st.data(), done=st.booleans())
def test_it_says_the_same_as_parsing_each(chunks, data, done):
    end = [json.dumps({**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}), "[DONE]"] if done else []
    body = "".join(f"data: {each}\n\n" for each in [*chunks, *end]).encode("utf-8", "surrogatepass")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    assert asyncio.run(heard(body, cuts, 16)) == asyncio.run(heard(body, cuts, 0))


def test_many_chunks_are_read_in_one_go():
    words = [f"wörd{number} \n" for number in range(100)]
    events = "".join(f"data: {chunk(word, ascii=False)}\n\n" for word in words).encode()
    frame = Frame.around("wörd0 \n", events[6:events.index(b"\n\n")], _text_alone)
    assert frame.texts(events, 0) == ("".join(words), len(events))
    assert frame.texts(events + b"data: [DONE]\n\n", 0)[1] == len(events)
    assert frame.texts(events[:-1], 0)[0].endswith("wörd98 \n")  # the last is not whole yet
    assert frame.texts(b"data: [DONE]\n\n", 0) is None


def test_what_is_more_than_a_text_has_no_frame():
    twice = '{"choices":[{"index":0,"delta":{"content":"a","content":"a"},"finish_reason":null}]}'
    assert Frame.around("a", twice.encode(), _text_alone) is None
    assert Frame.around("b", chunk("a").encode(), _text_alone) is None
    assert Frame.around("index", chunk("index").encode(), _text_alone) is None  # it stands there before, as a name


def test_a_reply_of_ever_other_chunks_is_not_looked_into_for_ever(monkeypatch):
    looked = []
    monkeypatch.setattr(Frame, "around", classmethod(lambda *args: looked.append(args)))
    body = "".join(f"data: {chunk(str(number))}\n\n" for number in range(50)).encode()
    asyncio.run(heard(body, [], 16))
    assert len(looked) == 16


def test_a_thought_between_tags_goes_on():
    pieces = ["<think>", "a", "b", "c", "</think>", "d", "e", "f"]
    body = "".join(f"data: {chunk(piece)}\n\n" for piece in pieces).encode()
    found, _ = asyncio.run(heard(body, [], 16))
    assert found == [ThinkingDelta("abc"), TextDelta("def")]


def test_what_only_together_would_be_a_text_is_none():
    whole = chunk("a").encode()
    frame = Frame.around("a", whole, _text_alone)
    broken = b"".join(b"data: %s\n\n" % whole.replace(b'"a"', b'"%s"' % written) for written in (b"x\\", b'"y'))
    assert frame.texts(broken, 0) is None
