"""The architecture page lists the lines to read for "how one file is indexed"; they stay few, and are counted right."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "architecture.md"
HEADING = "### How one file is indexed"
MAX_LINES = 500
TOLERANCE = 10


def test_how_one_file_is_indexed_is_read_in_five_hundred_lines() -> None:
    _, found, text = PAGE.read_text().partition(f"\n{HEADING}\n")
    assert found, HEADING
    table = re.findall(r"^\| (`\w+/.+?) \| (\d+) \|", text.partition("\n### ")[0], re.MULTILINE)
    documented = {what: int(number) for what, number in table}
    counted = {what: _lines(*re.findall(r"`([\w./]+)`", what)) for what in documented}
    assert len(documented) >= 5
    assert {what: n for what, n in counted.items() if abs(n - documented[what]) > TOLERANCE} == {}
    assert sum(counted.values()) <= MAX_LINES


def _lines(path: str, *functions: str) -> int:
    """The lines of a file, or of some functions in it."""
    text = (ROOT / path).read_text()
    if not functions:
        return len(text.splitlines())
    nodes = {
        node.name: node for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    return sum((nodes[name].end_lineno or 0) - nodes[name].lineno + 1 for name in functions)
