"""Jupyter notebooks of all formats: what is read of cells and outputs, and what is left out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import detect
from pipeline.extraction.readers.notebook import NotebookReader

_PICTURE = base64.b64encode(bytes(range(256)) * 8).decode()


def _read(notebook: Any, **options: Any) -> Content:
    data = json.dumps(notebook, **options).encode()
    return NotebookReader().read(data, detect(data, ".ipynb"))


def _notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _code(source: Any, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": 917,
        "metadata": {},
        "source": source,
        "outputs": list(outputs),
    }


def _display(data: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": {}}


@pytest.mark.parametrize("escaped", [True, False])
def test_letters_of_all_scripts_are_read_escaped_or_not(escaped: bool) -> None:
    cell = {
        "cell_type": "markdown",
        "source": ["## Höhe der Brücke\n", "\n", "Мост 桥 🌉 *steht* & [hält](http://x.example/)."],
    }
    content = _read(_notebook(cell), ensure_ascii=escaped)
    assert content.text == "## Höhe der Brücke\n\nМост 桥 🌉 *steht* & hält."


def test_code_is_fenced_with_the_language_of_the_kernel() -> None:
    kernel = {"kernelspec": {"name": "ir", "language": "R"}, "language_info": {"name": "R"}}
    content = _read(_notebook(_code(["x <- 3\n", "```"]), **kernel))
    assert content.text == "````R\nx <- 3\n```\n````"


def test_outputs_are_text_and_tables_without_pictures_counts_and_colours() -> None:
    table = "<style>td {x}</style><table>"
    table += "<tr><th>bridge</th><th>m</th></tr><tr><td>Iron &amp; Oak</td><td>41</td></tr></table>"
    traceback = ["\x1b[0;31mValueError\x1b[0m: no \x1b[1mbridge\x1b[0m"]
    content = _read(
        _notebook(
            _code("look()", {"output_type": "stream", "text": ["one span\n", " 10%\r100%\x1b[K done\n"]}),
            _code(
                "frame",
                {
                    "output_type": "execute_result",
                    "execution_count": 917,
                    "data": {"text/html": [table], "text/plain": ["bridge m"], "image/png": _PICTURE},
                },
                _display({"text/plain": ["<Figure size 640x480 with 1 Axes>"], "image/png": _PICTURE}),
                _display({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider(value=3)"}),
                {"output_type": "error", "ename": "ValueError", "evalue": "no bridge", "traceback": traceback},
            ),
        )
    )  # fmt: skip
    assert "one span\n100% done" in content.text
    assert "| bridge | m |" in content.text and "| Iron & Oak | 41 |" in content.text
    assert "ValueError: no bridge" in content.text
    for absent in (_PICTURE[:40], "917", "Figure", "IntSlider", "\x1b", "td {x}", "10%\r"):
        assert absent not in content.text


def test_attachments_and_data_uris_of_cells_are_left_out() -> None:
    cell = {
        "cell_type": "markdown",
        "attachments": {"span.png": {"image/png": _PICTURE}},
        "source": "Before ![The span](attachment:span.png) after.\n\n"
        f"![Again](data:image/png;base64,{_PICTURE})<br>End.",
    }
    content = _read(_notebook(cell))
    assert content.text.startswith("Before The span after.")
    assert "End." in content.text and _PICTURE[:40] not in content.text and "<br>" not in content.text


@pytest.mark.parametrize("version", [2, 3])
def test_old_notebooks_have_worksheets(version: int) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Spans"},
        {"cell_type": "markdown", "source": ["Seven arches."]},
        {
            "cell_type": "code", "language": "python", "input": ["count()"], "prompt_number": 917,
            "outputs": [
                {"output_type": "pyout", "prompt_number": 917, "text": ["7"], "html": ["<b>7</b>"]},
                {"output_type": "display_data", "png": _PICTURE},
                {"output_type": "pyerr", "ename": "KeyError", "evalue": "'arch'", "traceback": []},
            ],
        },
    ]  # fmt: skip
    content = _read(
        {
            "metadata": {"name": ""},
            "nbformat": version,
            "worksheets": [{"cells": cells}, {"cells": cells[1:2]}],
        }
    )
    assert content.text == (
        "## Spans\n\nSeven arches.\n\n```python\ncount()\n```\n\n"
        "```\n7\n```\n\n```\nKeyError: 'arch'\n```\n\nSeven arches."
    )


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b'{"cells": 3}', b'{"cells": [', b"[" * 100_000, b"\xff\xfe\x00"]
)
def test_what_is_no_notebook_is_refused(data: bytes) -> None:
    with pytest.raises(ExtractError):
        NotebookReader().read(data, detect(data, ".ipynb"))


def test_cells_of_wrong_types_are_passed_over() -> None:
    cells = [
        3,
        {},
        {"cell_type": "code", "source": {"a": 1}, "outputs": [7, {"data": []}, {"text": 4}]},
        {"source": [1, "kept"]},
    ]
    assert _read({"cells": cells, "metadata": [], "worksheets": 4}).text == "kept"


def test_html_in_text_cells_reads_as_it_is_shown() -> None:
    cell = {"cell_type": "markdown", "source": "10<sup>6</sup> of H<sub>2</sub>O &amp; `<b>` <!-- no -->"}
    assert _read(_notebook(cell)).text == "10⁶ of H₂O & `<b>`"
