"""Replies that give no answer: they decline, or say that it cannot be known."""

from __future__ import annotations

import re

_LONGEST = 600
"""Characters of the longest reply that can be a refusal: a longer one says something else besides."""

# Polite words before a refusal. Alone they are none: "Sorry to hear that."
_LEAD = re.compile(
    r"""
    (?: well | h+m+ | u+[hm]+ | oh | ah | no(?=,) | unfortunately | regrettably | sadly | honestly | frankly | to\ be\ honest
      | (?:i'm|i\ am)\ (?:(?:very|so|really|terribly)\ )?(?:sorry|afraid)(?:\ (?:but|that)\b)?
      | (?:my\ )?(?:sorry|apologies)(?:\ (?:but|that)\b)?
      | i\ apologi[sz]e(?:\ for\ [^,.;\n]{1,60})?(?:\ but\b)?
      | as\ an?\ [^,.;\n]{0,30}\b(?:ai|model|assistant)\b
      | (?:i'm|i\ am)\ (?:just\ |only\ )?an?\ (?:\w+\ ){0,3}(?:ai|model|assistant|chatbot|program)\b
      | but | and | so
    )\b [\ ,.;:!—–-]*+""",
    re.VERBOSE,
)

_MANNER = r"(?:(?:really|just|simply|honestly|still|also|currently|truly|therefore)\ )?"
_NO_MORE = (
    r"(?=\W*(?:$|[.,;:!?\n—–]"
    r"|\b(?:how|what|which|who|where|when|why|if|whether|for|from|with|the|that|this|it|your|exactly|and|but|or|as|to)\b))"
)
_REFUSAL = re.compile(
    rf"""
    # "I cannot answer that."
    (?:(?:i|we)\ )? {_MANNER}
    (?: cannot | can't | can\ not | could\ not | couldn't | won't | will\ not | am\ (?:unable|not\ able)\ to | 'm\ (?:unable
      |not\ able)\ to
      | are\ (?:unable|not\ able)\ to | (?:would|'d)\ rather\ not | prefer\ not\ to | decline\ to | must\ decline\ to
        | have\ to\ decline )\ {_MANNER}
    (?: (?:answer|determine|count|comply|assist|calculate|compute|solve|decide|guess|respond|identify|verify|confirm|comment
      |discuss|know
          |be\ (?:sure|certain)|work\ (?:it|that|this)\ out|do\ (?:so|that|this|it)|tell\ you|tell|say|help\ you
            |help)\b(?!\ (?:but|\w+ing\b)) {_NO_MORE}
      | (?:provide|give|find|offer|share|reveal|access|see)\ (?:you\ (?:with\ )?)?(?:an?|the|any|that|this|it|such)\b )
    # "I don't know."
  | (?:i|we)\ {_MANNER}(?:do\ not|don't)\ {_MANNER}know\b(?!\ (?:about\ you|anyone|anybody|anything\ better)) {_NO_MORE}
  | (?:i|we)\ {_MANNER}(?:do\ not|don't)\ have\ (?:that|this|the|any|enough|sufficient|an|access|such)\b
  | (?:i|we)\ {_MANNER}have\ (?:absolutely\ )?no\ (?:idea|clue|way\ (?:to|of)|information|data|answer|access)\b
  | (?:i'm|i\ am|we're|we\ are)\ {_MANNER}(?:not\ (?:\w+\ )?(?:sure|certain)|unsure|uncertain)\b
  | (?:i'm|i\ am|we're|we\ are)\ {_MANNER}(?:unable|not\ able)\ to\ \w+
  | (?:i'd|we'd)\ rather\ not\b | i\ (?:must\ |have\ to\ )?decline\b
  | (?:i|we)\ lack\b
  | (?:nobody|no\ one)\ (?:knows|can\ (?:know|say|tell))\b
    # "It cannot be determined."
  | (?:(?:it|this|that|the|your)\b[^.,;!?\n]{{0,60}}\ )?(?:cannot|can't|can\ not|could\ not|couldn't)\ be\ (?:\w+ly\ )?
        (?:answered|determined|known|said|told|computed|calculated|found|established|inferred|deduced|decided|solved)\b
  | (?:it|this|that)(?:'s|\ is)\ (?:impossible|not\ possible)\ (?:for\ me\ )?to\ (?:say|tell|know|answer|determine|calculate
    |compute|decide|count|give)\b
  | (?:impossible|not\ possible)\ to\ (?:say|tell|know|answer|determine)\b
  | (?:the\ (?:answer|number|value|result)|it|this|that)\ (?:is|remains)\ (?:unknown|not\ known|unclear|undetermined
    |indeterminate)(?=\W*(?:$|[.,;!?\n]))
  | (?:that|this|the|such)\ (?:information|data|answer)\ (?:is|are)\ (?:not\ available|unavailable|not\ known|missing)\b
    # "Not enough information."
  | (?:there(?:'s|\ is|\ are)\ )?(?:not\ enough|insufficient|too\ little)\ (?:information|data|context|details?|evidence)\b
  | (?:the\ )?(?:information|data|details)\ (?:given\ |provided\ )?(?:is|are)\ (?:insufficient|not\ enough|not\ sufficient)\b
  | there(?:'s|\ is)\ no\ (?:way\ (?:to|of)\ (?:know|tell|say|determin|answer|find)\w*
        |(?:(?:definite|definitive|single|clear|one|simple|known)\ )?(?:correct\ |right\ )?answer\b|information\b|data\b)
  | (?:no\ (?:idea|clue|answer|information|comment)|unknown|undetermined|unanswerable|n/?a)(?=\W*(?:$|[.;!?\n]))
    """,
    re.VERBOSE,
)
_ELSEWHERE = re.compile(
    r"\W*(?:es tut mir leid\b.*|tut mir leid\b.*|lo siento\b.*|(?:je suis )?désolée?\b.*|mi dispiace\b.*|desculpe\b.*|"
    r"извините\b.*|к сожалению\b.*|抱歉.*|对不起.*|很抱歉.*|申し訳.*|죄송.*)\W*",
    re.DOTALL,
)
"""Refusals in other languages begin with an apology as a rule."""
_ANSWERS_ALL_THE_SAME = re.compile(
    r"""
    \b(?: probably | likely | maybe | perhaps | my\ (?:best\ )?(?:guess|estimate) | if\ i\ had\ to | roughly | approximately
        | i(?:'d|\ would)?\ (?:think|believe|guess|suspect|say|estimate|assume)
        | (?:but|however|yet|still),?\ (?:it|the|they|that|this|there|he|she|\d)\b(?!\ (?:depends|is\ (?:im|not\ )possible))
    )""",
    re.VERBOSE,
)
_FIGURE_ALONE = re.compile(
    r"(?:^|[.;:!?\n])\s?(?:\w+\s){0,2}-?\d[\d.,%]*(?:\s\w+){0,2}\s?(?:[.!?\n]|$)"
)


def is_refusal(reply: str) -> bool:
    """True if a reply says that it gives no answer, and gives none after that."""
    if len(reply) > 20 * _LONGEST:
        return False
    text = " ".join(reply.split()).lower().replace("’", "'").strip(" *_`\"'()[]")
    if not text or len(text) > _LONGEST:
        return False
    if _ELSEWHERE.fullmatch(text):
        return True
    start = 0
    while lead := _LEAD.match(text, start):
        start = lead.end()
    bare = text[start:]
    if not bare.strip(" .!"):
        return "sorry" in text or "apolog" in text or "afraid" in text
    said = _REFUSAL.match(bare) or _REFUSAL.match(text)
    if said is None:
        return False
    rest = (bare if _REFUSAL.match(bare) else text)[said.end() :]
    is_praise = " enough" in rest[:60] and "information" not in rest
    return not (is_praise or _ANSWERS_ALL_THE_SAME.search(rest) or _FIGURE_ALONE.search(rest))
