"""Jupyter notebooks as Markdown: the cells in order, with the text of their outputs. Runs in the worker processes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.extraction import encoding, markdown, terminal
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.markdown_parts import fenced
from pipeline.extraction.markdown_source import as_seen
from pipeline.extraction.readers.html import HtmlReader

_HTML = Format("text/html", "an HTML page")
_ATTACHED = re.compile(r"!\[([^\]]{0,300})\]\((?:attachment|data):[^)]{0,20000000}\)")
_OLD_HEADINGS = range(1, 7)
_MAX_OUTPUT = 200_000  # characters of one cell's output; logs of a training run may have megabytes
# A library's object, of which nothing but its class and address is shown: `<Figure size 640x480 with 1 Axes>`.
_NO_TEXT = re.compile(
    r"\s*(?:<[\w.]+(?: [^<>\n]*)?>|\[<[\w.]+ [^<>]*>(?:, ?<[^<>]*>)*\]|Text\([^\n]*\))\s*\Z"
)


class NotebookReader:
    """A notebook of the format 2, 3 or 4; code stands in fences with the language of the kernel."""

    def read(self, data: bytes, detected: Format) -> Content:
        notebook = _parsed(data)
        language = _language(notebook)
        parts = [part.strip() for cell in _cells(notebook) for part in _cell(cell, language)]
        text = "\n\n".join(part for part in parts if part)
        return Content(text, _title(notebook) or markdown.title(text), markdown=True)


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        notebook = json.loads(encoding.decode(data))
    except (ValueError, RecursionError) as error:
        raise ExtractError(
            "corrupt", "This is a Jupyter notebook that is damaged and cannot be read."
        ) from error
    if not isinstance(notebook, dict) or not isinstance(
        notebook.get("cells", notebook.get("worksheets")), list
    ):
        raise ExtractError("corrupt", "This is JSON, but no Jupyter notebook.")
    return notebook


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    """A text, which a notebook may store line by line."""
    if isinstance(value, list):
        return "".join(each for each in value if isinstance(each, str))
    return value if isinstance(value, str) else ""


def _language(notebook: dict[str, Any]) -> str:
    metadata = _dict(notebook.get("metadata"))
    kernel, info = _dict(metadata.get("kernelspec")), _dict(metadata.get("language_info"))
    name = info.get("name") or kernel.get("language") or metadata.get("language") or ""
    return name if isinstance(name, str) and re.fullmatch(r"[\w+#.-]{1,30}", name) else ""


def _title(notebook: dict[str, Any]) -> str | None:
    title = _dict(notebook.get("metadata")).get("title")
    return " ".join(title.split()) or None if isinstance(title, str) else None


def _cells(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    sheets = [notebook, *(_dict(sheet) for sheet in _list(notebook.get("worksheets")))]
    for sheet in sheets:
        yield from (cell for cell in _list(sheet.get("cells")) if isinstance(cell, dict))


def _cell(cell: dict[str, Any], language: str) -> Iterator[str]:
    kind = cell.get("cell_type")
    source = _text(cell.get("source", cell.get("input")))
    if kind == "code":
        own = cell.get("language")
        yield fenced(source, language or (own if isinstance(own, str) and own.isalnum() else ""))
        for output in _list(cell.get("outputs")):
            yield _output(_dict(output))
    elif kind == "heading":
        level = cell.get("level")
        yield (
            "#" * (level if isinstance(level, int) and level in _OLD_HEADINGS else 1)
            + " "
            + " ".join(source.split())
        )
    elif kind == "html":
        yield _html(source)
    elif kind == "raw":
        yield markdown.literal(source)
    else:
        yield _markdown(source)


def _markdown(source: str) -> str:
    return markdown.readable(as_seen(_ATTACHED.sub(r"\1", source)))


def _html(source: str) -> str:
    page = f"<!doctype html><html><body>{source}</body></html>"
    try:
        return HtmlReader().read(page.encode("utf-8", "replace"), _HTML).text
    except ExtractError:
        return ""


def _output(output: dict[str, Any]) -> str:
    kind = output.get("output_type")
    if kind in ("pyerr", "error"):
        traceback = "\n".join(each for each in _list(output.get("traceback")) if isinstance(each, str))
        message = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
        return _plain(traceback or message)
    if kind == "stream":
        return _plain(_text(output.get("text")))
    data = _dict(output.get("data")) or output
    if any(name.startswith("application/vnd.jupyter.widget") for name in data):
        return ""
    html = _text(data.get("text/html", data.get("html")))
    if "<table" in html.lower() and (text := _html(html[:_MAX_OUTPUT])):
        return text
    if text := _text(data.get("text/markdown")):
        return _markdown(text)
    plain = _text(data.get("text/plain", data.get("text")))
    if plain and not _NO_TEXT.match(plain):
        return _plain(plain)
    return _html(html[:_MAX_OUTPUT]) if html else _text(data.get("text/latex", data.get("latex")))


def _plain(text: str) -> str:
    return fenced(terminal.printed(text[:_MAX_OUTPUT]))
