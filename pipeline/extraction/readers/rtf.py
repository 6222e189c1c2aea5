"""RTF documents as Markdown. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import markdown
from pipeline.extraction.content import Content
from pipeline.extraction.file_format import Format
from pipeline.extraction.markdown_writer import MarkdownWriter
from pipeline.extraction.rtf import words
from pipeline.extraction.rtf.interpreter import Interpreter
from semantik.core.metadata import split_tags


class RtfReader:
    """The text as it is seen: notes at their marks, headers first, footers last."""

    def read(self, data: bytes, detected: Format) -> Content:
        interpreter = Interpreter()
        body = interpreter.run(data, words.do)
        whole = MarkdownWriter()
        for text in interpreter.headers:
            whole.markdown(text if any(map(str.isalpha, text)) else "")
        whole.extend(body)
        for text in interpreter.footers:
            whole.markdown(text if any(map(str.isalpha, text)) else "")
        info = interpreter.info
        title = " ".join(info.get("title", "").split()) or markdown.title(body.text())
        author = " ".join(info.get("author", "").split()) or None
        date = _date(info, "revtim") or _date(info, "creatim")
        return Content(
            whole.text(),
            title,
            markdown=True,
            author=author,
            date=date,
            tags=split_tags(info.get("keywords", "")),
        )


def _date(info: dict[str, str], key: str) -> str | None:
    year, month, day, hour, minute = (
        int(info.get(f"{key} {part}", 0)) for part in ["yr", "mo", "dy", "hr", "min"]
    )
    if not (0 < year < 10_000 and 0 < month <= 12 and 0 < day <= 31):
        return None
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}"
