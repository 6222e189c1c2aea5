"""Dates as they are written, in the form of ISO 8601: in digits, and with the name of the month. Pure.

A whole date is `2026-01-31`, a month of a year is `2026-01`, a day of a month is `--01-31`.
"""

from __future__ import annotations

import datetime

import regex

from semantik.analysis.folding import folded

_YEAR_FIRST = regex.compile(r"(\d{4})([-/.])(\d\d?)\2(\d\d?)")
_TOGETHER = regex.compile(r"((?:19|20)\d\d)([01]\d)([0-3]\d)")
# A date in a longer name: `IMG_20260131_1200.jpg`, `2026-01-31_letter.pdf`.
_WITHIN = regex.compile(r"(?<![0-9])(?:(?:19|20)[0-9]{6}|[0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9])")
_IDEOGRAPHIC = regex.compile(r"(\d{4})[年년](\d\d?)[月월](\d\d?)[日일]")
_NAMED = regex.compile(r"(\d\d?)([-/.]?)(\p{L}{3,})\2(\d{4}|\d\d)")
_YEAR_LAST = regex.compile(r"(\d\d?)([-/.])(\d\d?)\2(\d{4}|\d\d)")
_WHOLE = regex.compile(r"\d{4}-\d\d-\d\d")
_CENTURY_BEGINS = 70  # a year of two digits from here on is of the twentieth century, as in POSIX

# Names and usual short forms, folded; a row for each month.
_MONTHS = (
    "january jan januar janner janvier janv enero ene gennaio gen janeiro januari gener ianuarie januara januari "
    "января январь січня січень януари styczen stycznia leden ledna ocak tammikuu tammikuuta ιανουαριου ιανουαριος "
    "يناير",
    "february feb februar fevrier fevr febrero febbraio fevereiro fev februari februarie februara "
    "февраля февраль лютого лютий февруари luty lutego unor unora subat helmikuu helmikuuta φεβρουαριου φεβρουαριος "
    "فبراير",
    "march mar marz marts mars marzo marco maart marc martie marcius maret "
    "марта март березня березень marzec marca brezen brezna mart maaliskuu maaliskuuta μαρτιου μαρτιος مارس",
    "april apr avril avr abril abr aprile aprilie aprila aprilis "
    "апреля апрель квітня квітень април kwiecien kwietnia duben dubna nisan huhtikuu huhtikuuta απριλιου απριλιος "
    "ابريل",
    "may mai mayo maggio mag maio mei maj maja majus maig "
    "мая май травня травень kveten kvetna mayis toukokuu toukokuuta μαιου μαιος مايو",
    "june jun juni juin junio giugno giu junho iunie junius juny "
    "июня июнь червня червень юни czerwiec czerwca cerven cervna haziran kesakuu kesakuuta ιουνιου ιουνιος يونيو",
    "july jul juli juillet juil julio luglio lug julho iulie julius juliol "
    "июля июль липня липень юли lipiec lipca cervenec cervence temmuz heinakuu heinakuuta ιουλιου ιουλιος يوليو",
    "august aug aout agosto ago augustus augusti augusztus augusta agost agustus "
    "августа август серпня серпень sierpien sierpnia srpen srpna agustos elokuu elokuuta αυγουστου αυγουστος اغسطس",
    "september sep sept septembre septiembre settembre set setembro septembrie szeptember septembra setembre "
    "сентября сентябрь вересня вересень септември wrzesien wrzesnia zari eylul syyskuu syyskuuta σεπτεμβριου "
    "σεπτεμβριος سبتمبر",
    "october oct oktober okt octobre octubre ottobre ott outubro out octombrie oktobra "
    "октября октябрь жовтня жовтень октомври pazdziernik pazdziernika rijen rijna ekim lokakuu lokakuuta οκτωβριου "
    "οκτωβριος اكتوبر",
    "november nov novembre noviembre novembro noiembrie novembra "
    "ноября ноябрь листопада листопад ноември listopad listopada listopadu kasim marraskuu marraskuuta νοεμβριου "
    "νοεμβριος نوفمبر",
    "december dec dezember dez decembre diciembre dic dicembre dezembro desember decembrie decembra desembre "
    "декабря декабрь грудня грудень декември grudzien grudnia prosinec prosince aralik joulukuu joulukuuta δεκεμβριου "
    "δεκεμβριος ديسمبر",
)
MONTHS = {folded(name): number for number, names in enumerate(_MONTHS, 1) for name in names.split()}


def iso(year: int | None, month: int, day: int | None) -> str | None:
    """The date, month or day in the form of ISO 8601; None if there is none such."""
    if not 1 <= month <= 12:
        return None
    if day is None:
        return f"{year:04}-{month:02}" if year else None
    try:
        datetime.date(year or 2000, month, day)
    except ValueError:
        return None
    return f"{year:04}-{month:02}-{day:02}" if year else f"--{month:02}-{day:02}"


def broader(date: str) -> tuple[str, ...]:
    """What a whole date is also found by: its month of the year, and its day of the month."""
    return (date[:7], f"-{date[4:]}") if _WHOLE.fullmatch(date) else ()


def dates_of(text: str) -> tuple[str, ...]:
    """The dates that a text without spaces can mean: `03/04/2026` is in April in Europe, and in March in America."""
    if match := _YEAR_FIRST.fullmatch(text):
        found = [iso(int(match[1]), int(match[3]), int(match[4]))]
    elif match := _TOGETHER.fullmatch(text):
        found = [iso(int(match[1]), int(match[2]), int(match[3]))]
    elif match := _YEAR_LAST.fullmatch(text):
        first, second, year = int(match[1]), int(match[3]), _year(match[4])
        found = [iso(year, second, first)]
        if match[2] != ".":
            found.append(iso(year, first, second))
    elif (match := _NAMED.fullmatch(text)) and match[3] in MONTHS:
        found = [iso(_year(match[4]), MONTHS[match[3]], int(match[1]))]
    else:
        return ()
    return tuple(dict.fromkeys(each for each in found if each))


def _year(digits: str) -> int:
    if len(digits) > 2:
        return int(digits)
    return int(digits) + (1900 if int(digits) >= _CENTURY_BEGINS else 2000)


def dates_within(text: str) -> list[str]:
    """The dates in a longer text without spaces, such as the name of a file, with the year first and all digits."""
    return [date for each in _WITHIN.findall(text) for date in dates_of(each)]


def ideographic_dates(text: str) -> list[str]:
    """The dates in a text such as `2026年1月31日`."""
    found = (iso(int(year), int(month), int(day)) for year, month, day in _IDEOGRAPHIC.findall(text))
    return [each for each in found if each]
