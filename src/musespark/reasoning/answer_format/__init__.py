"""Short answers: the form a question asks for, the answer of that form in a reply, and replies that give none."""

from musespark.reasoning.answer_format.format import AnswerFormat, Kind
from musespark.reasoning.answer_format.offered import MOST_OPTIONS, Option
from musespark.reasoning.answer_format.question import answer_format
from musespark.reasoning.answer_format.refusal import is_refusal

__all__ = ["MOST_OPTIONS", "AnswerFormat", "Kind", "Option", "answer_format", "is_refusal"]
