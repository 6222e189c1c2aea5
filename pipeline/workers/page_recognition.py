"""Recognises the text of one page of a file, or of a part of a container, in a worker process.

The server imports this module too, to name its functions. So what draws and recognises is imported when it is needed.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import time
from dataclasses import dataclass
from typing import BinaryIO

from pipeline import failpoints
from pipeline.compute import env
from pipeline.compute.page_messages import PageTask, PageText
from semantik.core.upload_paths import is_upload

# Beyond the time of a page: tesseract ends at its deadline by itself, but drawing a page may not.
_GRACE_S = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PageOptions:
    """How a page is recognised: limits of a file and of the time, forbidden folders, a failpoint."""

    max_file_bytes: int
    forbidden: tuple[str, ...]
    page_timeout_s: float
    failpoint: str

    @property
    def limit_s(self) -> float:
        """The time after which the worker is killed."""
        return page_limit_s(self.page_timeout_s)


def page_limit_s(page_timeout_s: float) -> float:
    """How long a worker may take for a page that may take `page_timeout_s`."""
    return page_timeout_s + _GRACE_S


def timed_out(timeout_s: float) -> str:
    """The problem of a page that took too long."""
    return f"its recognition took longer than {timeout_s:g} seconds (documents.ocr_page_timeout_s)"


def recognise_page(task: PageTask, options: PageOptions) -> PageText:
    """The text of a page, straightened first; for what can be wrong with it see `PageText`."""
    from pipeline.extraction.content import ExtractError
    from pipeline.extraction.recognition.tesseract import PageTimeout, TesseractFailed

    # By default the signal kills the process, so native code that hangs ends too. The pool sees which signal it was.
    signal.setitimer(signal.ITIMER_REAL, options.limit_s)
    try:
        failpoints.reach(options.failpoint, "recognise", task.file.name)
        return _recognise(task, options)
    except ExtractError as error:
        message = error.message[0].lower() + error.message[1:].rstrip(".")
        return PageText("", problem=message, lost=error.category == "unreadable")
    except PageTimeout:
        return PageText("", problem=timed_out(options.page_timeout_s))
    except TesseractFailed as error:
        return PageText("", problem=f"tesseract has failed ({error})", uncertain=True)
    except MemoryError:
        raise
    except Exception as error:
        _log.exception("recognising page %d of %s failed", task.number, task.file.name)
        problem = f"there was an unexpected error ({type(error).__name__})"
        return PageText("", problem=problem, uncertain=True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        env.return_freed_memory()


def _recognise(task: PageTask, options: PageOptions) -> PageText:
    from pipeline.extraction.content import ExtractError
    from pipeline.extraction.recognition.page_picture import page_picture
    from pipeline.extraction.recognition.recogniser import recognise_picture
    from pipeline.workers.open_files import OpenFiles

    deadline = time.monotonic() + options.page_timeout_s
    with OpenFiles(options.forbidden, options.max_file_bytes) as files, files.open(task.file) as (file, _):
        if not _is_unchanged(file, task):
            raise ExtractError("unreadable", "The file has changed.")
        picture = page_picture(file, task.mime, task.number)
    found = recognise_picture(picture, task.languages, deadline)
    return PageText(found.text, found.confidence, found.turned)


def _is_unchanged(file: BinaryIO, task: PageTask) -> bool:
    if isinstance(file, io.BytesIO) or task.modified_ns is None:  # a part: its container was compared
        return True
    if is_upload(task.file.path):  # its path names its content
        return True
    status = os.fstat(file.fileno())
    return (status.st_size, status.st_mtime_ns) == (task.file.size, task.modified_ns)
