"""Subtitles as running text, with the time before each paragraph. Runs in the worker processes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pipeline.extraction import encoding
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format

_PARAGRAPH_S = 30.0  # a paragraph ends with the next sentence after that
_LONGEST_S = 90.0  # and here in any case
_PAUSE_S = 8.0
_CUE = re.compile(
    r"^[ \t]*(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})[ \t]*-+>[ \t]*(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})[^\n]*\n",
    re.MULTILINE,
)
_SPEAKER = re.compile(r"<v(?:\.[^\s>]*)?[ \t]+([^>]+)>")
_TAG = re.compile(r"</?[a-zA-Z0-9][^<>\n]{0,200}>|\{\\[^{}]*\}|\{[yYcCfFsSpPoO]:[^{}]*\}")
_INLINE_TIME = re.compile(r"<\d+:\d\d[.:]")
_NUMBER_LINE = re.compile(r"\n[ \t]*(?:\d+[ \t]*)?\n*\Z")
_NOTE = re.compile(r"^(?:NOTE|STYLE|REGION)\b", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?…。！？]['\")\]»”’]*\Z")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}")


@dataclass(frozen=True)
class _Cue:
    start: float  # seconds
    end: float
    lines: tuple[str, ...]


class SubtitleReader:
    """SubRip and WebVTT, and the dialogue of SubStation Alpha."""

    def read(self, data: bytes, detected: Format) -> Content:
        text = re.sub(r"\r\n?", "\n", encoding.decode(data).removeprefix("\ufeff"))
        cues = list(_dialogue(text) if detected.mime == "text/x-ssa" else _cues(text))
        if not cues:
            return Content(text)
        rolling = _INLINE_TIME.search(text) is not None or _is_rolling(cues)
        return Content("\n\n".join(_paragraphs(_once(cues) if rolling else cues)))


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")


def _cues(text: str) -> Iterator[_Cue]:
    found = list(_CUE.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)]
    for cue, end in zip(found, ends, strict=False):
        body = text[cue.end() : end]
        if end < len(text):
            body = _NUMBER_LINE.sub("", "\n" + body)
        if note := _NOTE.search(body):
            body = body[: note.start()]
        if "\n\n" in body.strip(
            "\n"
        ):  # what follows the blank line is the name of the next cue, or a lost line
            first, *more = body.strip("\n").split("\n\n")
            body = "\n".join([first, *(more if len(more) > 1 or end == len(text) or " " in more[0] else [])])
        yield _Cue(_seconds(*cue.groups()[:4]), _seconds(*cue.groups()[4:]), _lines(body))


def _lines(body: str) -> tuple[str, ...]:
    plain = html.unescape(_TAG.sub("", _SPEAKER.sub(r"\1: ", body)))
    lines = (" ".join(line.split()) for line in plain.split("\n"))
    return tuple(line for line in lines if line)


def _dialogue(text: str) -> Iterator[_Cue]:
    fields = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
    cues = []
    for line in text.split("\n"):
        kind, _, rest = line.partition(":")
        if kind.strip() == "Format" and "Text" in rest:
            fields = rest
        elif kind.strip() == "Dialogue":
            names = [each.strip() for each in fields.split(",")]
            values = rest.split(",", len(names) - 1)
            cue = dict(zip(names, values, strict=False))
            times = [re.match(r"\s*(\d+):(\d+):(\d+)[.:](\d+)", cue.get(key, "")) for key in ("Start", "End")]
            if times[0] and times[1] and not _DRAWING.search(cue.get("Text", "")):
                body = re.sub(r"\{[^{}]*\}", "", cue.get("Text", "")).replace("\\h", " ")
                lines = _lines(re.sub(r"\\[Nn]", "\n", body))
                cues.append(_Cue(_seconds(*times[0].groups()), _seconds(*times[1].groups()), lines))
    yield from sorted(cues, key=lambda cue: cue.start)


def _is_rolling(cues: list[_Cue]) -> bool:
    """Whether most cues begin with the line that the one before ended with, as automatic captions do."""
    repeats = sum(1 for one, other in pairwise(cues) if one.lines and one.lines[-1:] == other.lines[:1])
    return len(cues) >= 4 and repeats * 3 > len(cues)


def _once(cues: list[_Cue]) -> Iterator[_Cue]:
    """The cues without the lines that the ones before have shown."""
    shown: tuple[str, ...] = ()
    for cue in cues:
        if not cue.lines:
            continue
        yield _Cue(cue.start, cue.end, tuple(line for line in cue.lines if line not in shown))
        shown = cue.lines


def _paragraphs(cues: Iterator[_Cue] | list[_Cue]) -> Iterator[str]:
    words: list[str] = []
    start = end = 0.0
    for cue in cues:
        if not cue.lines:
            continue
        long = cue.start - start >= _PARAGRAPH_S and _SENTENCE_END.search(words[-1] if words else "")
        if words and (long or cue.start - start >= _LONGEST_S or cue.start - end >= _PAUSE_S):
            yield _paragraph(start, words)
            words = []
        if not words:
            start = cue.start
        words += cue.lines
        end = cue.end
    if words:
        yield _paragraph(start, words)


def _paragraph(start: float, words: list[str]) -> str:
    minutes, seconds = divmod(int(start), 60)
    return f"[{minutes // 60}:{minutes % 60:02}:{seconds:02}] {' '.join(words)}"
