"""Shows a cell's number as its format code says (ECMA-376, 18.8.31): decimals, per cent, currency, fractions, dates.

Pure; runs in the worker processes. Where a format depends on the system that opens the file, dates are written as in
ISO 8601, so that one file gives one text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache

from pipeline.extraction.spreadsheets.date_format import date_text, iso_text
from pipeline.extraction.spreadsheets.format_code import Kind, Section, Token, sections

GENERAL = "General"
SYSTEM_DATE = "\0date"  # the codes of formats that each system shows in its own way
SYSTEM_DAY = "\0day"  # the same without a time
_MAX_INTEGER = 1e15  # above, a float is no exact number any more
_MAX_DECIMALS = 60
_PRECISE = Context(prec=400)

_BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "$#,##0;-$#,##0", 6: "$#,##0;-$#,##0", 7: "$#,##0.00;-$#,##0.00",
    8: "$#,##0.00;-$#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 15: "d-mmm-yy",
    16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 32: "h:mm",
    33: "h:mm:ss", 37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00", 40: "#,##0.00;-#,##0.00",
    41: '#,##0;-#,##0;"-";@', 42: '$#,##0;-$#,##0;"$-";@', 43: '#,##0.00;-#,##0.00;"-";@',
    44: '$#,##0.00;-$#,##0.00;"$-";@', 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
    59: "0", 60: "0.00", 61: "#,##0", 62: "#,##0.00", 67: "0%", 68: "0.00%", 69: "# ?/?", 70: "# ??/??",
    72: "d-mmm-yy", 73: "d-mmm", 74: "mmm-yy", 75: "h:mm", 76: "h:mm:ss", 78: "mm:ss", 79: "[h]:mm:ss", 80: "mm:ss.0",
}  # fmt: skip
# 14 and 22 follow the system; 27 to 36 and 50 to 58 differ between the East Asian editions; 71, 77, 81 are Thai.
_SYSTEM_DATES = frozenset({22, 34, 35, 77, 81})
_SYSTEM_DAYS = frozenset({14, *range(27, 32), 36, *range(50, 59), 71})


def built_in(number: int) -> str:
    """The format code of a number below 164; General for one that no edition defines."""
    if number in _SYSTEM_DAYS:
        return SYSTEM_DAY
    return SYSTEM_DATE if number in _SYSTEM_DATES else _BUILT_IN.get(number, GENERAL)


def format_code(number: int, own: str | None) -> str:
    """The code of a number format: the file's own one, or that of the built-in number."""
    if own is None:
        return built_in(number)
    return GENERAL if own.strip().lower() in ("general", "standard", "") else own


def shown(value: float, code: str, from_1904: bool = False) -> str:
    """The number as the sheet shows it, however narrow its column is; without spaces that only align it."""
    if code == GENERAL or not math.isfinite(value):
        return general(value)
    if code in (SYSTEM_DATE, SYSTEM_DAY):
        return iso_text(value, from_1904, code == SYSTEM_DAY) or general(value)
    return " ".join(_shown(value, code, from_1904).split())


def shown_text(value: str, code: str) -> str:
    """The text as the sheet shows it: a format may add words to it, or hide it."""
    if code == GENERAL:
        return value
    parts = _parsed(code)
    section = parts[3] if len(parts) == 4 else next((each for each in parts if each.shows(Kind.TEXT)), None)
    if section is None:
        return value
    return "".join(value if token.kind is Kind.TEXT else token.text for token in section.tokens).strip()


def is_date(code: str) -> bool:
    """Whether numbers of this format are dates or times."""
    return code in (SYSTEM_DATE, SYSTEM_DAY) or (code != GENERAL and _parsed(code)[0].is_date)


def general(value: float) -> str:
    """A number without a format: whole numbers with all their digits, others with ten that count."""
    if not math.isfinite(value):
        return "#NUM!"
    if value == int(value) and abs(value) < _MAX_INTEGER:
        return str(int(value))
    size = abs(value)
    if size >= 1e11 or size < 1e-9:
        mantissa, exponent = f"{value:.5E}".split("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"
    decimals = min(10, max(0, 9 - math.floor(math.log10(size)))) if size >= 1 else 9
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}"


@lru_cache(maxsize=2000)
def _parsed(code: str) -> tuple[Section, ...]:
    return sections(code)


def _shown(value: float, code: str, from_1904: bool) -> str:
    parts = _parsed(code)
    section, sign = _chosen(parts, value)
    if not section.tokens:
        return "" if len(parts) > 1 else general(value)
    if section.is_date:
        text = date_text(value, section, from_1904)
        return general(value) if text is None else text
    number = _number(abs(value), section)
    return f"-{number}" if sign else number


def _chosen(parts: Sequence[Section], value: float) -> tuple[Section, bool]:
    """The section for a value, and whether a minus stands before what it shows."""
    negative = value < 0
    numeric = parts[:3] if len(parts) == 4 else parts
    if len(numeric) > 1 and numeric[-1].shows(Kind.TEXT) and len(parts) < 4:
        numeric = numeric[:-1]
    if any(each.condition for each in numeric):
        chosen = next((each for each in numeric if each.condition and _holds(value, each.condition)), None)
        chosen = chosen or next((each for each in numeric if not each.condition), numeric[-1])
        own_sign = not (chosen.shows(Kind.DIGIT) or chosen.shows(Kind.GENERAL)) or any(
            token.kind is Kind.LITERAL and token.text in ("-", "(") for token in chosen.tokens
        )
        only_negative = (
            chosen.condition is not None and chosen.condition[0] in ("<", "<=") and chosen.condition[1] <= 0
        )
        return chosen, negative and not (own_sign or only_negative)
    if len(numeric) > 1 and negative:
        return numeric[1], False
    if len(numeric) > 2 and value == 0:
        return numeric[2], False
    return numeric[0], negative


def _holds(value: float, condition: tuple[str, float]) -> bool:
    operator, limit = condition
    return {
        "<": value < limit, ">": value > limit, "=": value == limit,
        "<=": value <= limit, ">=": value >= limit, "<>": value != limit,
    }[operator]  # fmt: skip


def _number(value: float, section: Section) -> str:
    """A number that is not negative, by a section that is no date."""
    if section.shows(Kind.GENERAL) or not section.shows(Kind.DIGIT):
        return "".join(
            general(value) if token.kind in (Kind.GENERAL, Kind.TEXT) else token.text
            for token in section.tokens
        )
    if section.shows(Kind.SLASH):
        fraction = _fraction(value, section.tokens)
        if fraction is not None:
            return fraction
    tokens, thousands, scale = _without_commas(section.tokens)
    percent = sum(token.kind is Kind.PERCENT for token in tokens)
    exact = Decimal(repr(float(value))).scaleb(2 * percent - 3 * scale, _PRECISE)
    if section.shows(Kind.EXPONENT):
        return _scientific(exact, tokens)
    return _fixed(exact, tokens, thousands)


def _without_commas(tokens: Sequence[Token]) -> tuple[list[Token], bool, int]:
    """The tokens without commas that group digits or scale the number, whether digits are grouped, and the scale."""
    digits = [at for at, token in enumerate(tokens) if token.kind is Kind.DIGIT]
    point = next((at for at, token in enumerate(tokens) if token.kind is Kind.POINT), len(tokens))
    whole = [at for at in digits if at < point]
    found, thousands, scale = [], False, 0
    for at, token in enumerate(tokens):
        if token.kind is not Kind.COMMA:
            found.append(token)
        elif whole and whole[0] < at < whole[-1]:
            thousands = True
        elif digits and at > digits[0]:
            scale += 1
        else:
            found.append(token)
    return found, thousands, scale


def _rounded(value: Decimal, decimals: int) -> tuple[str, str]:
    """The digits before and after the point; nothing before it where the number is less than one."""
    places = min(decimals, _MAX_DECIMALS)
    text = format(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _PRECISE), "f")
    whole, _, rest = text.partition(".")
    return whole.lstrip("0"), rest


def _fixed(value: Decimal, tokens: Sequence[Token], thousands: bool) -> str:
    point = next((at for at, token in enumerate(tokens) if token.kind is Kind.POINT), len(tokens))
    before, after = tokens[:point], tokens[point + 1 :]
    decimals = sum(token.kind is Kind.DIGIT for token in after)
    whole, rest = _rounded(value, decimals)
    text = _whole(whole, before, thousands)
    if point < len(tokens):
        text += "." + _decimals(rest, after)
    return text


def _whole(digits: str, tokens: Sequence[Token], thousands: bool) -> str:
    """The digits in the places of the tokens, from the right; the first place takes all that are left."""
    places = sum(token.kind is Kind.DIGIT for token in tokens)
    pieces: list[str] = []
    left, written = digits, 0
    for token in reversed(tokens):
        if token.kind is not Kind.DIGIT:
            pieces.append(token.text)
            continue
        places -= 1
        take = left if places == 0 else left[-1:]
        left = left[: len(left) - len(take)]
        for digit in reversed(take or ("0" if token.text == "0" else "")):
            if thousands and written and written % 3 == 0:
                pieces.append(",")
            pieces.append(digit)
            written += 1
    return "".join(reversed(pieces))


def _decimals(digits: str, tokens: Sequence[Token]) -> str:
    used, text = 0, ""
    for token in tokens:
        if token.kind is not Kind.DIGIT:
            text += token.text
            continue
        if token.text == "0" or digits[used:].strip("0"):
            text += digits[used : used + 1]
        used += 1
    return text


def _scientific(value: Decimal, tokens: Sequence[Token]) -> str:
    at = next(at for at, token in enumerate(tokens) if token.kind is Kind.EXPONENT)
    mantissa, power = tokens[:at], tokens[at + 1 :]
    point = next((at for at, token in enumerate(mantissa) if token.kind is Kind.POINT), len(mantissa))
    step = max(1, sum(token.kind is Kind.DIGIT for token in mantissa[:point]))
    decimals = sum(token.kind is Kind.DIGIT for token in mantissa[point:])
    exponent = value.adjusted() // step * step if value else 0
    scaled = value.scaleb(-exponent, _PRECISE)
    if _rounded(scaled, decimals)[0] == "1" + "0" * step:  # 9.99 rounds to 10.0
        exponent += step
        scaled = value.scaleb(-exponent, _PRECISE)
    sign = "-" if exponent < 0 else "+" if tokens[at].text[1] == "+" else ""
    return f"{_fixed(scaled, mantissa, False)}E{sign}{_whole(str(abs(exponent)).lstrip('0'), power, False)}"


def _fraction(value: float, tokens: Sequence[Token]) -> str | None:
    """A number like 2 1/4; None if the slash has no places on both sides."""
    at = next(at for at, token in enumerate(tokens) if token.kind is Kind.SLASH)
    start = at
    while start and tokens[start - 1].kind is Kind.DIGIT:
        start -= 1
    end = at + 1
    while end < len(tokens) and (tokens[end].kind is Kind.DIGIT or tokens[end].text.isdecimal()):
        end += 1
    if start == at or end == at + 1:
        return None
    below = "".join(token.text for token in tokens[at + 1 : end])
    exact = Fraction(value).limit_denominator(10**9)
    has_whole = any(token.kind is Kind.DIGIT for token in tokens[:start])
    whole = int(exact) if has_whole else 0
    rest = exact - whole
    if below.isdecimal() and int(below):
        denominator, numerator = int(below), round(rest * int(below))
    else:
        near = rest.limit_denominator(10 ** min(len(below), 6) - 1)
        numerator, denominator = near.numerator, near.denominator
    if has_whole and numerator == denominator:
        whole, numerator = whole + 1, 0
    prefix = _whole(str(whole).lstrip("0"), tokens[:start], False) if has_whole else _texts(tokens[:start])
    shown_part = f"{numerator}/{denominator}" if numerator or not has_whole else "" if whole else "0"
    return f"{prefix} {shown_part} {_texts(tokens[end:])}"


def _texts(tokens: Sequence[Token]) -> str:
    return "".join(token.text for token in tokens)
