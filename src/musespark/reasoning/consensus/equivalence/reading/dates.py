"""Dates and times of day, as people and machines write them."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction

from musespark.reasoning.consensus.equivalence.reading.answer import Moment

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY = re.compile(
    rf"(?P<name>{'|'.join(_WEEKDAYS)}),?\s+(?:the\s+)?(?P<rest>.+)", re.IGNORECASE
)
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
        r"(?P<year>[12]\d{3})-(?P<month>0[1-9]|1[0-2])",
        r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日",
        rf"(?P<name>{_MONTH})\.?\s+(?:the\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:(?:\s*,\s*|\s+)(?P<year>\d{{4}}))?",
        rf"(?:the\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?(?P<name>{_MONTH})\.?(?:(?:\s*,\s*|\s+)(?P<year>\d{{4}}))?",
        rf"(?P<name>{_MONTH})\.?(?:\s*,\s*|\s+)(?:of\s+)?(?P<year>\d{{4}})",
        r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<yea"
        r"r>\d{4})",
    )
)
_SLASHED = re.compile(r"(?P<one>\d{1,2})[-/](?P<two>\d{1,2})[-/](?P<year>\d{4})")
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2})(?::(?P<second>\d{2}))?)?\s*(?P<half>[ap]\.?\s?m\b\.?)?(?:\s+("
    r"?:o'clock|hours|uhr))?",
    re.IGNORECASE,
)
_BOTH = re.compile(
    r"(?P<date>.+?)(?:\s+at\s+|,?\s+|T)(?P<time>\d{1,2}(?:[:.]\d{2}){0,2}\s*(?:[ap]\.?m\.?)?Z?|noon|midnight)",
    re.IGNORECASE,
)
_NAMED = {"noon": 720, "midday": 720, "midnight": 0, "12 noon": 720, "12 midnight": 0}


def moment(text: str) -> Moment | None:
    """The date, the time, or both that the whole text is; None if it is none, or could be two."""
    found = _date(text) or _time(text)
    if found is None and (both := _BOTH.fullmatch(text)):
        day, time = _date(both["date"]), _time(both["time"].removesuffix("Z"))
        if day is not None and time is not None:
            return Moment(day.year, day.month, day.day, time.minute)
    return found


def _date(text: str) -> Moment | None:
    if named := _WEEKDAY.fullmatch(text):
        day = _date(named["rest"])
        if day is None or day.year is None or day.day is None:
            return day
        right = date(day.year or 1, day.month or 1, day.day or 1).weekday() == _WEEKDAYS.index(
            named["name"].lower()
        )
        return day if right else None
    if slashed := _SLASHED.fullmatch(text):
        one, two = int(slashed["one"]), int(slashed["two"])
        if one != two and one <= 12 and two <= 12:
            return None  # the third of January, or the first of March
        return _checked(int(slashed["year"]), min(one, two), max(one, two))
    for pattern in _DATES:
        if found := pattern.fullmatch(text):
            parts = found.groupdict()
            month = _MONTHS[parts["name"].lower()] if parts.get("name") else int(parts["month"])
            return _checked(
                int(parts["year"]) if parts.get("year") else None,
                month,
                int(parts["day"]) if parts.get("day") else None,
            )
    return None


def _checked(year: int | None, month: int, day: int | None) -> Moment | None:
    try:
        date(year or 2000, month, day or 1)
    except ValueError:
        return None
    return Moment(year, month, day)


def _time(text: str) -> Moment | None:
    if text.lower() in _NAMED:
        return Moment(minute=Fraction(_NAMED[text.lower()]))
    found = _CLOCK.fullmatch(text)
    if found is None or not (
        found["half"]
        or (found["minute"] and len(text) - len(text.lstrip("0123456789")) == 2 and ":" in text)
    ):
        return None  # 3:30 is a ratio as well, or half past three of either half of the day
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if minute > 59 or hour > 23 or (found["half"] and not 1 <= hour <= 12):
        return None
    if found["half"]:
        hour = hour % 12 + (12 if found["half"].lower().startswith("p") else 0)
    return Moment(minute=60 * hour + minute + Fraction(int(found["second"] or 0), 60))
