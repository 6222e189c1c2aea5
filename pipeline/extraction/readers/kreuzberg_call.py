"""The one place that calls kreuzberg, which reads most formats that are not plain text. Runs in the worker processes.

The library is imported when the first file needs it: the server imports this module, too, and must stay small.
"""

from __future__ import annotations

import html
import re
from typing import Any

from pipeline.extraction.content import ExtractError
from pipeline.extraction.formats import Format

LIBRARIES = ("kreuzberg",)
_PAGE_MARK = "\n\n\ue000{page_num}\ue001\n\n"  # private use: the characters survive kreuzberg's escaping
_PAGE_MARK_FOUND = re.compile("\\s*\ue000(\\d+)\ue001\\s*")
_NO_TITLES = {"", "untitled", "(anonymous)", "(unspecified)", "unknown"}


def extract(
    data: bytes, detected: Format, *, output: str, page_marks: bool = False
) -> tuple[str, dict[str, Any]]:
    """The library's text and metadata; `output` is "plain" or "markdown".

    With `page_marks` the text is for `split_pages`. Raises ExtractError for whatever the library cannot read.
    """
    import kreuzberg

    config = kreuzberg.ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        output_format=output,
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
        pages=kreuzberg.PageConfig(insert_page_markers=True, marker_format=_PAGE_MARK)
        if page_marks
        else None,
        html_options={"preprocessing": {"enabled": True, "preset": "aggressive", "remove_navigation": True}},
    )
    config.max_archive_depth = 0  # attachments are read one by one, so that each fails alone
    try:
        result = kreuzberg.extract_bytes_sync(data, detected.mime, config=config)
    except kreuzberg.OCRError as error:
        raise ExtractError(
            "empty", f"This is {detected.name} without text; scans are not read.", True
        ) from error
    except kreuzberg.KreuzbergError as error:
        invalid = isinstance(error, kreuzberg.ValidationError)
        raise _refusal(str(error).lower(), detected.name, invalid) from error
    except (MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the library's Rust side is no Exception
        raise ExtractError(
            "internal", f"The extractor failed at this file ({type(error).__name__})."
        ) from error
    return result.content, dict(result.metadata)


def split_pages(text: str) -> tuple[list[int], list[str]]:
    """The numbers and the texts of the pages that are marked in `text`."""
    pieces = _PAGE_MARK_FOUND.split(text)
    return [int(number) for number in pieces[1::2]], pieces[2::2]


def title(metadata: dict[str, Any]) -> str | None:
    """The title that the file's own metadata gives, an e-mail's subject included; None for a placeholder."""
    found = metadata.get("title")
    if not found and "from_email" in metadata:
        found = metadata.get("subject")
    title = " ".join(html.unescape(str(found or "")).split())
    return None if title.lower() in _NO_TITLES else title


def _refusal(reason: str, name: str, invalid: bool) -> ExtractError:
    if "password" in reason or "encrypt" in reason:
        return ExtractError(
            "corrupt", f"This is {name} that is encrypted and cannot be read without its password."
        )
    if invalid:
        return ExtractError("unsupported", f"This is {name}, which cannot be read.")
    if "security limit" in reason:
        return ExtractError("too_large", f"This is {name} that unpacks to far too much data.")
    return ExtractError("corrupt", f"This is {name} that is damaged and cannot be read.")
