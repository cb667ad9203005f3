"""Phrases by which replies say which part of them is the answer: "Answer: 5", "The answer is B.", "Antwort: 5", "答案：5"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from musespark.reasoning.consensus.equivalence.reading.answer import Formula
from musespark.reasoning.consensus.equivalence.reading.notation import plain
from musespark.reasoning.consensus.equivalence.reading.quantities import (
    formula,
    numbers_in,
    quantity,
)
from musespark.reasoning.consensus.equivalence.reading.reader import is_value, read
from musespark.reasoning.consensus.equivalence.reading.trees import symbols

_ENGLISH = (
    r"(?:the |my |our )?(?:final |correct |short |best )?(?:answers?|answer choice|ans\.?|correct (?:option|choice)|my "
    r"choice)(?:[ \t](?:is|are))?"
)
_FOREIGN = (
    r"(?:endgültige |finale )?antwort(?:en)?|r[ée]ponse(?: finale)?|respuesta(?: final)?|risposta(?: finale)?|"
    r"resposta(?: final)?|"
    r"antwoord|svar|vastaus|odpow(?:ied[źz])|odpov[ěe][ďd]|r[ăa]spuns|v[áa]lasz|cevap|yan[ıi]t|jawaban|đáp án|trả lời|"
    r"(?:окончательный |итоговый |правильный |верный )?ответ|відповідь|отговор|απάντηση|الجواب|الإجابة|תשובה|उत्तर|"
    r"উত্তর|คำตอบ|"
    r"(?:最终|最終|正确)?答案(?:是|为|為)?|(?:最終的な)?答え|解答|回答|正解|答|(?:최종 )?정답|답"
)
_LABEL = re.compile(
    rf"(?:^[ \t>*_#•-]*+(?:(?:thus|so|therefore|hence),? )?|(?<=[.!?;。)] )[*_]{{0,2}})(?:{_ENGLISH}|{_FOREIGN})"
    r"(?:[ \t]?[*_]{0,3}[ \t]?(?:[:：]|=(?!=)|[—–])[ \t*_]*|[ \t]-[ \t]|[ \t]+(?=[-+$€£]?\d[\d.,/]*\s*\Z))",
    re.IGNORECASE | re.MULTILINE,
)
_RESULT = re.compile(
    r"^[ \t>*_#-]*+(?:the )?(?:final )?(?:result|solution|lösung|ergebnis|resultat|solución|résultat|"
    r"resultado|risultato|wynik|результат|"
    r"结果|結果|결과)[*_]{0,3}[ \t]?[:：][ \t*_]*",
    re.IGNORECASE | re.MULTILINE,
)
_HEADING = re.compile(
    r"^[ \t>*_#-]*+(?:the )?(?:final answer|finale antwort|réponse finale|respuesta final|最终答案)[ \t*_]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SAID = re.compile(
    r"\b(?:the|my|our)[ \t]{1,3}(?:final |correct |right |best )?(?:answer|option|choice|answer choice)[ \t]{1,3}"
    r"(?:is|are|would be|must be|should be|will be)(?:[ \t](?:therefore|thus|clearly|simply|indeed|then|hence|option|"
    r"choice))?[,:]?[ \t*_]+"
    r"|\b(?:die|la|a)[ \t](?:richtige |endgültige |bonne )?(?:antwort|lösung|respuesta|solución|réponse|solution|risposta|"
    r"soluzione|resposta|solução)(?: correcta| "
    r"correcte| finale?| corretta| correta)?[ \t](?:ist|lautet|es|est|è|é)[ \t]?:?[ \t*_]+"
    r"|(?:答案|答え|回答|正解|정답은|답은)(?:是|为|為|は|應為|应为|应该是)?[ \t]?[:：]?[ \t*_]*(?=[\d\w$\\(-])"
    r"|(?:^|(?<=\n))[ \t*_>]{0,6}(?:final |correct )?answer[ \t]{1,3}is:?[ \t*_]+"
    r"|【(?:答案|解答)】[ \t]*|(?:故选|所以选|应选|应选择)[ \t]?[:：]?[ \t]*(?=[(（]?[A-J])"
    r"|\bi(?:['’]d| would|['’]ll)? (?:choose|pick|select|go with)[ \t]{1,3}(?:option |choice |answer )?[ \t*_]*(?=[(\[]?[A-J]\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?:^|(?<=[.!?:]\s)|(?<=\n))[ \t*_>-]{0,6}(?:(?:therefore|thus|so|hence),? )?(?:option |choice |answer "
    r")?(?P<answer>[(\[]?[A-J][)\]]?)[*_]{0,2}"
    r"[ \t](?:is|must be)[ \t](?:the[ \t])?(?:(?:correct|right|best|final)(?:[ \t](?:answer|option|choice))?|"
    r"answer)\b[.!]?[ \t*_]*$",
    re.IGNORECASE | re.MULTILINE,
)
_STEMS = (
    "answer|ans|go with|option|choice|choose|pick|select|correct|right|best|result|résult|risultat|solution|solución|lösung|"
    "ergebnis|wynik|результат|antwort|réponse|reponse|respuesta|risposta|resposta|antwoord|svar|vastaus|odpow|odpov|răspuns|"
    "raspuns|válasz|valasz|cevap|yanıt|yanit|jawaban|đáp án|trả lời|ответ|відповідь|отговор|απάντηση|الجواب|الإجابة|תשובה|"
    "उत्तर|উত্তর|คำตอบ|答|正解|답|故选|所以选|应选|结果|結果|결과"
).split("|")
"""Parts of words, one of which stands in each phrase of this file. To look for them is a hundred times quicker than for phrases."""
_BOUNDARY = re.compile(r"(?<=[.!?])[*_]{0,2}\s+(?=[^\s\d])|(?<=[。！？])(?=\S)")
_ABBREVIATED = re.compile(
    r"(?:\b(?:St|Mt|Mr|Mrs|Ms|Dr|Prof|Sr|Jr|Ft|vs|No|approx|ca|e\.g|i\.e|U\.S|U\.K|Inc|Ltd|Co|Gen|Sen|"
    r"Rep|Rev|Capt|Lt|Col)|"
    r"(?:^|[\s.])[A-Z])\.$"
)
_LIMITED = re.compile(
    r"(?:but|however|only|except|unless|or|and|if|provided|although)\b", re.IGNORECASE
)
_REASON = re.compile(
    r",?\s+(?:because|since|which|where|as shown|after)\b|,\s+(?:as|so|not|and not)\s",
    re.IGNORECASE,
)
_SENTENCE = 5
"""Words of a first sentence after "Answer:" that is the answer without those behind it."""

# A subject, a verb that takes an amount, and the amount; or a name with a colon.
_STATED = re.compile(
    r"(?:\w\s+(?:is|are|was|were|equals|has|have|had|be|costs?|takes?|took|needs?|weighs?|gets?|got|makes?|made|spends?|spent|"
    r"pays?|paid|"
    r"sells?|sold|buys?|bought|receives?|totals?|eats?|ate|reads?|runs?|ran|wins?|won|lost|gave|drove|walks?|left with|total "
    r"of|[a-z]{2,}ed)"
    r"(?:\s(?:them|him|her|it|us|me|you))?\s+(?:about |exactly |only |just |now |a total of |roughly |equal to )?|"
    r"^[A-Z][A-Za-z ]{1,30}:\s*)"
    r"(?P<value>[-−$€£¥]{0,2}(?:\d|\\frac|\\sqrt)[^\n]*?)"
    r"(?:[\s,]+(?:altogether|in total|in all|total|overall|left|left over|remaining|together|combined|now))*"
    r"(?:\s(?:in|on|at|for|during|from)(?:\s[a-z'’]+){1,6})?[.!\s]*$"
)
_OPEN = re.compile(
    r"\b(?:not|n't|never|least|most|than|or|between|either|if|unless|maybe|unclear|cannot|unknown|step|each|"
    r"per|every|"
    r"then|next|first|mod|times|before|after|late|early|ago)\b",
    re.IGNORECASE,
)
_MORE = re.compile(r"^(\S*\d\S*\s)(?:more|additional|extra|other)\s(?=[a-z])")
_LONGEST = 200
"""Characters of a sentence that is searched for its number."""


def last_said(text: str) -> tuple[int, str] | None:
    """Start of the last phrase that names the answer, and the answer; None if there is none."""
    lowered = text.lower()
    if not any(stem in lowered for stem in _STEMS):
        return None
    found = [
        each
        for each in (
            _last(text, _LABEL.finditer(text), False),
            _last(text, _HEADING.finditer(text), False),
            _last(text, _SAID.finditer(text), True),
            _last_named(text),
            _last_result(text),
        )
        if each is not None
    ]
    return max(found) if found else None


def _last(text: str, marks: Iterator[re.Match[str]], spoken: bool) -> tuple[int, str] | None:
    """The last mark that something stands behind: on its line, or on the next that is not empty."""
    for mark in reversed(list(marks)):
        line = text[mark.end() :].partition("\n")[0].strip() if mark.end() < len(text) else ""
        if not line and not spoken:
            line = text[mark.end() : mark.end() + 2000].strip().partition("\n")[0].strip()
            if _LABEL.match(line):
                continue
        answer = _first_sentence(line, spoken)
        if answer.strip("*_ ") and not re.match(r"not\b", answer):
            return mark.start(), answer
    return None


def _last_result(text: str) -> tuple[int, str] | None:
    """The last line that begins with "Result:", if a value stands behind it; a derivation may begin so as well."""
    found = _last(text, _RESULT.finditer(text), False)
    return found if found and len(found[1]) <= _LONGEST // 2 and is_value(read(found[1])) else None


def _last_named(text: str) -> tuple[int, str] | None:
    found = list(_NAMED.finditer(text))
    return (found[-1].start(), found[-1]["answer"]) if found else None


def _first_sentence(line: str, spoken: bool) -> str:
    """The answer without sentences that explain it. A sentence that limits it belongs to it."""
    for boundary in _BOUNDARY.finditer(line[:2000]):
        head, rest = line[: boundary.start()], line[boundary.end() :]
        if _LIMITED.match(rest) or not (
            rest[0].isupper() or not rest[0].isascii() or rest[0] in "(*"
        ):
            continue
        letter = (
            re.fullmatch(r"\W*(?:[A-J]|\d+)\.", head) is not None
        )  # J. Robert Oppenheimer, 15. März
        if (_ABBREVIATED.search(head) or letter) and not (letter and _explains(rest)):
            continue
        if spoken or len(head.split()) <= _SENTENCE:
            line = head
        break
    reason = _REASON.search(line)
    if reason and (spoken or len(line[: reason.start()].split()) <= 2):
        line = line[: reason.start()]
    line = line.strip()
    return line if line.endswith("..") else line.removesuffix(".")


def _explains(rest: str) -> bool:
    """True if what follows a letter or a number with a full stop is a sentence, and no name or month: "B. Note that"."""
    words = rest.split()
    return len(words) > 2 and words[1].islower()


def value_of_sentence(line: str) -> str | None:
    """The one number of a sentence that states it, with what it counts: "72 clips" of "The total is 72 clips, altogether."

    None if the sentence has several numbers, or leaves it open.
    """
    if len(line) > _LONGEST or _OPEN.search(line) or "=" in line:
        return None
    line = plain(line)
    found = _STATED.search(line)
    if found is None or numbers_in(line[: found.start("value")]):
        return None
    value = _MORE.sub(r"\1", found["value"])
    stated = quantity(value) or formula(value)  # "5 minutes late" says more than a quantity
    if not isinstance(stated, Formula) or symbols(stated.tree):
        return None
    return value
