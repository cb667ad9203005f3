"""The short answer that a question plainly asks for."""

from __future__ import annotations

import re

from musespark.content import Request
from musespark.reasoning.consensus.answer_format.figures import figures_in
from musespark.reasoning.consensus.answer_format.format import AnswerFormat
from musespark.reasoning.consensus.answer_format.offered import offered

_LONGEST_QUESTION = 4_000
"""Characters of a question that is looked at: its end. A longer one brings a document, and lists in it are not its options."""
_LONGEST_FOR_A_NAME = 400

# --- what asks for more than a short answer
_TASKS = (
    r"(?:explain|describe|discuss|compare|summari[sz]e|translate|write|list|give|show|prove"
    r"|outline|suggest|recommend|imagine|draft|rewrite|tell me about)"
)
_OPEN = re.compile(
    rf"(?:^|[.!?:;,\n]\s?|\b(?:please|and|then|to|you|me)\s){_TASKS}\b(?! (?:only|just|the (?:final )?(?:answer|number|result))\b)"
    r"|\bwhy\b|\bhow (?:do|does|did|can|could|to|would|should|is|are|was)\b|\bin terms of\b|\bessay\b|\bpoem\b",
    re.IGNORECASE,
)
_AND_ANOTHER = re.compile(
    r"\b(?:and|or|but)(?: also)? (?:what|why|how|who|where|when|which)\b", re.IGNORECASE
)
_OPINION = re.compile(
    r"\b(?:should (?:i|we|one|you)|(?:would|do|could|can) you|best|better|worst|nicest|favou?rite|most beautiful|coolest|prettiest"
    r"|recommend\w*"
    r"|worth it|you think|your|you)\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"\b(?:(?:should|can|could|must|may|do|would) (?:i|we|one)\b|my\b|your\b|you\b)", re.IGNORECASE
)

# --- yes or no
_POLAR_WORDS = re.compile(r"\b(?:yes or no|yes/no|true or false|true/false)\b", re.IGNORECASE)
_POLAR_ASKED = re.compile(
    r"^(?:is|are|was|were|do|does|did|can|could|will|has|have|had|must)\b (?P<rest>[^?]{2,300})\?$",
    re.IGNORECASE,
)
_POLAR_EXTRA = re.compile(
    r"\(?(?:(?:please )?(?:answer|reply|respond)\b[^.?\n()]{0,60})?\b(?:yes or no|yes/no|true or false|true/false)\b[.?)]*",
    re.IGNORECASE,
)
_NO_POLAR = re.compile(
    r"^(?:you|i|we|my|your|there (?:any|some|a way)|it (?:that|ok|okay|safe|worth|good|bad|better|possible|normal|wise)|anyone"
    r"|anybody|someone)\b"
    r"|\bany (?:ideas?|good|tips|way|advice|suggestions?)\b|\bor\b",
    re.IGNORECASE,
)

# --- a number
_UNIT = re.compile(
    r"\bin (?:\w+ )?(?:seconds|minutes|hours|days|weeks|months|years|met(?:re|er)s|kilomet(?:re|er)s|km|miles|feet|inches|cm|mm"
    r"|litres|liters|kg|grams"
    r"|kilograms|pounds|dollars|euros|degrees|percent)\b",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"\bhow (?:many|old|far|tall|high|deep|heavy|fast|wide)\b|\b(?:what|which) (?:number|percentage|percent|fraction)\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"\bhow (?:much|long|large|big|often|thick|hot|cold)\b", re.IGNORECASE)
_PRICED = re.compile(
    r"\bhow much (?:does|do|did|is|was)\b[^?.\n]{0,80}\b(?:cost|weigh|pay|earn|owe)\b",
    re.IGNORECASE,
)
_NOT_MEASURED = re.compile(
    r"\bhow (?:much|long|deep|far|high)\b[^?.\n]{0,80}\b(?:help|matter|like|love|affect|influence|improve|hurt|enjoy|friendship"
    r"|faith|grief|trust)\b",
    re.IGNORECASE,
)
_ASKS = r"\b(?:what is|what's|what are|what was|what will be|compute|calculate|evaluate|find|solve|work out|determine|state)\b"
_QUANTITY = re.compile(
    rf"{_ASKS} (?:the )?(?:[\w-]+ ){{0,2}}?(?:number|population|area|perimeter|volume|height|length|width|depth|diameter|radius"
    rf"|circumference|mass|weight"
    r"|boiling point|melting point|freezing point|atomic number|probability|distance|square root|cube root|factorial|speed)"
    r" (?:of|that|from|between|to|in)\b(?! (?:expertise|interest|concern|study|research|life|love|work|law)\b)",
    re.IGNORECASE,
)
_OPERATION = re.compile(
    rf"(?:{_ASKS}|\bis\b)[^?\n]{{0,60}}?\b(?:sum|product|difference|quotient|total|average|mean|median|mode|range|remainder|gcd"
    rf"|lcm|value|cost|price|age"
    r"|greatest common divisor|least common multiple|probability|area|perimeter|volume|length|width|height"
    r"|speed|radius)\b",
    re.IGNORECASE,
)
_LOOSE_FIGURE = re.compile(r"(?P<before>[\w.]{0,20}) ?(?<![\w.])[$€£]?-?\d[\d.,]*(?![a-zA-Z])")
_NUMBERED_NAME = frozenset(
    "version type chapter part level phase grade section stage class war model step world".split()
)

_TERM = (
    r"-?(?:\d[\d.,]{0,40}|(?:one|two|three|four|five|six|seven|eight|nine|ten"
    r"|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred)\b(?:-\w{3,5})?)"
)
_OPERATOR = (
    r"(?:[-+*/×÷^·!]|%|(?:plus|minus|times|multiplied by|divided by|over|mod|modulo|to the power of"
    r"|squared|cubed|factorial|per ?cent of)\b)"
)
_ARITHMETIC = re.compile(
    rf"(?:{_ASKS}|\b(?:result of|answer to)\b|problem:)[^\w\n(-]{{0,4}}(?:the (?:result"
    rf"|value) of )?[( -]{{0,6}}{_TERM}[ )]{{0,6}}{_OPERATOR}",
    re.IGNORECASE,
)
_EQUATION_LEFT_OPEN = re.compile(r"[\d)] ?= ?\??$")
_EQUATION = re.compile(r"[\d)a-z] ?= ?[-\d(a-z]")
_UNKNOWN = re.compile(
    r"\b(?:solve|find|determine)\b[^?\n]{0,80}\b(?:for )?[a-z]\b|\bwhat is (?:the value of )?[a-z] ?\?",
    re.IGNORECASE,
)
_POWER_OF_UNKNOWN = re.compile(r"[a-z](?:\^|\*\*|[²³])", re.IGNORECASE)

# --- a name
_NAMED_THING = (
    r"(?:capital|name|currency|symbol|author|opposite|synonym|antonym|colou?r|language|plural|past tense|title"
    r"|president|king|queen|prime minister|continent"
    r"|formula|planet|country|city|state|river|mountain|ocean|animal|word|lake|island|desert|element|founder|inventor"
    r"|leader)"
)
_THE_NAME = re.compile(
    rf"\b(?:what|which|who)(?: is| was| are|'s) the (?:[\w-]+ ){{0,3}}?{_NAMED_THING} (?:of|in|for|on|that|which|spoken|used|with"
    rf"|to|closest|nearest)\b",
    re.IGNORECASE,
)
_WHO_DID = re.compile(
    r"\bwho (?:first )?(?:wrote|painted|won|built|made|sang|led|taught|\w{3,}ed)\b (?!and\b)\S"
    r"|\bwho (?:is|was) the (?:first|last|\d+\w\w|current|inventor|author|founder"
    r"|discoverer|king|queen|prime minister|ceo|director|composer|painter)\b [^?]{3,}",
    re.IGNORECASE,
)
_WHICH_ONE = re.compile(
    r"\b(?:what|which) (?:chemical )?(?:city|country|state|continent|planet|language|animal|colou?r|element|person|year|month|day"
    r"|province|river|mountain|ocean|lake|island|desert"
    r"|sea|metal|gas|organ|bird|fish|king|queen|president|author|artist|scientist|company)"
    r" (?:is|was|has|had|did|does|do|can|lies|borders|contains|produces|won|wrote|painted|\w{3,}ed"
    r"|\w{3,}s (?=the\b|an?\b|in\b|on\b))",
    re.IGNORECASE,
)


def answer_format(request: Request) -> AnswerFormat | None:
    """The short answer that a request asks for; None if it asks for something else, or for more than that.

    A request with a schema or with tools has a form of its own.
    """
    if request.schema is not None or request.tools:
        return None
    question = request.question[-_LONGEST_QUESTION:].replace("’", "'")
    question = "\n".join(" ".join(line.split()) for line in question.splitlines() if line.strip())
    offer = offered(question)
    if offer and (
        offer.options[0].label
        or not (_AND_ANOTHER.search(question) or re.search(r"\bwhy\b", question, re.IGNORECASE))
    ):
        return AnswerFormat("choice", offer.options, offer.question)
    if _OPEN.search(question) or _AND_ANOTHER.search(question):
        return None
    if _POLAR_WORDS.search(question):
        return AnswerFormat(
            "yes_no", question=_asking(_POLAR_EXTRA.sub("", question).strip(" :\n"))
        )
    if question.count("?") > 1:
        return None
    if _asks_for_number(question):
        return AnswerFormat("number", question=question)
    asking = _asking(question)
    polar = _POLAR_ASKED.match(asking)
    if polar and not (
        _NO_POLAR.search(re.sub(r" or not$", "", polar["rest"])) or _OPINION.search(asking)
    ):
        return AnswerFormat("yes_no", question=re.sub(r" or not\?$", "?", asking))
    if len(question) < _LONGEST_FOR_A_NAME and _asks_for_name(asking):
        return AnswerFormat("name", question=asking)
    return None


def _asking(question: str) -> str:
    """The last sentence of a question."""
    pieces = [
        piece.strip() for piece in re.split(r"(?<=[.!?:]) |\n", question) if piece.strip(" .()")
    ]
    return pieces[-1] if pieces else ""


def _asks_for_number(question: str) -> bool:
    """True if a question asks for a value that is computed, counted or measured."""
    if _ARITHMETIC.search(question) or _EQUATION_LEFT_OPEN.search(question):
        return True
    if _UNKNOWN.search(question) and _EQUATION.search(question):
        return not _POWER_OF_UNKNOWN.search(question)
    asking = _asking(question)
    has_figures = _has_figures(question)
    if _NOT_MEASURED.search(asking) or (_PERSONAL.search(asking) and not has_figures):
        return False
    if _COUNT.search(question) or _PRICED.search(question):
        return True
    if _AMOUNT.search(question):
        return has_figures or bool(_UNIT.search(question))
    return bool(_QUANTITY.search(question)) or (has_figures and bool(_OPERATION.search(question)))


def _has_figures(question: str) -> bool:
    """True if a question has a figure that is not part of a name such as "Python 3" or "version 2"."""
    for found in _LOOSE_FIGURE.finditer(question):
        before = found["before"]
        is_inside = found.start() > 0 and question[found.start() - 1] not in ".\n"
        if before.lower() not in _NUMBERED_NAME and not (before[:1].isupper() and is_inside):
            return True
    return len(figures_in(question)) > len(re.findall(r"\d+", question))


def _asks_for_name(asking: str) -> bool:
    """True if a sentence asks for one name that is a matter of fact."""
    if _OPINION.search(asking) or re.search(r"\b(?:i|my|we)\b", asking, re.IGNORECASE):
        return False
    return bool(_THE_NAME.search(asking) or _WHO_DID.search(asking) or _WHICH_ONE.search(asking))
