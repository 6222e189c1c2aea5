"""Old Word documents (DOC of Word 6 to 2003) as Markdown. Runs in the worker processes."""

from __future__ import annotations

import io
from typing import Any

from pipeline.extraction import markdown
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.doc import file_information as places
from pipeline.extraction.doc import tables
from pipeline.extraction.doc.marks import Marks, Span
from pipeline.extraction.doc.runs import Runs
from pipeline.extraction.doc.stories import StoryReader
from pipeline.extraction.file_format import Format
from pipeline.extraction.markdown_writer import MarkdownWriter
from pipeline.extraction.windows_charsets import codec_of_language, codec_of_page
from semantik.core.metadata import split_tags

_MAX_STREAM = 512 << 20  # bytes
_DAMAGED = "This is an old Word document that is damaged and cannot be read."


class DocReader:
    """The text as it is seen when all changes are accepted: notes at their marks, headers first, footers last."""

    def read(self, data: bytes, detected: Format) -> Content:
        import olefile

        try:
            with olefile.OleFileIO(io.BytesIO(data)) as file:
                return _read(file)
        except ExtractError:
            raise
        except (MemoryError, KeyboardInterrupt, SystemExit):
            raise
        except Exception as error:  # numbers in a damaged file lead anywhere
            raise ExtractError("corrupt", _DAMAGED) from error


def _read(file: Any) -> Content:
    stream = _stream(file, "WordDocument")
    if not stream:
        raise ExtractError(
            "corrupt", "This is a Microsoft compound file without the text of a Word document."
        )
    information = places.read(stream)
    table = _stream(file, information.table_name)
    runs = Runs(stream, table, _stream(file, "Data"), information)
    marks = Marks(runs, information)
    list_place, list_length = information.place(places.LISTS)
    numbering = tables.numbering(table[list_place:] if list_length else b"", runs.part(places.LIST_USES))
    codec = None if information.word97 else codec_of_language(information.language)
    if information.macintosh and codec == "cp1252":
        codec = "mac_roman"
    reader = StoryReader(
        runs,
        marks,
        tables.styles(runs.part(places.STYLES), information.word97),
        numbering,
        tables.fonts(runs.part(places.FONTS), information.word97),
        codec,
    )
    headers, footers = marks.headers()
    body = reader.read(0, information.counts[0])
    for box in marks.loose_boxes:
        body.extend(reader.text_of(box))
    whole = MarkdownWriter()
    for text in _once(reader, headers):
        whole.markdown(text)
    whole.extend(body)
    for text in _once(reader, footers):
        whole.markdown(text)
    title, author, date, keywords = _summary(file)
    return Content(
        whole.text(),
        title or markdown.title(body.text()),
        markdown=True,
        author=author,
        date=date,
        tags=split_tags(keywords or ""),
    )


def _once(reader: StoryReader, spans: list[Span]) -> list[str]:
    texts = dict.fromkeys(reader.text_of(span).text() for span in spans)
    return [text for text in texts if any(map(str.isalpha, text))]


def _stream(file: Any, name: str) -> bytes:
    if not file.exists(name):
        return b""
    return bytes(file.openstream(name).read(_MAX_STREAM))


def _summary(file: Any) -> tuple[str | None, str | None, str | None, str | None]:
    """Title, author, the date of the last change, and keywords."""
    try:
        found = file.get_metadata()
    except Exception:  # a damaged summary costs itself
        return None, None, None, None
    codec = codec_of_page(
        abs(found.codepage or 1252) if (found.codepage or 0) >= 0 else 65536 + found.codepage
    )
    date = found.last_saved_time or found.create_time
    return (
        _line(found.title, codec),
        _line(found.author, codec),
        date.isoformat() if hasattr(date, "isoformat") and date.year > 1980 else None,
        _line(found.keywords, codec),
    )


def _line(value: object, codec: str | None) -> str | None:
    text = value.decode(codec or "cp1252", "replace") if isinstance(value, bytes) else str(value or "")
    return " ".join(text.replace("\0", " ").split()) or None
