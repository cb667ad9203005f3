r"""One notation for an answer: TeX layout, Unicode signs and emphasis are set aside, what they say is kept.

The result still has TeX commands (`\frac{1}{2}`, `\sqrt{2}`); `syntax` reads them beside plain text.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 400
"""Characters of the longest answer that is read as a value; a longer one is words."""

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ", "0123456789+-()ni", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₙᵢ", "0123456789+-ni", strict=True))
_SIGNS = {
    "−": "-",
    "﹣": "-",
    "－": "-",
    "‐": "-",
    "×": r"\times ",
    "·": r"\cdot ",
    "⋅": r"\cdot ",
    "∙": r"\cdot ",
    "•": r"\cdot ",
    "÷": r"\div ",
    "√": r"\sqrt ",
    "∛": r"\cbrt ",
    "∞": r"\infty ",
    "≤": r"\le ",
    "≥": r"\ge ",
    "⩽": r"\le ",
    "⩾": r"\ge ",
    "≠": r"\ne ",
    "≈": r"\approx ",
    "≅": r"\approx ",
    "≡": r"\equiv ",
    "∪": r"\cup ",
    "∩": r"\cap ",
    "∈": r"\in ",
    "∉": r"\notin ",
    "±": r"\pm ",
    "∓": r"\mp ",
    "°": r"\degree ",
    "º": r"\degree ",
    "′": "'",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "…": r"\ldots ",
    "∅": r"\emptyset ",
    "ℝ": r"\R ",
    "ℤ": r"\Z ",
    "ℕ": r"\N ",
    "ℚ": r"\Q ",
    "ℂ": r"\C ",
    "⁄": "/",
    "∕": "/",
    "∧": r"\land ",
    "∨": r"\lor ",
    "ℯ": "e",
    "∖": r"\setminus ",
    "⌊": r"\lfloor ",
    "⌋": r"\rfloor ",
    "⌈": r"\lceil ",
    "⌉": r"\rceil ",
    "→": r"\to ",
    "，": ", ",
    "、": ", ",
    "；": "; ",
    "：": ":",
    "。": ".",
    "．": ".",
    "（": "(",
    "）": ")",
    "％": "%",
    "㎏": "kg",
    "㎝": "cm",
    "㎞": "km",
    "㎜": "mm",
    "㎡": "m^2",
    "µ": "µ",
    "ϕ": r"\phi ",
    "ℓ": "l",
    "Ω": "Ω",
}
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma "
    "tau upsilon phi chi psi omega"
)
_VULGAR = re.compile(r"(\d+)⁄(\d+)")
_RAISED = re.compile(f"[{''.join(_SUPERSCRIPTS)}]+")
_LOWERED = re.compile(f"[{''.join(_SUBSCRIPTS)}]+")
_LAYOUT = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|limits|nolimits|(?:big|Big|bigg|Bigg)[lrm]?)(?![a-zA-Z])\.?"
    r"|\\phantom\{[^{}]*\}"
)
_SPACING = re.compile(r"(?<!\\)\\(?:[,;:>]|quad\b|qquad\b|enspace\b|thinspace\b| )|~|\\\n")
_WORDED = re.compile(
    r"\\(?:text|textbf|textit|textrm|textsf|texttt|mathrm|mathbf|mathit|mathsf|mathtt|mbox|hbox|operatorname\*?|"
    r"emph|bf|rm|boldsymbol|bm|unit|mathcal)\s*\{([^{}]*)\}"
)
_BLACKBOARD = re.compile(r"\\(?:mathbb|Bbb)\s*\{?\s*([RZNQC])\s*\}?")
_DEGREE = re.compile(r"\^\s*\{?\s*\\circ\s*\}?|\\textdegree\b|\\degrees?\b")
_PAIRED = re.compile(r"(?<![\\$])\$(?!\s)([^$]*?[^$\s\\])\$(?!\$)")
_DOUBLED = re.compile(r"\$\$([^$]+)\$\$")
_AROUND = (("**", "**"), ("__", "__"), ("`", "`"), (r"\(", r"\)"), (r"\[", r"\]"))
_SPACE = re.compile(r"[\s ]+")
_FRACTION = re.compile(r"\\[dtc]frac(?![a-z])")
_SHORT_FRACTION = re.compile(r"\\frac\s*(\d)\s*(\d)")
_SPOKEN = (
    (re.compile(r"^(\d[\d,.]*|[a-z]) squared$", re.IGNORECASE), r"\1^2"),
    (re.compile(r"^(\d[\d,.]*|[a-z]) cubed$", re.IGNORECASE), r"\1^3"),
    (
        re.compile(
            r"^(\d[\d,.]*|[a-z]) (?:raised )?to the (?:power(?: of)? )(-?\d+|[a-z])$", re.IGNORECASE
        ),
        r"\1^{\2}",
    ),
    (
        re.compile(
            r"^(\d[\d,]*),? (?:with )?(?:a )?(?:r|rem|remainder)\.?(?: of)? ?(\d+)$", re.IGNORECASE
        ),
        r"\1 remainder \2",
    ),
    (re.compile(r"^(\d[\d,.]*) to (\d[\d,.]*)$"), r"\1:\2"),
)
"""Formulas in words that are the whole of an answer."""
_MACRO = (
    ("{,}", ","),
    (r"\%", "%"),
    (r"\#", "#"),
    (r"\lbrace", r"\{"),
    (r"\rbrace", r"\}"),
    (r"\lvert", "|"),
    (r"\rvert", "|"),
    (r"\vert", "|"),
    (r"\dots", r"\ldots"),
    (r"\cdots", r"\ldots"),
    (r"\pounds", "£"),
    (r"\euro", "€"),
    (r"\&", "&"),
)


def plain(text: str) -> str:
    """The answer in one notation: emphasis, dollar signs of TeX, layout and a closing full stop are gone; currency stays."""
    text = _unwrapped(_lettered(text.strip()))
    text = _FRACTION.sub(r"\\frac", text)
    text = _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)
    text = text.replace(r",\!", ",").replace(r"\!", "")
    for command, sign in _MACRO:
        text = text.replace(command, sign)
    text = re.sub(r"(?<=\d)\s*[xX]\s*(?=10\s*(?:\^|\*\*))|(?<=\d)\s[xX]\s(?=\d)", r"\\times ", text)
    text = _DOUBLED.sub(r" \1 ", text)
    text = _PAIRED.sub(r"\1", text).replace(r"\$", "$")
    text = _SPACING.sub(" ", _LAYOUT.sub("", text))
    text = _DEGREE.sub(r"\\degree ", text)
    text = re.sub(r"\\angle(?![a-z])|∠", "", text)
    text = re.sub(r"(\\?\{\s*[a-zA-Z]\s*)\|", r"\1\\mid ", text)
    text = _BLACKBOARD.sub(r"\\\1 ", text)
    for _ in range(4):
        text, changed = _WORDED.subn(
            lambda found: f" {found[1]} " if len(found[1].strip()) > 1 else found[1], text
        )
        if not changed:
            break
    text = _ended(_unwrapped(_SPACE.sub(" ", text).strip()))
    for pattern, written in _SPOKEN:
        text = pattern.sub(written, text)
    return text


def _lettered(text: str) -> str:
    """Unicode's signs by their names, raised and lowered digits as powers and indices, everything else in compatibility form."""
    text = _RAISED.sub(
        lambda found: "^{" + "".join(_SUPERSCRIPTS[sign] for sign in found[0]) + "}", text
    )
    text = _LOWERED.sub(
        lambda found: "_{" + "".join(_SUBSCRIPTS[sign] for sign in found[0]) + "}", text
    )
    letters = []
    for sign in text:
        name = unicodedata.name(sign, "") if sign > "\x7f" else ""
        if sign in _SIGNS:
            letters.append(_SIGNS[sign])
        elif name.startswith("GREEK SMALL LETTER ") and name[19:].lower() in _GREEK.split():
            letters.append(f"\\{name[19:].lower()} ")
        elif name.startswith("VULGAR FRACTION"):
            letters.append(_VULGAR.sub(r"\\frac{\1}{\2}", unicodedata.normalize("NFKC", sign)))
        elif unicodedata.combining(sign):
            letters.append(sign)
        else:
            letters.append(unicodedata.normalize("NFKC", sign) if name else sign)
    return "".join(letters)


def _unwrapped(text: str) -> str:
    """Without emphasis, code marks, TeX's brackets and boxes that stand around the whole of it."""
    while True:
        before = text
        for opening, closing in _AROUND:
            inner = text[len(opening) : len(text) - len(closing)]
            if (
                len(text) > len(opening) + len(closing)
                and text.startswith(opening)
                and text.endswith(closing)
                and opening not in inner
            ):
                text = inner.strip()
        for command in (r"\boxed{", r"\fbox{", "{"):
            if (
                text.startswith(command)
                and _closes(text, len(command))
                and (command != "{" or "," not in text)
            ):
                text = text[len(command) : -1].strip()
        if text.endswith(("**", "__")) and text[:-2].count(text[-2:]) == 0:
            text = text[:-2].strip()
        if text == before:
            return text


def _closes(text: str, at: int) -> bool:
    """True if the brace opened before `at` is closed by the last character."""
    depth = 1
    for index in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0) if text[index - 1] != "\\" else 0
        if not depth:
            return index == len(text) - 1
    return False


def _ended(text: str) -> str:
    """Without the full stop, comma or semicolon that ends it; three dots stay."""
    while text.endswith((".", ",", ";", "?")) and not text.endswith(("...", r"\,", r"\;")):
        text = text[:-1].rstrip()
    return text
