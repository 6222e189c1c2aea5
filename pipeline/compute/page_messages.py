"""The arguments and results of recognising the text of pages: frozen, picklable dataclasses.

Imports no other module at run time, as `messages.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.compute.messages import FileTask


@dataclass(frozen=True)
class PageTask:
    """A page whose text is to be recognised with `languages`, like "eng+deu"; `number` as in `Content.pages`.

    `mime` is the format of the file or part, and `modified_ns` its time when it was read; a part has none. `engine` is
    that of this server, like "tesseract-5.3.0": texts of another one may differ.
    """

    file: FileTask
    mime: str
    number: int
    languages: str
    modified_ns: int | None
    engine: str


@dataclass(frozen=True)
class PageText:
    """What was recognised on a page: empty where it shows no text, or where `problem` says why not, in a sentence.

    `confidence` is 0 to 100, `turned` the degrees counter-clockwise by which the page was turned to read it. With
    `lost`, the file is not what it was, so nothing can be said of its page. With `uncertain`, the problem may be one of
    the machine: another one may read the page.
    """

    text: str
    confidence: float = 0.0
    turned: float = 0.0
    problem: str | None = None
    lost: bool = False
    uncertain: bool = False
