"""Runs the program tesseract on the picture of one page. Runs in the worker processes.

Knows neither files nor documents. The program is a process of its own: it ends at the deadline, and with its worker.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from dataclasses import dataclass

from PIL import Image

from semantik.core.child_environment import child_environment

_PR_SET_PDEATHSIG = 1
_NICENESS = 5  # below the other tasks of the pool, whose workers have a niceness already
_WORD_LEVEL = "5"
_COLUMNS = 12
_libc = ctypes.CDLL(None)


class PageTimeout(Exception):
    """The page was not recognised before its deadline."""


class TesseractFailed(Exception):
    """The program ended with an error; the message is its last line."""


@dataclass(frozen=True)
class Word:
    """A recognised word: `line` names its line (block, paragraph, line), `confidence` is 0 to 100."""

    line: tuple[int, int, int]
    text: str
    confidence: float
    height: int


def recognise(picture: Image.Image, languages: str, *, layout: int, deadline: float) -> list[Word]:
    """The words of a grey picture in reading order; `languages` like "eng+deu", `layout` is tesseract's --psm.

    `deadline` is a time of `time.monotonic`. Raises PageTimeout, TesseractFailed.
    """
    command = ["tesseract", "stdin", "stdout", "-l", languages, "--psm", str(layout)]
    command += ["-c", "tessedit_create_tsv=1"]
    data = b"P5 %d %d 255\n" % picture.size + picture.tobytes()
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise PageTimeout
    try:
        ended = subprocess.run(
            command,
            input=data,
            capture_output=True,
            timeout=remaining,
            env={**child_environment(os.environ), "OMP_THREAD_LIMIT": "1"},
            preexec_fn=_set_up_process,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PageTimeout from error
    except OSError as error:
        raise TesseractFailed(f"tesseract cannot be started: {error.strerror}") from error
    if ended.returncode:
        lines = ended.stderr.decode(errors="replace").strip().splitlines()
        raise TesseractFailed(lines[-1][:200] if lines else f"status {ended.returncode}")
    return words(ended.stdout.decode(errors="replace"))


def words(tsv: str) -> list[Word]:
    """The words of tesseract's TSV output."""
    found = []
    for row in tsv.split("\n"):
        columns = row.split("\t", _COLUMNS - 1)
        if len(columns) == _COLUMNS and columns[0] == _WORD_LEVEL and (text := columns[11].strip()):
            line = (int(columns[2]), int(columns[3]), int(columns[4]))
            found.append(Word(line, text, float(columns[10]), int(columns[9])))
    return found


def _set_up_process() -> None:
    """In the new process: it must not outlive its worker, which may be killed at any time."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(_NICENESS)
