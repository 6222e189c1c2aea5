"""Calendars: events with readable times, and none of what is for programs."""

from __future__ import annotations

import pytest
from support.mail import read

from pipeline.extraction.content import ExtractError
from pipeline.extraction.personal import times
from pipeline.extraction.personal.content_lines import Line


def _calendar(*lines: str, head: str = "") -> bytes:
    body = "\r\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT"))
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//program//\r\n{head}{body}\r\nEND:VCALENDAR\r\n".encode()
    )


def _text(*lines: str) -> str:
    return read(_calendar(*lines), "a.ics").text


def test_an_event_with_everything() -> None:
    text = _text(
        "UID:uid-of-the-event",
        "DTSTAMP:20250101T000000Z",
        "DTSTART;TZID=Europe/Oslo:20250203T093000",
        "DTEND;TZID=Europe/Oslo:20250203T110000",
        "SUMMARY:Mast repair\\, north\\; ridge",
        "LOCATION:Room 6\\, second floor",
        "DESCRIPTION:Bring the long rope\\, the tape and the safety har",
        " ness.\\nStart at \\\\gate.",
        'ORGANIZER;CN="Brandvold, Ilse":mailto:ilse@ridge.example',
        "ATTENDEE;CN=Jonas;PARTSTAT=DECLINED:MAILTO:jonas@ridge.example",
        "ATTENDEE:mailto:all@ridge.example",
        "RRULE:FREQ=MONTHLY;INTERVAL=2;BYDAY=-1FR;UNTIL=20251231T000000Z",
        "EXDATE;TZID=Europe/Oslo:20250530T093000,20250725T093000",
        "CATEGORIES:Repair,Outside",
        "STATUS:CANCELLED",
        "ATTACH;ENCODING=BASE64;VALUE=BINARY:QUJDREVGRw==",
        "X-ALT-DESC;FMTTYPE=text/html:<html>hidden</html>",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "DESCRIPTION:alarm words",
        "TRIGGER:-PT15M",
        "END:VALARM",
    )
    assert text == (
        "# Mast repair, north; ridge\n\n"
        "When: Monday, 2025-02-03 09:30 – 11:00 Europe/Oslo\n"
        "Repeats: every 2 months on the last Friday until 2025-12-31\n"
        "Except: Friday, 2025-05-30 09:30 Europe/Oslo, Friday, 2025-07-25 09:30 Europe/Oslo\n"
        "Status: cancelled\n"
        "Where: Room 6, second floor\n"
        "Organizer: Brandvold, Ilse <ilse@ridge.example>\n"
        "Attendees: Jonas <jonas@ridge.example> (declined), all@ridge.example\n"
        "Categories: Repair, Outside\n\n"
        "Bring the long rope, the tape and the safety harness.\nStart at \\gate."
    )


@pytest.mark.parametrize(
    ("lines", "when"),
    [
        (["DTSTART:20250203T093000Z"], "Monday, 2025-02-03 09:30 UTC"),
        (["DTSTART:20250203T093000"], "Monday, 2025-02-03 09:30"),
        (["DTSTART;VALUE=DATE:20250203", "DTEND;VALUE=DATE:20250204"], "Monday, 2025-02-03"),
        (["DTSTART;VALUE=DATE:20250203", "DTEND;VALUE=DATE:20250206"], "Monday, 2025-02-03 – Wednesday, 2025-02-05"),
        (["DTSTART:20250203T220000Z", "DTEND:20250204T020000Z"],
         "Monday, 2025-02-03 22:00 UTC – Tuesday, 2025-02-04 02:00 UTC"),
        (["DTSTART:20250203T093000Z", "DURATION:PT1H30M"], "Monday, 2025-02-03 09:30 – 11:00 UTC"),
        (["DTSTART;VALUE=DATE:20250203", "DURATION:P2D"], "Monday, 2025-02-03 – Tuesday, 2025-02-04"),
        (["DTSTART;TZID=\"W. Europe Time\":20250203T093000"], "Monday, 2025-02-03 09:30 W. Europe Time"),
        (["DTSTART:next Monday"], "next Monday"),
        (["DTSTART:20251399T250000Z"], "20251399T250000Z"),
    ],
)  # fmt: skip
def test_times(lines: list[str], when: str) -> None:
    assert f"When: {when}\n" in _text("SUMMARY:x", *lines) + "\n"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=WEEKLY;BYDAY=MO,FR;COUNT=8", "every week on Monday, Friday, 8 times"),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=15", "every year in March on day 15"),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2", "every month on the second Tuesday"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month on day last"),
        ("D1 #10", "D1 #10"),
        ("FREQ=WEEKLY;BYDAY=XX;BYMONTH=77;UNTIL=never;INTERVAL=", "every week on XX"),
    ],
)
def test_repetitions(rule: str, words: str) -> None:
    assert times.repetition(rule) == words


def test_many_entries_stand_below_the_name_of_the_calendar() -> None:
    task = "BEGIN:VTODO\r\nSUMMARY:Oil the hinges\r\nDUE;VALUE=DATE:20250301\r\nSTATUS:COMPLETED\r\nEND:VTODO\r\n"
    note = "BEGIN:VJOURNAL\r\nSUMMARY:Storm\r\nDESCRIPTION:It blew.\r\nEND:VJOURNAL\r\n"
    zone = "BEGIN:VTIMEZONE\r\nTZID:Oslo\r\nBEGIN:STANDARD\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    found = read(_calendar("SUMMARY:Mast", head=f"X-WR-CALNAME:Ridge\r\n{zone}{task}{note}"), "a.ics")
    assert found.text == (
        "# Ridge\n\n## Oil the hinges\n\nDue: Saturday, 2025-03-01\nStatus: completed\n\n"
        "## Storm\n\nIt blew.\n\n## Mast"
    )
    assert found.title == "Ridge"


def test_a_cut_character_a_markup_and_old_files() -> None:
    folded = _calendar("SUMMARY:Größe").replace("ö".encode(), b"\xc3\r\n \xb6")
    assert read(folded, "a.ics").title == "Größe"
    assert "Bring:\n\n- rope\n- tape" in _text(
        "SUMMARY:x", "DESCRIPTION:<p>Bring:</p><ul><li>rope</li><li>tape</li></ul>"
    )
    old = _calendar(
        "SUMMARY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Gr=C3=B6=", "=C3=9Fe", "DTSTART:20250203T093000Z"
    )
    assert read(old.replace(b"2.0", b"1.0"), "a.vcs").title == "Größe"
    assert read(
        _calendar("SUMMARY:Größe der Brücke und des Mastes").decode().encode("cp1252"), "a.ics"
    ).title == ("Größe der Brücke und des Mastes")


def test_long_and_unfinished_calendars_end_quickly() -> None:
    assert "word" in _text("SUMMARY:x", "DESCRIPTION:" + "\r\n ".join(["word " * 10] * 5000))
    assert read(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:cut off", "a.ics").title == "cut off"
    with pytest.raises(ExtractError, match="no entry in this calendar"):
        read(b"BEGIN:VCALENDAR\n" * 5000 + b"BEGIN:VEVENT\nSUMMARY:x\n", "a.ics")
    assert times.shown(Line("DTSTART", "9" * 100_000)) == "9" * 100_000
