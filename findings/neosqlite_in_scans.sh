#!/bin/sh
# neosqlite 1.17.2 (PyPI, MIT): a find by $in on an indexed field reads the whole table.
#
# With an index on `path`, find({"path": "p7"}) becomes a comparison of the indexed expression, and SQLite searches the
# index. find({"path": {"$in": ["p7"]}}) becomes another expression, for which no index fits: SQLite scans the table,
# so that a look-up of 500 names among 200 000 rows takes as long as reading all of them. A range around the names,
# {"$gte": first, "$lte": last}, uses the index.
# Exits with 0 as long as $in scans and the range does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check neosqlite==1.17.2
cat > "$folder/try.py" <<'PYTHON'
import neosqlite

base = neosqlite.Connection(":memory:")
base.files.insert_many([{"_id": str(n), "path": f"p{n}"} for n in range(1000)])
base.files.create_index("path")
statements = []
base.db.set_trace_callback(statements.append)


def plan(where):
    """How SQLite carries out the statement that reads the rows."""
    statements.clear()
    found = [row["path"] for row in base.files.find(where)]
    assert found == ["p7"], found
    [read] = [each for each in statements if each.startswith("SELECT") and "FROM files" in each.replace('"', "")]
    return [row[3] for row in base.db.execute(f"EXPLAIN QUERY PLAN {read}")]


plans = {
    "a value": plan({"path": "p7"}),
    "a range": plan({"path": {"$gte": "p7", "$lte": "p7"}}),
    "$in": plan({"path": {"$in": ["p7"]}}),
}
for name, steps in plans.items():
    print(f"{name}: {steps}")
assert any(step.startswith("SCAN files") for step in plans["$in"]), "$in uses an index now"
assert all(step.startswith("SEARCH files USING INDEX") for step in (*plans["a value"], *plans["a range"]))
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
