"""Numbers, dates and texts by the format codes of spreadsheets."""

from __future__ import annotations

import time

import pytest

from pipeline.extraction.spreadsheets.number_format import built_in, general, is_date, shown, shown_text

_ACCOUNTING = '_-* #,##0.00\\ "€"_-;-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-'


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (0.875, "0%", "88%"),
        (0.071, "0.0%", "7.1%"),
        (1234.5, "#,##0.00", "1,234.50"),
        (1234567.891, "#,##0.0", "1,234,567.9"),
        (999.999, "#,##0.00", "1,000.00"),
        (0.285, "0.00", "0.29"),
        (-3, "0.00", "-3.00"),
        (-1234.5, "#,##0.00;[Red](#,##0.00)", "(1,234.50)"),
        (0, '#,##0;-#,##0;"none"', "none"),
        (1234.5, _ACCOUNTING, "1,234.50 €"),
        (-1234.5, _ACCOUNTING, "-1,234.50 €"),
        (0, _ACCOUNTING, "- €"),
        (1234.5, "[$€-407] #,##0.00", "€ 1,234.50"),
        (1234567, '0.0,,"M"', "1.2M"),
        (1500, "0.0,", "1.5"),
        (5, "00000", "00005"),
        (123456789, "000-00-0000", "123-45-6789"),
        (100000, "# ##0", "100 000"),
        (0.5, "#.##", ".5"),
        (0, "#", ""),
        (7, ";;;", ""),
        (15.5, '0.0 "kg"', "15.5 kg"),
        (12, '"No. "0', "No. 12"),
        (12, "\\x0", "x12"),
        (1.5, 'General "kg"', "1.5 kg"),
        (9783161484100, "0", "9783161484100"),
        (1e20, "0", "1" + "0" * 20),
        (5, '[>100]"many";[<10]"few";0', "few"),
        (500, '[>100]"many";[<10]"few";0', "many"),
        (50, '[>100]"many";[<10]"few";0', "50"),
        (-5, '[>100]"many";[<10]"few";0', "few"),
        (-5, "[<100]General;0", "-5"),
        (-5, "[<0]0.0;0", "5.0"),
        (-5, "[>=100]0;0.0", "-5.0"),
        (12345678, "0.00E+00", "1.23E+07"),
        (0.0001, "0.00E-00", "1.00E-04"),
        (12345678, "##0.0E+0", "12.3E+6"),
        (9.999, "0.0E+0", "1.0E+1"),
        (2.25, "# ?/?", "2 1/4"),
        (0.5, "# ?/?", "1/2"),
        (3, "# ?/?", "3"),
        (-1.5, "# ?/?", "-1 1/2"),
        (0.3333, "# ?/8", "3/8"),
        (3.14159, "?/???", "355/113"),
    ],
)
def test_numbers(value: float, code: str, expected: str) -> None:
    assert shown(value, code) == expected


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (45000, "yyyy-mm-dd", "2023-03-15"),
        (45000, "m/d/yy", "3/15/23"),
        (45000, "d.m.yyyy;@", "15.3.2023"),
        (45000, "dddd, d mmmm yyyy", "Wednesday, 15 March 2023"),
        (45000, "ddd mmm mmmmm", "Wed Mar M"),
        (45000, "[$-407]d. mmmm yyyy", "15. März 2023"),
        (45000, "[$-de-DE]dddd", "Mittwoch"),
        (45000, "[$-40C]d mmmm", "15 mars"),
        (45000, '[$-411]ggge"年"m"月"d"日"', "令和5年3月15日"),
        (45000, "[$-411]ge.m.d", "R5.3.15"),
        (32000, "[$-411]ggge", "昭和62"),
        (45000, "[$-404]e/m/d", "112/3/15"),
        (45000, 'yyyy"年"m"月"d"日"', "2023年3月15日"),
        (45000, "[$-804]aaaa", "星期三"),
        (45000, "[$-411]aaa", "水"),
        (45000, "bbbb", "2566"),
        (0.395833333333333, "h:mm:ss", "09:30:00"),
        (0.395833333333333, "hh:mm", "09:30"),
        (0.395833333333333, "h:mm AM/PM", "9:30 AM"),
        (0.75, "h:mm AM/PM", "6:00 PM"),
        (0.75, "上午/下午h时mm分", "下午6时00分"),
        (0, "h AM/PM", "12 AM"),
        (45000.65625, "dd.mm.yyyy hh:mm", "15.03.2023 15:45"),
        (0.99999999, "yyyy-mm-dd hh:mm", "1900-01-01 00:00"),
        (0.395833333333, "hh:mm", "09:30"),
        (0.4999965, "hh:mm", "11:59"),
        (0.4999965, "hh:mm:ss", "12:00:00"),
        (1.09375, "[h]:mm", "26:15"),
        (1.09375, "[hh]:mm:ss", "26:15:00"),
        (1.09375, "[mm]:ss", "1575:00"),
        (-1.5, "[h]:mm", "-36:00"),
        (0.5000116, "mm:ss.000", "00:01.002"),
        (60, "yyyy-mm-dd", "1900-02-29"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (1, "yyyy-mm-dd ddd", "1900-01-01 Sun"),
        (2958465, "yyyy-mm-dd", "9999-12-31"),
        (2958466, "yyyy-mm-dd", "2958466"),
        (-1, "yyyy-mm-dd", "-1"),
    ],
)
def test_dates_times_and_durations(value: float, code: str, expected: str) -> None:
    assert shown(value, code) == expected


def test_days_count_from_1904_in_some_files() -> None:
    assert shown(0, "yyyy-mm-dd", True) == "1904-01-01"
    assert shown(45000 - 1462, "yyyy-mm-dd", True) == "2023-03-15"
    assert shown(1.25, "[h]:mm", True) == "30:00"


@pytest.mark.parametrize("number", [14, 27, 28, 31, 36, 50, 54, 57, 58, 71])
def test_dates_that_each_edition_shows_in_its_own_way_are_in_iso_8601(number: int) -> None:
    assert shown(45000, built_in(number)) == "2023-03-15"
    assert shown(45000.396412, built_in(number)) == "2023-03-15"
    assert is_date(built_in(number))


@pytest.mark.parametrize(
    ("number", "value", "expected"),
    [
        (0, 1.5, "1.5"), (1, 1.5, "2"), (4, 1234.5, "1,234.50"), (9, 0.25, "25%"), (10, 0.25, "25.00%"),
        (12, 0.25, "1/4"), (15, 45000, "15-Mar-23"), (17, 45000, "Mar-23"), (18, 0.75, "6:00 PM"),
        (20, 0.375, "09:00"), (21, 0.375, "09:00:00"), (22, 45000.375, "2023-03-15 09:00"), (32, 0.375, "09:00"),
        (39, -5, "-5.00"), (44, 5, "$5.00"), (45, 0.0416, "59:54"), (46, 1.25, "30:00:00"), (48, 12345, "12.3E+3"),
        (49, 5, "5"), (99, 5, "5"),
    ],
)  # fmt: skip
def test_built_in_formats(number: int, value: float, expected: str) -> None:
    assert shown(value, built_in(number)) == expected


def test_texts_can_be_given_words_or_hidden() -> None:
    assert shown_text("oak", '"Wood: "@') == "Wood: oak"
    assert shown_text("oak", '0;-0;0;"["@"]"') == "[oak]"
    assert shown_text("oak", ";;;") == ""
    assert shown_text("oak", "0.00") == "oak"
    assert shown_text("oak", "0;-0") == "oak"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1 + 0.2, "0.3"), (3.14159265358979, "3.141592654"), (491510000000, "491510000000"), (1e-12, "1E-12"),
        (-0.5, "-0.5"), (1e21, "1E+21"), (0, "0"), (123456.789, "123456.789"), (1 / 3, "0.333333333"),
    ],
)  # fmt: skip
def test_numbers_without_a_format(value: float, expected: str) -> None:
    assert general(value) == expected


@pytest.mark.parametrize(
    "code",
    ["", '"', "[", "[h", "\\", "_", "*", ";;;;;;", "[$", "E+", "0E+", "/", "?/", "[>", "@" * 999, "0" * 2000],
)
def test_strange_codes_and_values_raise_nothing(code: str) -> None:
    for value in (0, 1.5, -1.5, 1e300, -1e300, 5e-324, float("nan"), float("inf"), 45000.5):
        assert isinstance(shown(value, code), str)
    assert isinstance(shown_text("oak", code), str)


def test_a_hundred_thousand_numbers_are_shown_within_seconds() -> None:
    start = time.process_time()
    for number in range(20_000):
        shown(number / 7, "#,##0.00")
        shown(40_000 + number / 7, "yyyy-mm-dd hh:mm")
    assert time.process_time() - start < 10
