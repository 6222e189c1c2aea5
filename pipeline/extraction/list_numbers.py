"""Numbers of lists, headings, notes and pages as they are shown: 4 as "4", "iv", "d" or "四". Pure."""

from __future__ import annotations

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_CHICAGO = "*†‡§"
_RUSSIAN = "абвгдежзиклмнопрстуфхцчшщыэюя"
_HEBREW_ONES, _HEBREW_TENS, _HEBREW_HUNDREDS = " אבגדהוזחט", " יכלמנסעפצ", " קרשת"
_ARABIC = "أبتثجحخدذرزسشصضطظعغفقكلمنهوي"
_CHINESE = "〇一二三四五六七八九"
_MAX = 32_767


def roman(number: int) -> str:
    """In small letters."""
    if not 0 < number <= _MAX:
        return str(number)
    text = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        text += letters * count
    return text


def letters(number: int, alphabet: str = "abcdefghijklmnopqrstuvwxyz") -> str:
    """a, b, ... z, aa, bb, ... as word processors count."""
    if not 0 < number <= _MAX:
        return str(number)
    repeats, at = divmod(number - 1, len(alphabet))
    return alphabet[at] * (repeats + 1)


def chicago(number: int) -> str:
    return letters(number, _CHICAGO)


def chinese(number: int) -> str:
    """With the signs for ten, hundred and thousand."""
    if not 0 < number < 10_000:
        return "".join(_CHINESE[int(digit)] for digit in str(abs(number)))
    text, pending_zero = "", False
    for value, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, value)
        if digit:
            text += ("〇" if pending_zero and text else "") + _CHINESE[digit] + sign
            pending_zero = False
        else:
            pending_zero = True
    return text.removeprefix("一") if text.startswith("一十") else text


def hebrew(number: int) -> str:
    if not 0 < number < 500:
        return str(number)
    hundreds, rest = divmod(number, 100)
    tail = {15: "טו", 16: "טז"}.get(rest, (_HEBREW_TENS[rest // 10] + _HEBREW_ONES[rest % 10]))
    return (_HEBREW_HUNDREDS[hundreds] + tail).replace(" ", "")


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def shown(number: int, style: str) -> str:
    """A number in one of the styles of Office Open XML (ST_NumberFormat); Arabic digits for those not known."""
    match style:
        case "decimalZero":
            return f"{number:02d}"
        case "lowerRoman":
            return roman(number)
        case "upperRoman":
            return roman(number).upper()
        case "lowerLetter":
            return letters(number)
        case "upperLetter":
            return letters(number).upper()
        case "ordinal":
            return _ordinal(number)
        case "chicago":
            return chicago(number)
        case _:
            return _by_script(number, style)


def _by_script(number: int, style: str) -> str:
    match style:
        case "none" | "bullet":
            return ""
        case "russianLower":
            return letters(number, _RUSSIAN)
        case "russianUpper":
            return letters(number, _RUSSIAN).upper()
        case "hebrew1":
            return hebrew(number)
        case "arabicAlpha":
            return letters(number, _ARABIC)
        case "decimalEnclosedCircle" | "decimalEnclosedCircleChinese" if 0 < number <= 20:
            return chr(0x2460 + number - 1)
        case "decimalFullWidth":
            return "".join(chr(0xFF10 + int(digit)) for digit in str(abs(number)))
        case (
            "ideographDigital"
            | "japaneseCounting"
            | "chineseCounting"
            | "chineseCountingThousand"
            | ("taiwaneseCounting" | "taiwaneseCountingThousand")
        ):
            return chinese(number)
        case _:
            return str(number)
