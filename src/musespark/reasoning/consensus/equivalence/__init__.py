"""The kinds of sameness of two answers: one small file each. A new kind is one more file and a line in `EQUIVALENCES`.

protocols.py        the protocol `Equivalence`, and what some kinds can do beside it
automatic.py        chooses by the answers: values, Python values, prose, words
exact.py, numeric.py, mathematics.py, json_values.py, literals.py, calls.py, behaviour.py, judged.py   one kind each
comparison.py       compares answers that were read as values; structures.py compares formulas as trees;
                    intervals.py and refutation.py serve it
prover.py           SymPy in processes of its own, `prover_process.py`
reading/            an answer's text becomes a typed value
extraction.py       the answer that a reply marks; phrases.py and json_field.py find it in sentences and JSON
refusal.py          replies that give no answer
values.py           JSON values as hashable keys
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from musespark.content import Request
from musespark.errors import BadOption
from musespark.reasoning.consensus.equivalence.extraction import answer_in, marked_answer
from musespark.reasoning.consensus.equivalence.judged import Judge
from musespark.reasoning.consensus.equivalence.protocols import Equivalence, Limited, blank

EQUIVALENCES = {
    "exact": "musespark.reasoning.consensus.equivalence.exact:Exact",
    "numeric": "musespark.reasoning.consensus.equivalence.numeric:Numeric",
    "mathematics": "musespark.reasoning.consensus.equivalence.mathematics:Mathematics",
    "json": "musespark.reasoning.consensus.equivalence.json_values:JsonValues",
    "literal": "musespark.reasoning.consensus.equivalence.literals:Literals",
    "calls": "musespark.reasoning.consensus.equivalence.calls:Calls",
    "behaviour": "musespark.reasoning.consensus.equivalence.behaviour:Behaviour",
    "judged": "musespark.reasoning.consensus.equivalence.judged:JudgedEquivalence",
    "automatic": "musespark.reasoning.consensus.equivalence.automatic:Automatic",
}

__all__ = [
    "EQUIVALENCES",
    "Equivalence",
    "Judge",
    "Limited",
    "answer_in",
    "blank",
    "equivalence_for",
    "equivalence_named",
    "marked_answer",
]


def equivalence_named(name: str, *arguments: Any) -> Equivalence:
    """A new equivalence of that kind; what it needs to know (a runner, a judge) follows. Raises `BadOption`."""
    if name not in EQUIVALENCES:
        raise BadOption.choice("equivalence", name, EQUIVALENCES)
    module, _, attribute = EQUIVALENCES[name].partition(":")
    equivalence: Equivalence = getattr(import_module(module), attribute)(*arguments)
    return equivalence


def equivalence_for(request: Request, judge: Judge | None = None) -> Equivalence:
    """The equivalence that fits what is known of a request: its schema, its tools, else its question and the answers.

    The judge is asked about answers in prose alone.
    """
    if request.schema is not None:
        return equivalence_named("json")
    automatic = equivalence_named(
        "automatic", judge, equivalence_named("mathematics", None, request.question)
    )
    return equivalence_named("calls", automatic) if request.tools else automatic
