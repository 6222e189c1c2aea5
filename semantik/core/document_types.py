"""Groups of document types, by the names that people use for them: "pdf", "word", "sheet", "mail". Pure.

A document is of a type when its MIME type says so, or the ending of its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

_OPENXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."


@dataclass(frozen=True, slots=True)
class DocumentType:
    """MIME types (one that ends with a slash stands for all below it) and endings of names, in lower case."""

    mimes: tuple[str, ...]
    endings: tuple[str, ...]


_PDF = DocumentType(("application/pdf",), (".pdf",))
_WORD = DocumentType(
    (
        _OPENXML + "wordprocessingml.document",
        "application/msword",
        _ODF + "text",
        "application/rtf",
        "application/vnd.apple.pages",
    ),
    (".docx", ".docm", ".dotx", ".dotm", ".doc", ".dot", ".odt", ".ott", ".odm", ".fodt", ".rtf", ".pages"),
)
_SHEET = DocumentType(
    (
        _OPENXML + "spreadsheetml.sheet",
        "application/vnd.ms-excel",
        "application/x-spreadsheetml+xml",
        _ODF + "spreadsheet",
        "application/vnd.apple.numbers",
        "text/csv",
    ),
    (
        ".xlsx",
        ".xlsm",
        ".xlsb",
        ".xltx",
        ".xltm",
        ".xls",
        ".ods",
        ".ots",
        ".fods",
        ".numbers",
        ".csv",
        ".tsv",
        ".tab",
        ".psv",
    ),
)
_SLIDES = DocumentType(
    (
        _OPENXML + "presentationml.presentation",
        "application/vnd.ms-powerpoint",
        _ODF + "presentation",
        _ODF + "graphics",
        "application/vnd.ms-visio.drawing.main+xml",
        "application/vnd.xmind.workbook",
        "application/vnd.apple.keynote",
    ),
    (
        ".pptx",
        ".pptm",
        ".ppsx",
        ".ppsm",
        ".potx",
        ".potm",
        ".ppt",
        ".odp",
        ".otp",
        ".fodp",
        ".odg",
        ".otg",
        ".fodg",
        ".vsdx",
        ".vsdm",
        ".vstx",
        ".xmind",
        ".key",
    ),
)
_MAIL = DocumentType(
    (
        "message/",
        "application/mbox",
        "application/vnd.ms-outlook",
        "application/pkcs7-mime",
    ),
    (".eml", ".emlx", ".msg", ".mbox"),
)
_WEB = DocumentType(("text/html", "multipart/related"), (".html", ".htm", ".xhtml", ".mhtml", ".mht"))
_MARKDOWN = DocumentType(("text/markdown",), (".md", ".markdown", ".mdown", ".mkd", ".mdx", ".rmd", ".qmd"))
_TEXT = DocumentType(
    (
        "text/plain", "text/markdown", "text/x-rst", "text/org", "text/asciidoc", "text/troff", "text/x-tex",
        "text/x-bibtex",
    ),
    (".txt", ".text", ".log", ".md", ".markdown", ".rst", ".org", ".adoc", ".asciidoc", ".tex", ".bib"),
)  # fmt: skip
_BOOK = DocumentType(
    (
        "application/epub+zip",
        "application/x-fictionbook+xml",
        "application/docbook+xml",
        "application/vnd.anki",
        "application/jats+xml",
        "application/tei+xml",
    ),
    (".epub", ".fb2", ".dbk", ".docbook", ".apkg", ".colpkg"),
)
_IMAGE = DocumentType(
    ("image/",), (".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".webp", ".bmp", ".jp2", ".djvu")
)
_CODE_LANGUAGES = (
    "python", "javascript", "typescript", "c", "java", "csharp", "kotlin", "scala", "swift", "go", "rust", "ruby",
    "php", "perl", "lua", "shellscript", "sql",
)  # fmt: skip
_CODE = DocumentType(
    (*(f"text/x-{language}" for language in _CODE_LANGUAGES), "application/x-ipynb+json"),
    (
        ".py", ".pyi", ".js", ".mjs", ".jsx", ".ts", ".tsx", ".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".java", ".cs",
        ".kt", ".scala", ".swift", ".go", ".rs", ".rb", ".php", ".pl", ".pm", ".lua", ".sh", ".bash", ".zsh", ".sql",
        ".ipynb",
    ),
)  # fmt: skip
_DATA = DocumentType(
    ("application/json", "application/xml", "text/xml"),
    (
        ".json",
        ".geojson",
        ".jsonl",
        ".ndjson",
        ".xml",
        ".rss",
        ".atom",
        ".gpx",
        ".kml",
        ".yaml",
        ".yml",
        ".toml",
    ),
)
_SUBTITLES = DocumentType(
    ("text/vtt", "application/x-subrip", "text/x-ssa"), (".srt", ".vtt", ".ass", ".ssa")
)
_CALENDAR = DocumentType(("text/calendar",), (".ics", ".ical", ".ifb", ".icalendar", ".vcs"))
_CONTACTS = DocumentType(("text/vcard",), (".vcf", ".vcard"))
_ARCHIVE = DocumentType(
    ("application/zip", "application/gzip", "application/x-tar"), (".zip", ".gz", ".tgz", ".tar")
)

DOCUMENT_TYPES: dict[str, DocumentType] = {
    "pdf": _PDF,
    **dict.fromkeys(("word", "document"), _WORD),
    **dict.fromkeys(("sheet", "sheets", "spreadsheet", "excel", "table"), _SHEET),
    **dict.fromkeys(("slides", "slide", "presentation", "powerpoint"), _SLIDES),
    **dict.fromkeys(("mail", "email", "e-mail", "message"), _MAIL),
    **dict.fromkeys(("web", "html", "page"), _WEB),
    "markdown": _MARKDOWN,
    "text": _TEXT,
    **dict.fromkeys(("book", "ebook", "e-book"), _BOOK),
    **dict.fromkeys(("image", "picture", "photo", "scan"), _IMAGE),
    "code": _CODE,
    "data": _DATA,
    **dict.fromkeys(("subtitles", "subtitle"), _SUBTITLES),
    "calendar": _CALENDAR,
    **dict.fromkeys(("contact", "contacts"), _CONTACTS),
    "archive": _ARCHIVE,
}
_KNOWN_ENDINGS = {ending for each in DOCUMENT_TYPES.values() for ending in each.endings}
_MAX_ENDING = 50


def document_type(name: str) -> DocumentType | None:
    """The type with this name: of the table, an ending that it knows (`docx`), any ending with its dot (`.xyz`), or a
    MIME type (`text/csv`, `image/*`). None where there is none."""
    plain = name.strip().lower()
    if plain in DOCUMENT_TYPES:
        return DOCUMENT_TYPES[plain]
    ending = plain if plain.startswith(".") else f".{plain}"
    if ending in _KNOWN_ENDINGS:
        return DocumentType((), (ending,))
    if plain.startswith(".") and 1 < len(plain) <= _MAX_ENDING and "/" not in plain and "\\" not in plain:
        return DocumentType((), (plain,))
    kind, slash, sub = plain.partition("/")
    if slash and kind.isalpha() and kind.isascii() and sub:
        return DocumentType((f"{kind}/" if sub == "*" else plain,), ())
    return None


def type_name(mime: str, path: str) -> str:
    """The first name of a document's type; of one that the table does not know the ending of its name, or "other"."""
    dot = path.rfind(".")
    ending = path[dot:].lower() if dot > path.rfind("/") else ""
    return _type_name(mime, ending)


@cache
def _type_name(mime: str, ending: str) -> str:
    for name, each in DOCUMENT_TYPES.items():
        kinds = tuple(kind for kind in each.mimes if kind.endswith("/"))
        if mime in each.mimes or mime.startswith(kinds) or ending in each.endings:
            return name
    return ending[1:] if 1 < len(ending) <= _MAX_ENDING and ending[1:].isalnum() else "other"
