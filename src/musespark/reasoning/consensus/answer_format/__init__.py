"""Short answers: the format that a question asks for, and the answer of that format in a reply.

question.py   the format of a question's answer
format.py     `AnswerFormat`: finds the answer of this format in a reply, or guesses it
figures.py, choice.py, polar.py, named.py   the search for a number, an option, yes or no, a name
offered.py    the options that a question offers
prose.py      sentences and clauses, made plain
"""

from musespark.reasoning.consensus.answer_format.format import AnswerFormat, Kind
from musespark.reasoning.consensus.answer_format.offered import MOST_OPTIONS, Option
from musespark.reasoning.consensus.answer_format.question import answer_format

__all__ = ["MOST_OPTIONS", "AnswerFormat", "Kind", "Option", "answer_format"]
