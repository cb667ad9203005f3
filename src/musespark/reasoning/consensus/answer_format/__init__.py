"""Short answers: the form that a question asks for, and the answer of that form in a reply."""

from musespark.reasoning.consensus.answer_format.format import AnswerFormat, Kind
from musespark.reasoning.consensus.answer_format.offered import MOST_OPTIONS, Option
from musespark.reasoning.consensus.answer_format.question import answer_format

__all__ = ["MOST_OPTIONS", "AnswerFormat", "Kind", "Option", "answer_format"]
