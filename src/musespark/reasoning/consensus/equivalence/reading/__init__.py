"""Answers as typed values: a number with its unit, a formula, a choice, a date, or words; each read whole or not at all."""
