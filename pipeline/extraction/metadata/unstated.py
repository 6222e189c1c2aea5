"""What programs write into the properties of a document where nobody has said anything. Pure."""

from __future__ import annotations

# The libraries that make Office files, and what they and Office call a person without a name.
_AUTHORS = frozenset((
    "python-docx", "pptxgenjs", "openpyxl", "apache poi", "exceljs", "phpword", "phpoffice", "sheetjs", "docx4j",
    "aspose", "un-named", "unnamed", "unknown", "unknown creator", "author", "user", "microsoft office user",
    "windows user", "windows-benutzer", "utilisateur windows",
))  # fmt: skip
_TITLES = frozenset((
    "pptxgenjs presentation", "untitled spreadsheet", "untitled document", "untitled presentation", "untitled",
    "word document", "powerpoint presentation", "powerpoint-präsentation", "présentation powerpoint",
    "presentación de powerpoint", "presentazione standard di powerpoint", "презентация powerpoint", "slide 1",
))  # fmt: skip
# When the templates of python-docx and python-pptx were made; the libraries leave them in every new file.
_DATES = frozenset(("2013-12-23T23:15:00Z", "2013-01-27T09:14:16Z", "2013-01-27T09:15:58Z"))


def author(text: str | None) -> str | None:
    """The author, unless it is none."""
    return None if not text or text.casefold() in _AUTHORS else text


def title(text: str | None) -> str | None:
    """The title, unless it is none."""
    return None if not text or text.casefold() in _TITLES else text


def is_date(text: str) -> bool:
    """Whether a date is that of the document."""
    return bool(text) and text not in _DATES
