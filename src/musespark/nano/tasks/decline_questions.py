"""Questions that belong to none of the model's tasks: templates, words to fill in, and accidental input.

The lists are text files beside this one: `decline_templates.txt` (one a line; `{city}` is a word of that kind, `[a|b]` a choice),
`decline_words.txt` (words by kind), `decline_documents.txt` (sentences to paste) and `decline_programs.txt` (questions about
code that is not a short Python program).
"""

from __future__ import annotations

import importlib
import inspect
import random
import re
import warnings
from functools import cache
from importlib import resources

LONGEST = 480
"""Most characters of a question."""

_OPENINGS = (
    "Please help: ", "Hi, ", "Hello! ", "Hey, ", "Quick question: ", "Can you tell me: ", "I was wondering, ", "Sorry, but ",
    "Question: ", "So, ", "Be honest: ", "In one sentence: ", "As an expert, ", "For my homework: ", "Just curious, ",
)  # fmt: skip
_CLOSINGS = (
    " Thanks!", " Please answer briefly.", " Explain step by step.", " Be quick.", " Answer in one word.", " Thank you.", " :)",
    " I need it for school.", " What do you think?", " Keep it short.", " Answer with a number.", " Please.", " lol", " ???",
)  # fmt: skip
_DOCUMENTED = (
    "argparse", "base64", "bisect", "calendar", "cmath", "codecs", "collections", "colorsys", "configparser", "contextlib",
    "copy", "csv", "datetime", "decimal", "difflib", "email.message", "enum", "fileinput", "fnmatch", "fractions", "ftplib",
    "functools", "getpass", "gettext", "glob", "gzip", "hashlib", "heapq", "html", "http.client", "inspect", "io", "ipaddress",
    "itertools", "json", "locale", "logging", "mailbox", "math", "mimetypes", "numbers", "operator", "os", "pathlib", "pickle",
    "platform", "pprint", "queue", "random", "re", "sched", "secrets", "selectors", "shelve", "shlex", "shutil", "socket",
    "sqlite3", "statistics", "string", "subprocess", "tarfile", "tempfile", "textwrap", "threading", "time", "timeit", "tokenize",
    "types", "typing", "unicodedata", "unittest", "urllib.parse", "uuid", "warnings", "wave", "weakref", "zipfile",
)  # fmt: skip
_KEYS = (
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "!?.,;:-_()[]{}<>*+=/&%$#@~^|'\"",
)


def everyday_question(rng: random.Random) -> str:
    """Draw a question or a remark outside all tasks, with people's spelling."""
    write = rng.choices((_templated, _framed, _documented, _noise, _program), (70, 10, 8, 6, 4))[0]
    question = write(rng)
    return question[:LONGEST] if write is _program else type_carelessly(question, rng)[:LONGEST]


@cache
def lines(name: str) -> tuple[str, ...]:
    """Return the lines of one of the lists beside this file, read once."""
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line)


def templates() -> tuple[str, ...]:
    """Return all templates, unfilled."""
    return lines("decline_templates.txt")


@cache
def words() -> dict[str, list[str]]:
    """Return the words to fill templates with, by kind."""
    kinds = (re.fullmatch(r"\[(\w+)\] (.*)", line) for line in lines("decline_words.txt"))
    return {kind[1]: kind[2].split(", ") for kind in kinds if kind}


def fill_template(template: str, rng: random.Random) -> str:
    """Fill a template: make its choices and insert words."""
    template = re.sub(r"\[([^][]*)\]", lambda choice: rng.choice(choice[1].split("|")), template)
    return re.sub(r"\{(\w+)\}", lambda slot: _word(slot[1], rng), template)


def type_carelessly(question: str, rng: random.Random) -> str:
    """Sometimes type the question carelessly: no capitals, no full stop, a typing mistake."""
    if rng.random() < 0.2:
        question = question.lower()
    elif rng.random() < 0.03:
        question = question.upper()
    if rng.random() < 0.2:
        question = question.rstrip("?.!:")
    if rng.random() < 0.06 and len(question) > 6:
        at = rng.randrange(len(question) - 2)
        slip = rng.choice(
            (question[at + 1] + question[at], question[at], question[at] * 2 + question[at + 1])
        )
        question = question[:at] + slip + question[at + 2 :]
    if rng.random() < 0.03:
        question = rng.choice((" ", "\n", "  ")) + question + rng.choice(("", " ", "\n", "\n\n"))
    return question


@cache
def documentation_sentences() -> tuple[str, ...]:
    """Return sentences of the documentation strings in Python's standard library."""
    found: dict[str, None] = {}
    for name in _DOCUMENTED:
        module = importlib.import_module(name)
        members = [
            member
            for key, member in sorted(vars(module).items())
            if not key.startswith("_") and callable(member)
        ]
        for documented in (module, *members):
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore", DeprecationWarning
                )  # reading a deprecated docstring is not a use of it
                text = inspect.getdoc(documented) or ""
            for sentence in re.split(r"(?<=[.?!:])\s+|\n\n", text):
                plain = " ".join(sentence.split())
                if 4 < len(plain) < 200 and "print(" not in plain and ">>>" not in plain:
                    found[plain] = None
    return tuple(found)


def _word(kind: str, rng: random.Random) -> str:
    if kind == "n":
        return str(rng.randint(2, 12))
    if kind == "N":
        return str(
            rng.choice((rng.randint(10, 100), rng.randint(2, 1000), rng.randint(1000, 100000)))
        )
    if kind == "number":
        return str(rng.randint(-100, 10000))
    if kind in ("numbers", "many"):
        count = (
            rng.choices((2, 3, 4, 5, 6), (1, 4, 4, 2, 1))[0]
            if kind == "numbers"
            else rng.randint(6, 9)
        )
        numbers = [str(rng.randint(1, 99)) for _ in range(count)]
        last = rng.choice((" and ", ", ", ", and ", " "))
        return ", ".join(numbers[:-1]) + last + numbers[-1]
    if kind == "document":
        return rng.choice(lines("decline_documents.txt"))
    return rng.choice(words()[kind])


def _templated(rng: random.Random) -> str:
    return fill_template(rng.choice(templates()), rng)


def _framed(rng: random.Random) -> str:
    """Add a greeting before or a request after a question, or join two questions."""
    question = _templated(rng)
    if rng.random() < 0.6:
        opening = rng.choice(_OPENINGS)
        question = opening + (
            question[:1].lower() + question[1:] if rng.random() < 0.6 else question
        )
    if rng.random() < 0.5:
        question += rng.choice(_CLOSINGS)
    if rng.random() < 0.25:
        question += rng.choice((" ", "\n")) + _templated(rng)
    return question


def _documented(rng: random.Random) -> str:
    sentence = rng.choice(documentation_sentences())
    roll = rng.random()
    if roll < 0.35:  # a fragment
        pieces = sentence.split()
        start = rng.randrange(len(pieces))
        return " ".join(pieces[start : start + rng.randint(1, 12)])
    if roll < 0.5:
        return sentence + " " + rng.choice(documentation_sentences())
    if roll < 0.6:
        return (
            rng.choice(("Explain: ", "What does this mean? ", "Summarize: ", "Rephrase: "))
            + sentence
        )
    return sentence


def _noise(rng: random.Random) -> str:
    """Return nothing, random keys, or words without a sentence."""
    roll = rng.random()
    if roll < 0.08:
        return rng.choice(("", " ", "\n", ".", "?", "-", "0"))
    if roll < 0.4:
        keys = rng.choice(_KEYS)
        return "".join(rng.choice(keys) for _ in range(rng.randint(1, 30)))
    if roll < 0.5:
        return "".join(chr(rng.randint(32, 126)) for _ in range(rng.randint(1, 60)))
    kinds = list(words().values())
    return " ".join(rng.choice(rng.choice(kinds)) for _ in range(rng.randint(1, 8)))


def _program(rng: random.Random) -> str:
    asked, code = rng.choice(lines("decline_programs.txt")).split("|", 1)
    code = re.sub(r"\b\d+\b", lambda number: str(rng.randint(0, 30)), code.replace("\\n", "\n"))
    if rng.random() < 0.15:
        code = f"```\n{code}\n```"
    return f"{asked}\n{code}" if rng.random() < 0.85 else f"{code}\n{asked}"
