"""reStructuredText: headings, directives, roles, tables."""

# ruff: noqa: E501 - a source and its text in one line

from __future__ import annotations

import pytest

from pipeline.extraction.markup.restructured_text import RestructuredText


def _text(source: str) -> str:
    return RestructuredText(source).text


def test_headings_of_any_underline() -> None:
    document = RestructuredText(
        "####\nDyke\n####\n\nNorth\n~~~~~\n\nGate\n^^^^\n\nSouth\n~~~~~\n\n水門\n^^^^\n"
    )
    assert document.title == "Dyke"
    assert document.text == "# Dyke\n\n## North\n\n### Gate\n\n## South\n\n### 水門"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("See :ref:`the gate <gate-label>` and :func:`~dyke.gate.open`, *now* **please** ``a*b_c``.", "See the gate and open, now please a*b_c."),
        ("A `link <http://x.example>`_, another_ one, `two words`_ and a footnote [1]_.", "A link, another one, two words and a footnote [1]."),
        (r"An escaped \*star\* and |pump|s." + "\n\n.. |pump| replace:: water *pump*", "An escaped *star* and water pumps."),
        (r"10\ :sup:`6` cells, H\ :sub:`2`\ O, :math:`\frac{a}{b} \le x_{i+1}`", "10⁶ cells, H₂O, a/b ≤ x_(i+1)"),
        (".. [1] The note.", "[1] The note."),
        (".. _target:\n\n.. a comment\n   of two lines\n\nText.", "Text."),
        ("Term\n  Meaning.\n\n..\n\n   A quoted heron.\n\n..\n   a comment", "Term: Meaning.\n\nA quoted heron."),
        (".. include:: secret.txt\n\n.. raw:: html\n\n   <b>no</b>\n\nText.", "Text."),
        (".. toctree::\n   :maxdepth: 2\n\n   intro\n\nText.", "Text."),
        (".. image:: a.png\n   :alt: The old gate\n   :width: 40", "The old gate"),
        (".. figure:: a.png\n   :alt: Gate\n\n   The caption.", "Gate\n\nThe caption."),
        (".. note:: Mind the\n   gap.", "Note: Mind the gap."),
        (".. warning::\n\n   Do not *jump*.\n\n   Ever.", "Warning: Do not jump.\n\nEver."),
        (".. code-block:: python\n   :linenos:\n\n   def a():\n       return 1\n", "```python\ndef a():\n    return 1\n```"),
        ("Like this::\n\n    pump --on\n\nEnd.", "Like this:\n\n```\npump --on\n```\n\nEnd."),
        (".. versionadded:: 2.1\n   The gate.", "New in version 2.1: The gate."),
        (".. function:: open(by)\n\n   Opens it.", "open(by)\n\nOpens it."),
        (":Author: Mara\n:Date: 2024", "Author: Mara\n\nDate: 2024"),
        ("- one\n  goes on\n- two\n\n  more\n\n1. first\n#. next", "- one goes on\n\n- two\n  more\n\n1. first\n\n- next"),
        ("gate\n    A thing that\n    opens.", "gate: A thing that opens."),
        ("| Roses\n| Violets", "Roses\nViolets"),
        (">>> 1 + 1\n2\n\nEnd.", "```\n>>> 1 + 1\n2\n```\n\nEnd."),
        (".. list-table:: Gates\n   :header-rows: 1\n\n   * - Gate\n     - Height\n   * - North\n     - very\n       high", "Gates\n\n| Gate | Height |\n| --- | --- |\n| North | very high |"),
        ('.. csv-table::\n   :header: "Gate", "m"\n\n   "North, old", 3', "| Gate | m |\n| --- | --- |\n| North, old | 3 |"),
        ("===== ===\nGate  m\n===== ===\nNorth 3\nSouth *4*\n===== ===", "| Gate | m |\n| --- | --- |\n| North | 3 |\n| South | 4 |"),
        ("+------+-----+\n| Gate | m   |\n+======+=====+\n| The  | 3   |\n| old  |     |\n+------+-----+", "| Gate | m |\n| --- | --- |\n| The old | 3 |"),
        ("堤防は\n高い。", "堤防は高い。"),
    ],
)  # fmt: skip
def test_blocks(source: str, text: str) -> None:
    assert _text(source) == text


def test_deep_and_damaged_texts_end() -> None:
    nested = "".join(" " * (2 * n) + "- x\n\n" for n in range(200))
    for source in (
        nested,
        "=" * 50_000,
        "`" * 50_000,
        "*a" * 20_000,
        ".. a::\n" * 5000,
        "|a\n" * 5000,
        "+-+\n" * 5000,
    ):
        assert isinstance(_text(source), str)
