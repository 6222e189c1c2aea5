"""E-mails, with what is attached to them. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import markdown
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.readers import attachments, kreuzberg_call


class EmailReader:
    """The header and text of an e-mail and of the e-mails attached to it, as Markdown; its files as attachments."""

    name = "email"
    version = 1
    libraries = kreuzberg_call.LIBRARIES

    def read(self, data: bytes, detected: Format) -> Content:
        text, metadata = kreuzberg_call.extract(data, detected, output="markdown")
        text = markdown.readable(text)
        title = kreuzberg_call.title(metadata) or markdown.title(text)
        return Content(text, title, markdown=True, attachments=attachments.attachments(data))
