#!/bin/sh
# selectolax 1.0.2 (PyPI, MIT; lexbor): two nodes are equal where their HTML is, and the comparison writes out both.
#
# `node == other` looks like a question for identity, as `isSameNode` of the DOM. It is one for the same HTML: the two
# "Yes" cells of a table are equal, so `cells.index(cell)` and `cell in seen` give a wrong answer. Each comparison
# serialises both subtrees, so a walk that compares with the root at each step takes quadratic time. `node.mem_id` tells
# nodes apart. Also, `css` and `css_first` of a node may find that node itself, which querySelector never does.
#
# Seen: cells[0] == cells[1] is True, cells.index(cells[1]) is 0, table.css("table") holds the table itself.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check selectolax==1.0.2
cat > "$folder/try.py" <<'PYTHON'
from selectolax.lexbor import LexborHTMLParser

tree = LexborHTMLParser("<table><tr><td>Yes</td><td>Yes</td></tr></table>")
cells = tree.css("td")
table = tree.css_first("table")
print(cells[0] == cells[1], cells.index(cells[1]), [node.tag for node in table.css("table")])
assert cells[0].mem_id != cells[1].mem_id
assert cells[0] == cells[1] and cells.index(cells[1]) == 0, "nodes are compared by identity now"
assert [node.tag for node in table.css("table")] == ["table"], "css no longer finds the node itself"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
