"""OpenDocument texts, packed or flat, as Markdown. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import markdown
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.file_format import Format
from pipeline.extraction.markdown_writer import MarkdownWriter
from pipeline.extraction.odf import STYLE, OpenDocument
from pipeline.extraction.odt.blocks import BlockReader
from pipeline.extraction.odt.styles import Styles

_PLACES = ("", "-left", "-first")


class OdtReader:
    """The text as it is seen when all changes are accepted: notes at their marks, headers first, footers last."""

    def read(self, data: bytes, detected: Format) -> Content:
        document = OpenDocument(data)
        try:
            styles = Styles(document.styles())
            reader = BlockReader(document, styles)
            writer = MarkdownWriter()
            reader.read(document.content("text"), writer)
            whole = MarkdownWriter()
            for text in _once(reader, styles, "header"):
                whole.markdown(text)
            whole.extend(writer)
            for text in _once(reader, styles, "footer"):
                whole.markdown(text)
        except RecursionError as error:
            raise ExtractError("too_large", "The document nests its parts too deeply to be read.") from error
        properties = document.properties()
        title = properties.title or markdown.title(writer.text())
        return Content(
            whole.text(),
            title,
            markdown=True,
            author=properties.author,
            date=properties.date,
            tags=properties.tags,
        )


def _once(reader: BlockReader, styles: Styles, kind: str) -> list[str]:
    """The different texts of the headers or footers of the pages that the document uses."""
    texts: dict[str, None] = {}
    for page in styles.used_pages():
        for place in _PLACES:
            node = page.find(f"{STYLE}{kind}{place}")
            if node is not None and node.get(f"{STYLE}display") != "false":
                writer = MarkdownWriter()
                reader.read(node, writer)
                if any(character.isalpha() for character in writer.text()):  # else a page number
                    texts[writer.text()] = None
    return list(texts)
