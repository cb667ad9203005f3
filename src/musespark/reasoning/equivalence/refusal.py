"""Replies that decline to answer: no answer that others could agree with."""

from __future__ import annotations

import re

_DECLINED = re.compile(
    r"^\W*(?:(?:i['’]?m|i am|we are|we['’]?re) (?:very |really |so |truly )?(?:sorry|afraid)\b|(?:sorry|apologies|unfortunately|regrettably|my apologies)\b|"
    r"i apologi[sz]e\b|as an ai\b|as a (?:large )?language model\b)?[\s,.;:!—–-]*(?:but |that |however,? |for (?:the|any) inconvenience,? (?:but )?)?"
    r"(?:as an ai(?: language model| assistant| model)?,? |as a (?:large )?language model,? )?"
    r"(?:i|we) (?:(?:really |just |simply )?(?:can(?:not|['’]t| not)|could(?: not|n['’]t)|won['’]t|will not|do not|don['’]t|am not|are not|must)|"
    r"(?:['’]m|am|are|['’]re) (?:unable|not able)|have to|must)\b[^.!?\n]*\b"
    r"(?:help|assist|answer|comply|provide|fulfil?l|respond|know|share|discuss|decline|refuse|engage|able to|complete|do that|determine|continue|support)\b",
    re.IGNORECASE)
_PLAIN = re.compile(r"^\W*(?:i['’]?m (?:very |so )?sorry|sorry|i don['’]?t know|i do not know|no idea|not sure|i['’]?m not sure|i refuse|i decline|i must decline|"
                    r"i have no (?:answer|idea)|no answer|n/?a|unknown answer|cannot answer|can['’]t answer|unable to answer|refused?|"
                    r"(?:es )?tut mir leid.*|lo siento.*|je suis désolée?.*|désolée?.*|mi dispiace.*|desculpe.*|извините.*|抱歉.*|对不起.*|申し訳.*|죄송.*)\W*$",
                    re.IGNORECASE | re.DOTALL)
LONGEST = 600
"""Characters of the longest refusal; who writes more has said something."""


def is_refusal(reply: str) -> bool:
    """Whether the reply declines to answer, or says that it does not know."""
    text = " ".join(reply[:LONGEST + 1].split())
    return len(text) <= LONGEST and (_PLAIN.match(text) is not None or _DECLINED.match(text) is not None)
