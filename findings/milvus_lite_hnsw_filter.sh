#!/bin/sh
# milvus-lite 3.2.2: a search with a filter on an HNSW index finds fewer rows than there are, and not the nearest.
#
# 20 000 random vectors, a filter of 100 ids, the 10 nearest of them asked for. Milvus itself compares all rows that a
# narrow filter leaves; milvus-lite walks the graph and drops what the filter excludes.
#
# Seen: of the 10 nearest it returns one or a few; with the index FLAT all 10.
# Exits with 0 as long as HNSW returns fewer than 8 of them while FLAT returns all.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pymilvus==3.0.2 milvus-lite==3.2.2
cat > "$folder/try.py" <<'PYTHON'
import sys

import numpy as np
from pymilvus import DataType, MilvusClient

rng = np.random.default_rng(0)
vectors = rng.standard_normal((20_000, 64)).astype(np.float32)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
ids = sorted(rng.choice(20_000, 100, replace=False).tolist())
expected = {ids[i] for i in np.argsort(-(vectors[ids] @ vectors[0]))[:10]}
client = MilvusClient(sys.argv[1])
found = {}
for kind, params in (("HNSW", {"M": 16, "efConstruction": 200}), ("FLAT", {})):
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=64)
    index = MilvusClient.prepare_index_params()
    index.add_index("vector", index_type=kind, metric_type="COSINE", params=params)
    client.create_collection(kind, schema=schema, index_params=index)
    for at in range(0, 20_000, 2000):
        client.insert(kind, [{"id": i, "vector": vectors[i].tolist()} for i in range(at, at + 2000)])
    client.flush(kind)
    client.load_collection(kind)
    hits = client.search(kind, [vectors[0].tolist()], limit=10, filter=f"id in {ids}", output_fields=["id"])[0]
    found[kind] = len({hit["id"] for hit in hits} & expected)
client.close()
print("of the 10 nearest:", found)
sys.exit(0 if found["HNSW"] < 8 and found["FLAT"] == 10 else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder/lite.db"
