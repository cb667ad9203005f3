"""Bodies and paths as clients and proxies send them: compressed, with a mark at the start, with half a character, with a slash."""

import gzip
import json
import zlib

import pytest
from server.http.exchange import GOOD, PATHS, is_error, sent

from musespark.server.http.body import MAX_BYTES


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("packing", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
    ],
)
def test_a_compressed_body_is_read(served, path, packing, pack):
    raw = pack(json.dumps(GOOD[path]).encode())
    assert sent(served, path, raw, headers={"content-encoding": packing}).status_code == 200


@pytest.mark.parametrize(
    ("packing", "raw", "status"),
    [
        ("br", b"{}", 415),
        ("gzip, gzip", b"{}", 415),
        ("gzip", b"{}", 415),
        ("gzip", gzip.compress(json.dumps(GOOD[PATHS[0]]).encode())[:-12], 400),
        ("gzip", gzip.compress(b" " * (MAX_BYTES + 1)), 413),
    ],
    ids=["unknown", "twice", "plain", "broken off", "too large"],
)
def test_one_that_cannot_be_unpacked_is_refused(served, packing, raw, status):
    response = sent(served, PATHS[0], raw, headers={"content-encoding": packing})
    assert response.status_code == status and is_error(response, PATHS[0])


@pytest.mark.parametrize("path", PATHS)
def test_a_mark_before_the_body_is_no_part_of_it(served, path):
    raw = b"\xef\xbb\xbf" + json.dumps(GOOD[path]).encode()
    assert sent(served, path, raw).status_code == 200


@pytest.mark.parametrize("kind", ["application/vnd.api+json", "Application/JSON; charset=UTF-8"])
def test_every_kind_of_json_is_json(served, kind):
    path = PATHS[0]
    assert sent(served, path, GOOD[path], headers={"content-type": kind}).status_code == 200


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"a\ud83d", "a\ufffd"),
        (r"\ud83db\uDE00", "\ufffdb\ufffd"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\ud83d\ude00\ude00", "\U0001f600\ufffd"),
        (r"\\ud83d \ud83d", "\\ud83d \ufffd"),
        (r"\\\ud83d\n", "\\\ufffd\n"),
        (r"\uD7ff\u0041 \ud800", "\ud7ffA \ufffd"),
    ],
)
def test_half_a_character_is_replaced_and_everything_else_stays(served, written, read):
    raw = b'{"model": "plain", "messages": [{"role": "user", "content": "%s"}]}' % written.encode()
    assert sent(served, "/v1/chat/completions", raw).status_code == 200
    assert served.models["plain"].requests[-1].question == read


@pytest.mark.parametrize("path", PATHS)
def test_a_slash_at_the_end_of_a_path_is_no_other_page(served, path):
    assert sent(served, f"{path}/", GOOD[path], follow_redirects=False).status_code == 200
