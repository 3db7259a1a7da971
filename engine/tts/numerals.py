"""Everything written with digits, in words: "$3 at 3:30 pm" → "three dollars at three thirty P-M".

Called by `spoken` for every phrase. The rules run in the order of `_RULES`, from
the most specific (dates, telephone numbers) to the plain number, which leaves no
digit to a synthesizer. Synthesizers do read digits, but each in its own way, and
none reads a help line's number digit by digit. The words come from num2words.
"""

import re
from collections.abc import Callable

from num2words import num2words

# Never from the middle of a run of digits: else a long run costs the square of its length.
_NUMBER = r"(?<!\d)(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)"
_DIGITS = tuple(num2words(digit) for digit in range(10))
_MONTH_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_MONTHS = {form: name for name in _MONTH_NAMES for form in (name, name[:3], name[:3] + ".")}
_MONTH = "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True))

_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
}
_SYMBOLS = "".join(_CURRENCIES)
_MAGNITUDES = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion", "t": "trillion"}

_UNITS = {
    "mm": ("millimeter", "millimeters"),
    "cm": ("centimeter", "centimeters"),
    "m": ("meter", "meters"),
    "km": ("kilometer", "kilometers"),
    "mi": ("mile", "miles"),
    "ft": ("foot", "feet"),
    "yd": ("yard", "yards"),
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "kg": ("kilogram", "kilograms"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"),
    "l": ("liter", "liters"),
    "L": ("liter", "liters"),
    "ms": ("millisecond", "milliseconds"),
    "s": ("second", "seconds"),
    "sec": ("second", "seconds"),
    "secs": ("second", "seconds"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "mph": ("mile per hour", "miles per hour"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "kB": ("kilobyte", "kilobytes"),
    "KB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "W": ("watt", "watts"),
    "kW": ("kilowatt", "kilowatts"),
    "V": ("volt", "volts"),
    "kcal": ("kilocalorie", "kilocalories"),
}
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))

_LONGEST_CARDINAL = 15
"""Digits; a longer number means nothing to a listener as a number and is read digit by digit."""


def in_words(text: str) -> str:
    """`text` with every number spelled out; no decimal digit is left."""
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    return text


def _digits(number: str) -> str:
    return " ".join(_DIGITS[int(digit)] for digit in number if digit.isdecimal())


def _cardinal(number: str) -> str:
    whole, point, fraction = number.replace(",", "").partition(".")
    is_a_code = len(whole) > 6 and "," not in number and not whole.endswith("000")
    if is_a_code or len(whole) > _LONGEST_CARDINAL or (len(whole) > 1 and whole[0] == "0"):
        words = _digits(whole)
    else:
        words = num2words(int(whole or "0")).replace(",", "")
    return f"{words} point {_digits(fraction)}" if point else words


def _ordinal(number: str) -> str:
    return num2words(int(number.replace(",", "")), to="ordinal").replace(",", "")


def _year(number: str) -> str:
    return num2words(int(number), to="year").replace("oh-", "oh ")


def _plural(words: str) -> str:
    return words[:-1] + "ies" if words.endswith("y") else words + "s"


def _counted(number: str, one: str, many: str) -> str:
    return f"{_cardinal(number)} {one if number == '1' else many}"


def _iso_date(match: re.Match) -> str:
    year, month, day = match.groups()
    return _date(int(month), int(day), year) or match[0]


def _slash_date(match: re.Match) -> str:
    month, day, year = match.groups()
    if len(year) == 2:
        year = ("20" if year < "50" else "19") + year
    return _date(int(month), int(day), year) or _date(int(day), int(month), year) or match[0]


def _date(month: int, day: int, year: str) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{_MONTH_NAMES[month - 1]} {_ordinal(str(day))}, {_year(year)}"


def _month_day(match: re.Match) -> str:
    month, day = match.groups()
    return f"{_MONTHS[month]} {_ordinal(day) if 1 <= int(day) <= 31 else _cardinal(day)}"


def _day_month(match: re.Match) -> str:
    day, month = match.groups()
    return f"the {_ordinal(day)} of {_MONTHS[month]}" if 1 <= int(day) <= 31 else match[0]


def _clock(match: re.Match) -> str:
    hour, minute, half = match["hour"], match["minute"] or "00", match["half"]
    if int(hour) > 24 or int(minute) > 59:
        return match[0]
    words = [_cardinal(str(int(hour)))]
    if minute != "00":
        words.append(f"oh {_cardinal(minute[1])}" if minute[0] == "0" else _cardinal(minute))
    elif not half:
        words.append("o'clock" if int(hour) <= 12 else "hundred")
    if half:
        words.append(f"{half.upper()}-M")
    closes_sentence = match[0].endswith(".") and not match.string[match.end() :].strip()
    return " ".join(words) + ("." if closes_sentence else "")


def _telephone(match: re.Match) -> str:
    groups = re.findall(r"\d+", match[0])
    is_two_years = len(groups) == 2 and all(_YEAR.fullmatch(group) for group in groups)
    is_written_as_one = "+" in match[0] or "(" in match[0] or [len(group) for group in groups] == [3, 3]
    if is_two_years or (sum(map(len, groups)) < 7 and not is_written_as_one):
        return match[0]
    return ("plus " if "+" in match[0] else "") + ", ".join(map(_digits, groups))


def _numbers_to_dial(match: re.Match) -> str:
    return re.sub(rf"(?<![\w.,:/{_SYMBOLS}])\d{{3,6}}(?![\w%:/]|[.,]\d)", lambda m: _digits(m[0]), match[0])


def _money(match: re.Match) -> str:
    one, many, cent, cents = _CURRENCIES[match["symbol"]]
    number, magnitude = match["number"], match["magnitude"]
    sign = "minus " if match["sign"] else ""
    if magnitude:
        magnitude = magnitude.lower()
        return f"{sign}{_cardinal(number)} {_MAGNITUDES.get(magnitude, magnitude)} {many}"
    whole, _, fraction = number.partition(".")
    if len(fraction) != 2:
        return sign + _counted(number, one, many)
    parts = []
    if whole.strip("0") or fraction == "00":
        parts.append(_counted(whole or "0", one, many))
    if fraction != "00":
        parts.append(_counted(str(int(fraction)), cent, cents))
    return sign + " and ".join(parts)


def _fraction(match: re.Match) -> str:
    whole, top, bottom = match["whole"], match["top"], match["bottom"]
    if bottom == "2" and top == "1":
        part = "a half" if whole else "one half"
    elif bottom in ("3", "4", "5", "8") and 0 < int(top) < int(bottom):
        name = "quarter" if bottom == "4" else _ordinal(bottom)
        part = _counted(top, name, name + "s")
    elif len(top) <= _LONGEST_CARDINAL and int(top) < int(bottom):
        part = f"{_cardinal(top)} out of {_cardinal(bottom)}"
    else:
        part = f"{_cardinal(top)} {_cardinal(bottom)}"
    return f"{_cardinal(whole)} and {part}" if whole else part


def _decade(match: re.Match) -> str:
    number = match[1]
    return _plural(_year(number) if _YEAR.fullmatch(number) else _cardinal(number))


_YEAR = re.compile(r"1[4-9]\d\d|20\d\d")


def _rule(pattern: str, say: Callable[[re.Match], str] | str, flags: int = 0) -> tuple:
    return re.compile(pattern, flags), say


_RULES = (
    _rule(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", _iso_date),
    _rule(r"\b(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})\b", _slash_date),
    _rule(rf"\b({_MONTH})\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.]\d)", _month_day),
    _rule(rf"\b(?:the\s+)?(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?({_MONTH})(?!\w)", _day_month),
    _rule(
        r"(?<![\w.,:/-])\+?(?:\d{1,3}[ -])?(?:\(\d{2,5}\)\s?|\d{1,5}[ -])"
        r"(?:\d{2,5}[ -]){0,4}\d{2,5}(?![\w%]|[.,:/-]\d)",
        _telephone,
    ),
    _rule(rf"(?<=\d)\s?[–—]\s?(?=[{_SYMBOLS}]?\.?\d)|(?<=\d)-(?=[{_SYMBOLS}]?\d)", " to "),
    _rule(
        r"(?<![\w.,:])(?P<hour>\d{1,2}):(?P<minute>\d\d)"
        r"(?:\s?(?P<half>[ap])(?:\.\s?m\b\.?|m\b))?(?![\w:])",
        _clock,
        re.IGNORECASE,
    ),
    _rule(
        r"(?<![\w.,:])(?P<hour>\d{1,2})(?P<minute>)\s?(?P<half>[ap])(?:\.\s?m\b\.?|m\b)",
        _clock,
        re.IGNORECASE,
    ),
    _rule(r"\b(?:call|dial|phone|ring|text)(?:ing)?\b[^.!?]{0,80}", _numbers_to_dial, re.IGNORECASE),
    # Help lines, wherever they stand: better "nine nine nine people" than one wrong number to dial.
    _rule(rf"(?<![\w.,{_SYMBOLS}-])(?:112|911|988|999)(?![\w%]|[.,]\d)", lambda m: _digits(m[0])),
    _rule(
        rf"(?P<sign>(?<!\w)[-−])?(?P<symbol>[{_SYMBOLS}])\s?(?P<number>{_NUMBER})"
        r"(?:\s?(?P<magnitude>thousand|million|billion|trillion|bn|[kmbt])\b)?",
        _money,
        re.IGNORECASE,
    ),
    _rule(
        rf"(?P<sign>(?<!\w)[-−])?(?P<number>{_NUMBER})(?P<magnitude>)\s?(?P<symbol>[{_SYMBOLS}])",
        _money,
    ),
    _rule(r"'?\b(\d{1,3}0)'?s\b", _decade),
    _rule(r"\b(\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:st|nd|rd|th)\b", lambda m: _ordinal(m[1]), re.IGNORECASE),
    _rule(r"\b(\d)'\s?(\d{1,2})(?:\"|'')", lambda m: f"{_cardinal(m[1])} feet {_cardinal(m[2])}"),
    _rule(r"\b(?:(?P<whole>\d{1,3}) )?(?P<top>\d{1,15})/(?P<bottom>\d{1,15})\b", _fraction),
    _rule(r"(?<=\d)\s?[*×]\s?(?=\d)", " times "),
    _rule(r"(?<=\d)\s?x\s?(?=\d)", " by "),
    _rule(r"(?<=\d)x\b", " times"),
    _rule(r"(?<![\w)])[-−](?=\.?\d)", "minus "),
    _rule(r"#(?=\d)|\b[Nn]o\.\s?(?=\d)", "number "),
    _rule(r"[~≈]\s?(?=\.?\d)", "about "),
    _rule(r"<\s?(?=\.?\d)", " less than "),
    _rule(r">\s?(?=\.?\d)", " more than "),
    _rule(rf"({_NUMBER})\s?%", lambda m: f"{_cardinal(m[1])} percent"),
    _rule(
        rf"({_NUMBER})\s?°\s?([CF]\b)?",
        lambda m: (
            _counted(m[1], "degree", "degrees") + {"C": " Celsius", "F": " Fahrenheit"}.get(m[2] or "", " ")
        ),
    ),
    _rule(rf"({_NUMBER})[ -]?({_UNIT})(?![\w'])", lambda m: _counted(m[1], *_UNITS[m[2]])),
    _rule(r"\b\d+(?:\.\d+){2,}", lambda m: " point ".join(map(_cardinal, m[0].split(".")))),
    _rule(r"(?<=\d):(?=\d)", " to "),
    _rule(r"(?<=[^\W\d])-?(?=\d)|(?<=\d)(?=[^\W\d])", " "),
    _rule(rf"(?<![\w.,])(?:{_YEAR.pattern})(?![\w,]*\d|\.\d)", lambda m: _year(m[0])),
    _rule(_NUMBER, lambda m: _cardinal(m[0])),
)
