#!/bin/sh
# neosqlite 1.17.2 (PyPI, MIT): an index of a field together with `_id` can be made, and then no row can be inserted.
#
# `create_index([("user", 1), ("_id", -1)])` succeeds, as in MongoDB, where such an index serves "the newest of one
# user". The expression that it indexes has the path '_id' where '$._id' would be valid, so SQLite refuses every row
# that is inserted afterwards, whatever it holds. On a collection that has rows already the index itself is refused.
#
# Seen: sqlite3.OperationalError: JSON path error near '_id', from insert_one.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check neosqlite==1.17.2
cat > "$folder/try.py" <<'PYTHON'
import sqlite3

import neosqlite

rows = neosqlite.Connection(":memory:").rows
rows.create_index([("user", 1), ("_id", -1)])
try:
    rows.insert_one({"_id": "a", "user": "ann"})
except sqlite3.OperationalError as error:
    print(error)
else:
    raise SystemExit("rows are inserted now")
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
