"""The block of metadata below a note that Joplin exports or synchronises, whose first line is its title. Pure.

Runs in the worker processes.
"""

from __future__ import annotations

import re

from pipeline.extraction.metadata.stated import Stated, from_fields

_IDENTITY = re.compile(r"id: [0-9a-f]{32}\n")
_KIND = re.compile(r"\ntype_: \d{1,2}\Z")
_FIELD = re.compile(r"^([a-z_]{1,60}): ?(.*)$", re.MULTILINE)


def without_back_matter(text: str) -> tuple[str, Stated]:
    """The note below its title, with the address that it was taken from, and what the block states of it.

    A text without such a block is returned as it is.
    """
    note, _, block = text.replace("\r\n", "\n").strip().rpartition("\n\n")
    if not _IDENTITY.match(block) or not _KIND.search(block):
        return text, Stated()
    fields = dict(_FIELD.findall(block))
    title, _, body = note.partition("\n")
    stated = from_fields(
        {
            "title": title,
            "author": fields.get("author", ""),
            "date": fields.get("user_created_time") or fields.get("created_time", ""),
        }
    )
    parts = (f"# {stated.title}" if stated.title else "", body.strip("\n"), fields.get("source_url", ""))
    return "\n\n".join(part for part in parts if part.strip()), stated
