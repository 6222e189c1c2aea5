"""What the path of a file says of it: by templates of the settings, and by a date in its name. Pure.

A template like "letters/{author}/{date} {title}.*" fits the end of a path: `*` is anything but a slash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import cache

from semantik.core.metadata import split_authors, split_tags
from semantik.core.models import PathMetadata

FIELDS = ("title", "author", "date", "language", "tag")
TEMPLATES = (
    'a list of ends of paths with {title}, {author}, {date}, {language}, {tag} (as "letters/{author}/*")'
)
_MAX_TEMPLATE = 500
_FIELD = re.compile(r"\{([a-z]+)\}|\*")
_DATE = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)(?:-(?P<m>\d\d)-(?P<d>\d\d)|(?P<m2>\d\d)(?P<d2>\d\d))(?!\d)")
_STATED = re.compile(r"(\d{4})(?:[-_.]?(\d\d)(?:[-_.]?(\d\d))?)?")


def is_template(text: str) -> bool:
    """Whether a text is a template: it has at least one field and only known ones, each but {tag} once."""
    names = [found[1] for found in _FIELD.finditer(text) if found[1]]
    left = _FIELD.sub("", text)
    once = [name for name in names if name != "tag"]
    return (
        bool(names)
        and set(names) <= set(FIELDS)
        and not {"{", "}"} & set(left)
        and len(set(once)) == len(once)
        and len(text) <= _MAX_TEMPLATE
    )


def path_metadata(path: str, templates: Sequence[str]) -> PathMetadata | None:
    """What the first template that fits, and then the name, say of the file at `path`; None if it is nothing."""
    fields: dict[str, list[str]] = {}
    for template in templates:
        pattern, names = _compiled(template)
        if found := pattern.search(path):
            for name, value in zip(names, found.groups(), strict=True):
                fields.setdefault(name, []).append(_readable(value))
            break
    day = _day(fields["date"][0]) if "date" in fields else None
    day = day or _dated(path.rpartition("/")[2])
    language = fields.get("language", [""])[0].lower()
    known = PathMetadata(
        title=fields.get("title", [""])[0] or None,
        authors=tuple(name for value in fields.get("author", ()) for name in split_authors(value)),
        date=day,
        language=language if re.fullmatch("[a-z]{2}", language) else None,
        tags=tuple(tag for value in fields.get("tag", ()) for tag in split_tags(value)),
    )
    return None if known == PathMetadata() else known


@cache
def _compiled(template: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """A pattern for the end of a path, and the names of its groups in order."""
    parts, names, at = ["" if template.startswith("/") else r"(?:\A|/)"], [], 0
    for found in _FIELD.finditer(template):
        parts.append(re.escape(template[at : found.start()]))
        if found[1]:
            names.append(found[1])
            parts.append(r"(\d{4}(?:[-_.]?\d\d){0,2})" if found[1] == "date" else "([^/]+?)")
        else:
            parts.append("[^/]*")
        at = found.end()
    parts.append(re.escape(template[at:]))
    return re.compile("".join(parts) + r"\Z"), tuple(names)


def _readable(value: str) -> str:
    return " ".join(value.replace("_", " ").split())


def _day(value: str) -> str | None:
    found = _STATED.fullmatch(value.replace(" ", "_"))
    if found is None:
        return None
    year, month, day = found.groups()
    if not _exists(year, month or "1", day or "1"):
        return None
    return "-".join(part for part in (year, month, day) if part)


def _dated(name: str) -> str | None:
    """The first whole date in a file's name: 2026-01-31 or 20260131."""
    for found in _DATE.finditer(name):
        year, month, day = found["y"], found["m"] or found["m2"], found["d"] or found["d2"]
        if _exists(year, month, day):
            return f"{year}-{month}-{day}"
    return None


def _exists(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
