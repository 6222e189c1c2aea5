"""Pictures that are written into texts, in every kind of text."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

import pytest
from support.extracted import LIMIT, extract, file

from pipeline.extraction.content import Content
from pipeline.extraction.data_uris import without_data_uris

_DATA = base64.b64encode(random.Random(3).randbytes(3000)).decode()
_URI = f"data:image/png;base64,{_DATA}"
_WRAPPED = "data:image/png;base64,\n" + "\n".join(_DATA[at : at + 76] for at in range(0, len(_DATA), 76))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", f"Rain came.![chart]({_URI})Wind fell."),
        ("a.md", f'Rain came.\n\n![]({_URI} "t"){{width=50%}}\n\nWind fell.'),
        ("a.md", f"Rain came. ![x][p]\n\nWind fell.\n\n[p]: {_URI}\n"),
        ("a.md", f"Rain came. ![x][p]\n\nWind fell.\n\n[p]: <{_URI}> 'title'\n"),
        ("a.md", f"Rain came.<img width=3 src=\"{_URI}\" alt='c'>Wind fell."),
        ("a.md", "Rain came. ![](data:image/svg+xml;utf8,<svg xmlns='u'><path d='M0 0'/></svg>) Wind fell."),
        ("a.md", "Rain came. ![](data:image/svg+xml,%3Csvg%20xmlns='http'%3E%3C/svg%3E) Wind fell."),
        ("a.txt", f"Rain came. {_URI} Wind fell."),
        ("a.txt", f"Rain came.\n{_WRAPPED}\nWind fell."),
        ("a.css", f"/* Rain came. */ a {{ background: url({_URI}) }} /* Wind fell. */"),
        (
            "a.html",
            f"<p>Rain came.<img src='{_URI}'>Wind fell.</p><style>a{{background:url({_URI})}}</style>",
        ),
        (
            "a.html",
            f"<p>Rain came.</p><svg><image href='{_URI}'/></svg><p style='background:url({_URI})'>Wind fell.",
        ),
        ("a.json", json.dumps({"a": "Rain came.", "b": _URI, "c": "Wind fell."})),
        ("a.rst", f"Rain came.\n\n.. image:: {_URI}\n\nWind fell.\n"),
    ],
)
def test_the_sentences_beside_a_picture_stay_and_are_apart(tmp_path: Path, name: str, text: str) -> None:
    found = extract(file(tmp_path, name, text.encode()), LIMIT).text
    assert "Rain came." in found and "Wind fell." in found
    assert "came.Wind" not in found
    assert "data:" not in found and "base64" not in found and "M0 0" not in found
    assert not any(_DATA[at : at + 20] in found for at in range(0, len(_DATA) - 20, 20))


def test_the_alternative_text_stays() -> None:
    for text in (f"![a gauge]({_URI})", f"<img src='{_URI}' alt='a gauge'/>"):
        assert without_data_uris(Content(text)).text == "a gauge"


@pytest.mark.parametrize(
    "text", ["meta data: image/png, base64", "data:", "use data:,x", "see [data](a.png)"]
)
def test_other_data_stays(text: str) -> None:
    assert without_data_uris(Content(text)).text == text


def test_pages_start_where_they_did() -> None:
    first, second = f"One {_URI} end\n\n", "Two"
    content = without_data_uris(Content(first + second + _URI, pages=((1, 0), (2, len(first)))))
    assert content.text[content.pages[1][1] :].startswith("Two")
