"""Calendars as text: events, tasks and journal entries below their names. Runs in the worker processes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.extraction import html, markdown
from pipeline.extraction.content import Content
from pipeline.extraction.personal import times
from pipeline.extraction.personal.content_lines import Component, Line, components

_ENTRIES = ("VEVENT", "VTODO", "VJOURNAL")
_MARKUP = re.compile(r"</?(?:br|p|b|i|u|a|ul|ol|li|div|span|html|body|strong|em)\b[^>]*>", re.IGNORECASE)
_STATES = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative", "DELEGATED": "delegated"}
_STATUS = {
    "CANCELLED": "cancelled",
    "TENTATIVE": "tentative",
    "COMPLETED": "completed",
    "IN-PROCESS": "in process",
}


def read(data: bytes, charset: str | None = None) -> Content:
    """Every entry of a file with its times, people and description; alarms and time zones are left out."""
    calendars = components(data, charset)
    names = [name for each in calendars if (name := each.text("X-WR-CALNAME") or each.text("NAME"))]
    entries = list(_entries(calendars))
    level = 2 if names and len(entries) > 1 else 1
    texts = [_entry(each, level) for each in entries]
    single = _name(entries[0]) if len(entries) == 1 else ""
    title = single or (names[0] if names else "")
    head = [f"# {title}"] if level == 2 else []
    organizers = [_person(line) for each in entries[:1] for line in each.all("ORGANIZER")]
    cancelled = ["Cancelled."] if any(each.text("METHOD").upper() == "CANCEL" for each in calendars) else []
    return Content(
        "\n\n".join(filter(None, (*head, *cancelled, *texts))),
        title or None,
        markdown=True,
        author=organizers[0] if organizers and len(entries) == 1 else None,
    )


def _entries(found: list[Component]) -> Iterator[Component]:
    for each in found:
        if each.name in _ENTRIES:
            yield each
        else:
            yield from _entries(each.inner)


def _name(entry: Component) -> str:
    return " ".join(entry.text("SUMMARY").split())


def _entry(entry: Component, level: int) -> str:
    facts = "\n".join(f"{label}: {value}" for label, value in _facts(entry) if value)
    description = _description(entry.text("DESCRIPTION"))
    comments = [markdown.literal(line.text) for line in entry.all("COMMENT")]
    name = _name(entry) or (
        "Task" if entry.name == "VTODO" else "Event" if entry.name == "VEVENT" else "Entry"
    )
    return "\n\n".join(filter(None, (f"{'#' * level} {name}", facts, description, *comments)))


def _description(text: str) -> str:
    return (
        html.html_to_markdown(text, keep_navigation=True).text
        if _MARKUP.search(text)
        else markdown.literal(text)
    )


def _facts(entry: Component) -> Iterator[tuple[str, str]]:
    first = {line.name: line for line in reversed(entry.lines)}
    if start := first.get("DTSTART"):
        yield "When", times.span(start, first.get("DTEND"), first.get("DURATION"))
    for label, name in (("Due", "DUE"), ("Completed", "COMPLETED")):
        if line := first.get(name):
            yield label, times.shown(line)
    for line in entry.all("RRULE"):
        yield "Repeats", times.repetition(line.value)
    for label, name in (("Also", "RDATE"), ("Except", "EXDATE")):
        moments = [times.shown(each) for line in entry.all(name) for each in _values(line)]
        yield label, ", ".join(moments[:100])
    yield "Status", _STATUS.get(entry.text("STATUS").upper(), "")
    yield "Where", " ".join(entry.text("LOCATION").split())
    yield "Organizer", ", ".join(_person(line) for line in entry.all("ORGANIZER"))
    yield "Attendees", ", ".join(_person(line) for line in entry.all("ATTENDEE"))
    yield "Contact", ", ".join(line.text for line in entry.all("CONTACT"))
    yield "Resources", ", ".join(each for line in entry.all("RESOURCES") for each in line.fields(","))
    yield "Categories", ", ".join(each for line in entry.all("CATEGORIES") for each in line.fields(","))
    yield "Link", ", ".join(line.text for name in ("URL", "CONFERENCE") for line in entry.all(name))


def _values(line: Line) -> list[Line]:
    """A property for each date of a list; of a period its beginning."""
    return [
        Line(line.name, value.split("/")[0], parameters=line.parameters)
        for value in re.split("[,;]", line.value)
        if value
    ]


def _person(line: Line) -> str:
    address = re.sub(r"(?i)^mailto:", "", line.text)
    name = line.parameter("CN").strip()
    shown = f"{name} <{address}>" if name and "@" in address and name != address else name or address
    state = _STATES.get(line.parameter("PARTSTAT").upper(), "")
    return f"{shown} ({state})" if state else shown
