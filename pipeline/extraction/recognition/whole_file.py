"""Recognises all pages of one file in this process, for a command that shows what is read of files.

The server recognises page by page in its pool instead, and keeps each text.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence

from pipeline.extraction.content import ExtractError
from pipeline.extraction.recognition.installation import Recognition
from pipeline.extraction.recognition.page_picture import page_picture
from pipeline.extraction.recognition.page_texts import Pictures
from pipeline.extraction.recognition.recogniser import recognise_picture
from pipeline.extraction.recognition.tesseract import PageTimeout, TesseractFailed


def recognised_pages(
    data: bytes, mime: str, numbers: Sequence[int], found: Recognition, page_timeout_s: float
) -> Pictures:
    """The texts of the pages `numbers` of a file, whose bytes are `data`; each page may take `page_timeout_s`."""
    texts: dict[int, str] = {}
    warnings = []
    for number in numbers:
        try:
            picture = page_picture(io.BytesIO(data), mime, number)
            deadline = time.monotonic() + page_timeout_s
            texts[number] = recognise_picture(picture, found.languages, deadline).text
        except (ExtractError, PageTimeout, TesseractFailed) as error:
            texts[number] = ""
            reason = "it took too long" if isinstance(error, PageTimeout) else str(error).rstrip(".")
            warnings.append(f"The text of page {number} was not recognised: {reason}.")
    return Pictures(texts, warnings=tuple(warnings))
