"""Replies that decline to answer: no answer that others could agree with."""

from __future__ import annotations

import re

_SORRY = (r"(?:(?:i['’]?m|i am|we are|we['’]?re) (?:(?:very|really|so|truly) )?(?:sorry|afraid)|sorry|my apologies|apologies|"
          r"unfortunately|"
          r"regrettably|i (?:deeply |sincerely )?apologi[sz]e(?: for (?:the|any) inconvenience)?)")
_MODEL = r"as (?:an? )?(?:ai|artificial intelligence|(?:large )?language model)(?: (?:language )?model| assistant)?"
_UNABLE = (r"(?:(?:i|we) (?:(?:really|just|simply|also) )?(?:can(?:not| not|['’]?t)|could(?: not|n['’]?t)|will not|won['’]?t|"
           r"do not|don['’]?t|am unable to|"
           r"am not able to|are unable to|am not allowed to|must decline to|must refuse to|have to decline to|decline to|"
           r"refuse to)|"
           r"(?:i['’]?m|we['’]?re) (?:unable to|not able to|not allowed to|not permitted to|not comfortable))")
_DOING = (r"(?:help|assist|answer|comply|provide|fulfil|fulfill|respond|know|share|discuss|engage|determine|continue|support|"
          r"do that|do this|have "
          r"(?:the answer|enough|access|sufficient)|solve|give|create|generate|offer|speak|comment|see|view|access|identify|say)")
_DECLINED = re.compile(rf"\W*(?:{_SORRY}[\s,.;:!—–-]*)?(?:(?:but|that|however)[\s,]+)?(?:{_MODEL}[\s,]+)?{_UNABLE}\s+(?:\w+\s+"
                       rf")?{_DOING}\b", re.IGNORECASE)
_PLAIN = re.compile(
    rf"\W*(?:{_SORRY}|(?:sorry,? )?(?:but )?i (?:don['’]?t|do not) know(?: the answer)?|no idea|not sure|i['’]?m not sure|i "
    rf"(?:refuse|decline)|"
    r"i must (?:decline|refuse)|i have no (?:answer|idea)(?: .*)?|no answer|cannot answer|can['’]?t answer|unable to answer|"
    r"refused?|"
    r"(?:es )?tut mir leid\b.*|lo siento\b.*|(?:je suis )?désolée?\b.*|mi dispiace\b.*|desculpe\b.*|извините\b.*|к "
    r"сожалению\b.*|抱歉.*|对不起.*|很抱歉.*|"
    r"申し訳.*|죄송.*)\W*", re.IGNORECASE | re.DOTALL)
LONGEST = 600
"""Characters of the longest refusal; who writes more has said something."""


def is_refusal(reply: str) -> bool:
    """True if the reply declines to answer, or says that it does not know."""
    text = " ".join(reply[:LONGEST + 1].split())
    return len(text) <= LONGEST and (_PLAIN.fullmatch(text) is not None or _DECLINED.match(text) is not None)
