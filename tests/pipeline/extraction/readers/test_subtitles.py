"""Subtitles: running text with times, without numbers, tags, positions and repeats."""

from __future__ import annotations

import pytest

from pipeline.extraction.formats import detect
from pipeline.extraction.readers.subtitles import SubtitleReader


def _read(text: str, suffix: str, encoding: str = "utf-8") -> str:
    data = text.encode(encoding)
    return SubtitleReader().read(data, detect(data, suffix)).text


_SRT = """1
00:00:01,000 --> 00:00:03,500
<i>The ferry leaves</i>
at 7, they say.

2
00:00:03,600 --> 00:00:05,000 X1:10 X2:20
{\\an8}- Who? - Mira &amp; Jón.

3
00:01:10,000 --> 00:01:12,000
1984
was cold.
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_subrip(encoding: str, end: str) -> None:
    text = _read(_SRT.replace("\n", end), ".srt", encoding)
    assert (
        text == "[0:00:01] The ferry leaves at 7, they say. - Who? - Mira & Jón.\n\n[0:01:10] 1984 was cold."
    )


def test_webvtt() -> None:
    text = _read(
        "WEBVTT - Ferry\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE written\nby hand\n\nintro\n"
        "00:01.000 --> 00:02.000 align:start position:0%\n<v.loud Mira>Cast off &lt;now&gt;</v>\n\n"
        "NOTE secret\n\n01:00:02.000 --> 01:00:03.000\n<c.yellow>Aye</c>, <b>aye</b>.\n",
        ".vtt",
    )
    assert text == "[0:00:01] Mira: Cast off <now>\n\n[1:00:02] Aye, aye."


def test_rolling_captions_appear_once() -> None:
    cues = ["the ferry", "leaves at", "seven in", "the morning", "from pier", "number two"]
    text = "WEBVTT\n\n" + "".join(
        f"00:{at:02}.000 --> 00:{at + 1:02}.000\n{cues[at - 1] if at else ' '}\n"
        f"{cue[:3]}<00:{at:02}.500><c>{cue[3:]}</c>\n\n"
        f"00:{at + 1:02}.000 --> 00:{at + 1:02}.010\n{cue}\n \n\n"
        for at, cue in enumerate(cues)
    )
    assert _read(text, ".vtt") == "[0:00:00] the ferry leaves at seven in the morning from pier number two"


def test_repeated_lines_of_a_dialogue_stay() -> None:
    lines = ["No.", "No.", "Why?", "Because.", "Oh."]
    text = "".join(
        f"{at}\n00:00:{at:02},0 --> 00:00:{at:02},9\n{line}\n\n" for at, line in enumerate(lines, 1)
    )
    assert _read(text, ".srt") == "[0:00:01] No. No. Why? Because. Oh."


def test_long_talks_have_a_time_for_each_paragraph() -> None:
    text = "".join(
        f"{n}\n00:{n * 5 // 60:02}:{n * 5 % 60:02},000 --> 00:{n * 5 // 60:02}:{n * 5 % 60 + 4:02},000\nWord {n}.\n\n"
        for n in range(24)
    )
    assert [part.split("]")[0] for part in _read(text, ".srt").split("\n\n")] == [
        "[0:00:00",
        "[0:00:30",
        "[0:01:00",
        "[0:01:30",
    ]


def test_substation_alpha() -> None:
    text = _read(
        "[Script Info]\nTitle: x\n\n[V4+ Styles]\nStyle: Default,Arial\n\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,{\\i1}Second{\\i0}, with a comma\\Nand a line\n"
        "Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,hidden\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,First.\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0{\\p0}\n",
        ".ass",
    )
    assert text == "[0:00:01] First. Second, with a comma and a line"


def test_a_file_without_cues_is_its_own_text() -> None:
    assert _read("Not a subtitle at all.", ".srt") == "Not a subtitle at all."
