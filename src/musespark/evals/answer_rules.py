r"""Rules of other programs for equal answers, to compare with ours on the same pairs.

Each is the comparison alone, applied to the answers found in the replies, so extraction does not count; math-verify finds formulas
in its input by itself. A rule that is not symmetric counts as "same" if it says so in either order.
"""

from __future__ import annotations

import re
import string
from collections.abc import Awaitable, Callable, Mapping
from importlib.util import find_spec

from musespark.content import Request
from musespark.evals.answer_pairs import Pair
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence import answer_in, equivalence_for
from musespark.reasoning.consensus.equivalence.exact import normalised

Rule = Callable[[Pair], Awaitable[bool]]


def _answers(pair: Pair) -> tuple[str, str]:
    return answer_in(pair.left), answer_in(pair.right)


async def ours(pair: Pair) -> bool:
    """The rule of this package, as a team uses it."""
    left, right = (
        Attempt(agent=name, model="", text=reply, answer=answer_in(reply))
        for name, reply in (("1", pair.left), ("2", pair.right))
    )
    return await equivalence_for(Request.of(pair.question)).same(left, right)


async def text(pair: Pair) -> bool:
    """Equal text, but for case, spaces and quotation marks."""
    left, right = _answers(pair)
    return normalised(left) == normalised(right)


async def math_verify(pair: Pair) -> bool:
    """math-verify 0.9, each answer as it is and as TeX (Hugging Face, Apache-2.0), with its own limits of five seconds."""
    from math_verify import parse, verify

    read = [parse(f"${answer.strip('$')}$") or parse(answer) for answer in _answers(pair)]
    return bool(verify(*read) or verify(*reversed(read)))


async def lm_eval(pair: Pair) -> bool:
    """lm-evaluation-harness 0.4.13, `tasks/hendrycks_math/utils.py`: `is_equiv` (EleutherAI, MIT)."""
    left, right = _answers(pair)
    try:
        return _stripped(left) == _stripped(right)
    except (AssertionError, IndexError):
        return left == right


async def lm_eval_gsm(pair: Pair) -> bool:
    """lm-evaluation-harness 0.4.13, `tasks/gsm8k/gsm8k.yaml`: the last number, without commas, dollar signs and full stop."""
    found = [re.findall(r"(-?[$0-9.,]{2,})|(-?[0-9]+)", answer) for answer in _answers(pair)]
    last = ["".join(each[-1]) if each else "[invalid]" for each in found]
    left, right = (re.sub(r",|\$|(?s:.*#### )|\.$", "", each).lower() for each in last)
    return left == right != "[invalid]"


async def inspect(pair: Pair) -> bool:
    """inspect-ai 0.3.285, `scorer/_common.py`: `match_str` with location="exact" and numeric=True (UK AISI, MIT)."""
    left, right = _answers(pair)
    return _matches(left, right) or _matches(right, left)


def _matches(value: str, target: str) -> bool:
    value, target = (
        value.strip().casefold(),
        re.sub(r"[$,£€*_]", "", re.sub(r"\\([$,£€*_])", r"\1", target.strip().casefold())),
    )
    if (number := _number(target)) is None:
        around = string.whitespace + string.punctuation
        return value.strip(around) == target.strip(around)
    found = _number(re.sub(r"[$,£€*_]", "", re.sub(r"\\([$,£€*_])", r"\1", value)))
    return found is not None and format(found, ".5g") == format(number, ".5g")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _stripped(text: str) -> str:
    """`strip_string` of the MATH data set (Hendrycks et al., 2021), as lm-evaluation-harness has it."""
    for old, new in (
        ("\n", ""),
        (r"\!", ""),
        (r"\\", "\\"),
        ("tfrac", "frac"),
        ("dfrac", "frac"),
        (r"\left", ""),
        (r"\right", ""),
        (r"^{\circ}", ""),
        (r"^\circ", ""),
        (r"\$", ""),
    ):
        text = text.replace(old, new)
    if r"\text{ " in text:
        parts = text.split(r"\text{ ")
        assert len(parts) == 2
        text = parts[0]
    text = text.replace(r"\%", "").replace(" .", " 0.").replace("{.", "{0.")
    if not text:
        return text
    text = f"0{text}" if text[0] == "." else text
    sides = text.split("=")
    if len(sides) == 2 and len(sides[0]) <= 2:
        text = sides[1]
    text = re.sub(r"\\sqrt([^{])", r"\\sqrt{\1}", text).replace(" ", "")
    text = _braced_fractions(text)
    text = r"\frac{1}{2}" if text == "0.5" else text
    whole = re.fullmatch(r"(-?\d+)/(-?\d+)", text)
    return rf"\frac{{{int(whole[1])}}}{{{int(whole[2])}}}" if whole else text


def _braced_fractions(text: str) -> str:
    head, *parts = text.split(r"\frac")
    for part in parts:
        head += r"\frac"
        if part[0] == "{":
            head += part
            continue
        if len(part) < 2:
            return text
        below, rest = (f"{{{part[1]}}}", part[2:]) if part[1] != "{" else (part[1], part[2:])
        head += f"{{{part[0]}}}{below}{rest}"
    return head


def rules() -> Mapping[str, Rule]:
    """All rules by name, ours first; math-verify where it is installed."""
    found: dict[str, Rule] = {"musespark": ours, "equal text": text}
    if find_spec("math_verify"):
        found["math-verify"] = math_verify
    return found | {"lm-eval, MATH": lm_eval, "lm-eval, GSM8K": lm_eval_gsm, "inspect-ai": inspect}
