"""Which titles of PDF documents name them: many writers put the name of a file or of a program there. Pure.

Runs in the worker processes.
"""

from __future__ import annotations

import re

_NONE = frozenset({
    "", "untitled", "(anonymous)", "(unspecified)", "(unknown)", "anonymous", "unknown", "unspecified", "title",
    "print",
    "powerpoint presentation", "powerpoint-präsentation", "présentation powerpoint", "slide 1", "folie 1",
    "word document", "microsoft word document", "layout 1", "sans titre", "unbenannt", "sin título",
    "presentación de powerpoint", "presentazione standard di powerpoint", "презентация powerpoint",
})  # fmt: skip
_PROGRAM = re.compile(
    r"(?:Microsoft (?:Office )?(?:Word|PowerPoint|Excel|Publisher|Visio|Outlook)|CorelDRAW|Adobe \w+) - "
)
_SUFFIX = re.compile(
    r"\.(?:docx?|dotx?|rtf|odt|txt|wpd|pages|key|numbers|pptx?|ppsx?|odp|xlsx?|xlsm|ods|pdf|ps|eps|ai|dvi|tex|indd|qxd|"
    r"pub|vsdx?|fm|cdr|html?|php|aspx?|svg|jpe?g|png|tiff?|bmp|wmf)\Z",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?:document|dokument|документ|documento)\s?\d*", re.IGNORECASE)


def is_none(text: str) -> bool:
    """Whether a title or an author says nothing."""
    return text.lower() in _NONE or text.isdigit()


def title_of(text: str) -> str:
    """The title without the program and the suffix of a file's name; empty if the rest is no title."""
    name = _PROGRAM.sub("", text, count=1).strip()
    title = _SUFFIX.sub("", name).strip()
    if title != name and not re.search(r"\s", title):
        return ""  # a mere file name, and the document's own says more
    return "" if is_none(title) or _NUMBERED.fullmatch(title) else title
