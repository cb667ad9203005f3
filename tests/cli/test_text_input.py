"""Text from files and pipes, in whatever encoding it comes."""

import pytest
from hypothesis import given, strategies as st

from musespark.cli.commands.ask_options import question_of
from musespark.cli.text_input import decode_text


@given(st.text())
def test_utf_8_stays_as_it_is(text):
    assert decode_text(text.encode()) == text.removeprefix("\ufeff")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252", "utf-8"])
def test_a_text_is_read_in_the_encoding_it_came_in(encoding):
    assert decode_text("größer als 5 €?".encode(encoding)) == "größer als 5 €?"


def test_one_bad_byte_spoils_no_other_character():
    assert decode_text("größe".encode() + b"\xff") == "größe\N{REPLACEMENT CHARACTER}"


def test_an_argument_that_is_no_unicode_can_be_sent():
    argument = b"gr\xf6\xdfe".decode("utf-8", "surrogateescape")
    assert question_of(argument) == "größe" and question_of("größe 👩") == "größe 👩"
    assert question_of("a\ud83d").encode() == b"a?"
