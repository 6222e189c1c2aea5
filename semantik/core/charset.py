"""Whether the bytes of a text are UTF-8, to be said where they are sent. Pure."""

from __future__ import annotations

import codecs

SAMPLE_BYTES = 256 << 10
_HTML_HEAD_BYTES = 1024  # where browsers look for an encoding that the page itself states
_ESCAPE = b"\x1b"  # of ISO-2022, whose bytes are ASCII


def charset_of(sample: bytes, mime: str) -> str | None:
    """`utf-8` if the first `SAMPLE_BYTES` of a text are that, and do not name their encoding themselves.

    Without it browsers take a text for Windows-1252. None leaves it to them.
    """
    if not mime.startswith("text/") or _ESCAPE in sample:
        return None
    if mime == "text/html" and b"charset" in sample[:_HTML_HEAD_BYTES].lower():
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)  # the last character may be cut in two
    except UnicodeDecodeError:
        return None
    return "utf-8"
