"""Answers as typed values: a number with its unit, a formula, a choice, a date, or words; each read whole or not at all.

answer.py        the types of values
reader.py        `read`: the value of a text; expectation.py, the form that the question asks for
notation.py      one notation for plain text and TeX
tokens.py, grammar.py, syntax.py, atoms.py   the parser of formulas: signs, steps, rules, innermost parts
trees.py         formulas as trees in canonical form; exact_functions.py, evaluation.py: their values, exact and in floating point
unreadable.py    `Unreadable`, which all readers raise
quantities.py, units.py, number_words.py, dates.py, choices.py   the readers of other values
rounding.py      decimals that stand for a number
"""
