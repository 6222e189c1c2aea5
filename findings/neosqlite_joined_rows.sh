#!/bin/sh
# neosqlite 1.17.2 (PyPI, MIT): what $lookup joins is a text of JSON, or lacks its `_id`, depending on what follows.
#
# MongoDB gives the joined rows as a list of documents, each with its `_id`, whatever the next stage is. Here
# `[$match, $lookup]` gives one string that holds the list as JSON; with a `$unionWith` behind it the list is a list,
# and the joined rows have lost their `_id`. A program that joins and reads `_id` fails on the second form only, and one
# that iterates over the list gets the string's characters on the first.
#
# Seen: '[{"_id":"d0","name":"n0"}]' from the first pipeline, [{'name': 'n0'}] from the second.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check neosqlite==1.17.2
cat > "$folder/try.py" <<'PYTHON'
import neosqlite

base = neosqlite.Connection(":memory:")
base.chunks.insert_one({"_id": "c0", "document": "d0"})
base.documents.insert_one({"_id": "d0", "name": "n0"})
base.others.insert_one({"_id": "o0"})
join = [
    {"$match": {"_id": {"$in": ["c0"]}}},
    {"$lookup": {"from": "documents", "localField": "document", "foreignField": "_id", "as": "joined"}},
]
union = {"$unionWith": {"coll": "others", "pipeline": [{"$match": {"_id": {"$in": ["o0"]}}}]}}
alone = next(iter(base.chunks.aggregate(join)))["joined"]
united = next(iter(base.chunks.aggregate([*join, union])))["joined"]
print(repr(alone), repr(united))
assert isinstance(alone, str) and "_id" in alone, "the joined rows are a list now"
assert united == [{"name": "n0"}], "the joined rows have an _id now"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
