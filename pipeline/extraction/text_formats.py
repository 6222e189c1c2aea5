"""The formats of texts: which one a suffix stands for, and which one the first bytes prove. Pure.

A suffix decides only where the text may be in that format: `syslog.1` is no man page, and `key.asc` no AsciiDoc.
"""

from __future__ import annotations

import re

from pipeline.extraction import utf_16
from pipeline.extraction.encoding import encoding_of_mark
from pipeline.extraction.file_format import Format
from pipeline.extraction.xml_kinds import DOCBOOK, FICTION_BOOK, vocabulary

_SAMPLE = 4096  # bytes from the beginning that may prove a format

TEXT = Format("text/plain", "a text")
_HTML = Format("text/html", "an HTML page")
_XML = Format("application/xml", "an XML file")
_EXCEL_XML = Format("application/x-spreadsheetml+xml", "an Excel workbook in XML")
_JSON = Format("application/json", "a JSON file")
_TABLE = Format("text/csv", "a text")
_MAN = Format("text/troff", "a man page")
_ASCIIDOC = Format("text/asciidoc", "an AsciiDoc text")
_VTT = Format("text/vtt", "a subtitle file")
_WEB_ARCHIVE = Format("multipart/related", "a saved web page")

_FORMATS: tuple[tuple[str, Format], ...] = (
    (".md .markdown .mdown .mkd .mdx .rmd .qmd", Format("text/markdown", "a Markdown text")),
    (".html .htm .xhtml", _HTML),
    (".eml", Format("message/rfc822", "an e-mail")),
    (".ipynb", Format("application/x-ipynb+json", "a Jupyter notebook")),
    (
        ".json .geojson .jsonl .ndjson .json5 .jsonc .har .webmanifest",
        _JSON,
    ),
    (".fb2", FICTION_BOOK),
    (".dbk .docbook", DOCBOOK),
    (".mhtml .mht", _WEB_ARCHIVE),
    (
        ".xml .svg .rss .atom .rdf .opml .gpx .kml .xsd .xsl .xslt .wsdl .tei .enex .drawio .dio .xliff .xlf .resx",
        _XML,
    ),
    (".csv .tsv .tab .psv", _TABLE),
    (".rst .rest", Format("text/x-rst", "a reStructuredText")),
    (".org", Format("text/org", "an Org text")),
    (".adoc .asciidoc .asc", _ASCIIDOC),
    (".tex .ltx .latex", Format("text/x-tex", "a LaTeX text")),
    (".bib", Format("text/x-bibtex", "a BibTeX file")),
    (".srt", Format("application/x-subrip", "a subtitle file")),
    (".vtt", _VTT),
    (".ass .ssa", Format("text/x-ssa", "a subtitle file")),
)
# The MIME type is text/x-KEY.
SOURCE_CODE = {
    "python": ".py .pyi .pyw",
    "javascript": ".js .mjs .cjs .jsx",
    "typescript": ".ts .tsx .mts .cts",
    "c": ".c .h .cc .cpp .cxx .hpp .hh .hxx .ino .m .mm",
    "java": ".java",
    "csharp": ".cs",
    "kotlin": ".kt .kts",
    "scala": ".scala",
    "swift": ".swift",
    "go": ".go",
    "rust": ".rs",
    "ruby": ".rb .rake",
    "php": ".php",
    "perl": ".pl .pm",
    "lua": ".lua",
    "shellscript": ".sh .bash .zsh .ksh",
    "sql": ".sql",
}
BY_TEXT_SUFFIX = {
    **{suffix: found for suffixes, found in _FORMATS for suffix in suffixes.split()},
    **{
        suffix: Format(f"text/x-{language}", "a text")
        for language, suffixes in SOURCE_CODE.items()
        for suffix in suffixes.split()
    },
}

_MAN_SUFFIX = re.compile(r"\.(?:[1-9n][a-z]{0,6}|man|mdoc|roff|mandoc)\Z")
_MAN_START = re.compile(rb"^[.'][ \t]*(?:TH|Dd|SH|Sh|so)[ \t]+\S", re.MULTILINE)
_XML_START = re.compile(rb"<\?xml\s[^>]{0,200}\?>")
_JSON_START = re.compile(rb"(?:\[\s*)?\{\s*\"(?:[^\"\\\n]|\\.){1,200}\"\s*:")
_XML_ROOTS = (b"<svg ", b"<mxfile ", b"<mxgraphmodel", b"<map version=")  # of files without a declaration
_XML_NAMESPACE = re.compile(rb"<[A-Za-z_][\w:.-]*\s(?:[^<>]{0,400}\s)?xmlns(?::[\w.-]+)?=[\"']")
# Wikis export pages "for Word" as web archives that are named *.doc.
_WORD_ARCHIVE = re.compile(
    rb"(?i)(?:date|message-id|subject|mime-version|from):(?s:.{0,800}?)\ncontent-type:\s*multipart/related"
)
# Also the end of names of backups: `controlDict.org`.
_ORG_START = re.compile(rb"^(?:\*+ \S|[ \t]*#\+\w+)", re.MULTILINE)
_XML_OR_CODE = (".mm", ".ts")  # also those of mind maps, and of translations for Qt
_NO_ASCIIDOC = (b"-----BEGIN ", b"ncols", b"NCOLS")  # an armoured key; a grid of heights


def text_format(data: bytes, suffix: str) -> Format:
    """The format of `data`, which is known to be a text; `suffix` is the lower-case end of its name."""
    start = _start(data)
    if suffix == ".doc" and _WORD_ARCHIVE.match(start):
        return _WEB_ARCHIVE
    named = BY_TEXT_SUFFIX.get(suffix)
    if b"urn:schemas-microsoft-com:office:spreadsheet" in start and _XML_START.match(start):
        return _EXCEL_XML
    if suffix == ".xls" and _by_start(start) == TEXT:  # many programs export tables with tabs under this name
        return _TABLE
    if named == _ASCIIDOC and start.startswith(_NO_ASCIIDOC):
        return TEXT
    if suffix == ".org" and not _ORG_START.search(data[:65_536]):
        return TEXT
    if suffix in _XML_OR_CODE and _by_start(start) == _XML:
        named = _XML
    if named == _XML:
        return vocabulary(data) or named
    if named is not None:
        return named
    if _MAN_SUFFIX.match(suffix) and _MAN_START.search(start):
        return _MAN
    found = _by_start(start)
    return vocabulary(data) or found if found == _XML else found


def _by_start(start: bytes) -> Format:
    lower = start[:1024].lower()
    if lower.startswith((b"<!doctype html", b"<html")):
        return _HTML
    if lower.startswith(b"from: <saved by "):
        return _WEB_ARCHIVE
    if _JSON_START.match(start):
        return _JSON
    if lower.startswith(b"webvtt"):
        return _VTT
    if declared := _XML_START.match(start):
        return _HTML if b"<html" in lower[declared.end() :][:600] else _XML
    if lower.startswith(_XML_ROOTS) or _XML_NAMESPACE.match(start):
        return _XML
    return TEXT


def _start(data: bytes) -> bytes:
    """The first bytes without a mark and spaces, in an encoding that contains ASCII."""
    start = data[:_SAMPLE]
    marked = encoding_of_mark(data) or utf_16.unmarked(data)
    if marked and marked != "utf-8-sig":
        start = start.decode(marked, "ignore").encode()
    return start.lstrip(b"\xef\xbb\xbf \t\r\n")
