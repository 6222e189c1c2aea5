"""Compound files, which old Office documents are: their streams and properties. Runs in the worker processes."""

from __future__ import annotations

import io
from typing import Any

from pipeline.extraction.content import ExtractError
from pipeline.extraction.opc import Properties
from semantik.core.metadata import split_tags

LIBRARIES = ("olefile",)
_MAX_STREAM = 500 << 20  # bytes


class CompoundFile:
    """One compound file."""

    def __init__(self, data: bytes) -> None:
        """Raises ExtractError for a file that is damaged."""
        import olefile

        try:
            self._ole: Any = olefile.OleFileIO(io.BytesIO(data))
        except MemoryError:
            raise
        except Exception as error:  # olefile raises whatever damaged numbers lead to
            raise ExtractError("corrupt", "The file is a compound file that is damaged.") from error

    def stream(self, name: str) -> bytes:
        """The bytes of a stream. Raises ExtractError if it is missing, damaged or too large."""
        try:
            if self._ole.get_size(name) > _MAX_STREAM:
                raise ExtractError("too_large", f"The file's stream {name} is too large.")
            return bytes(self._ole.openstream(name).read())
        except (MemoryError, ExtractError):
            raise
        except Exception as error:  # as above
            raise ExtractError(
                "corrupt", f"The file has lost its stream “{name}”, or it is damaged."
            ) from error

    def properties(self) -> Properties:
        """Title, author, date and keywords; fields are None where they are missing or damaged."""
        try:
            found = self._ole.get_metadata()
            page = found.codepage or 1252
            date = found.last_saved_time or found.create_time
            return Properties(
                _line(found.title, page),
                _line(found.author, page),
                date.isoformat() if date else None,
                split_tags(_line(found.keywords, page) or ""),
            )
        except MemoryError:
            raise
        except Exception:  # as above; the text is what counts
            return Properties()


def _line(value: bytes | None, page: int) -> str | None:
    """A property's text on one line; `page` is the code page of its bytes."""
    encoding = "utf-8" if page in (65001, -535) else "utf-16-le" if page == 1200 else f"cp{page % 65536}"
    try:
        text = (value or b"").decode(encoding, "replace")
    except LookupError:
        text = (value or b"").decode("cp1252", "replace")
    return " ".join(text.split("\0")[0].split()) or None
