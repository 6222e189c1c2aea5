#!/bin/sh
# pymilvus 3.0.2 with milvus-lite 3.2.2: the asynchronous create_index makes the index, and then fails.
#
# AsyncMilvusClient asks the server for a timestamp after it has made an index, to wait until it is built. milvus-lite,
# which the synchronous client can use, has no such call.
#
# Seen: UNIMPLEMENTED is raised, and describe_index then says that the index is finished.
# Exits with 0 as long as both are so.
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pymilvus==3.0.2 milvus-lite==3.2.2
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$folder/venv/bin/milvus-lite" server --data-dir "$folder/data" --host 127.0.0.1 --port "$port" > "$folder/log" 2>&1 &
server=$!
for _ in $(seq 240); do
    python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2> "$folder/connect" && break
    sleep 0.25
done
cat > "$folder/try.py" <<'PYTHON'
import asyncio
import logging
import sys

import grpc
from pymilvus import AsyncMilvusClient, DataType

logging.getLogger("pymilvus").setLevel(logging.CRITICAL)


async def main() -> int:
    client = AsyncMilvusClient(uri=sys.argv[1], timeout=60)
    schema = AsyncMilvusClient.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
    await client.create_collection("c", schema=schema)
    index = AsyncMilvusClient.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="COSINE")
    raised = None
    try:
        await client.create_index("c", index)
    except grpc.RpcError as error:
        raised = error.code()
    state = (await client.describe_index("c", "vector"))["state"]
    await client.close()
    print("raised:", raised, "state:", state)
    return 0 if raised == grpc.StatusCode.UNIMPLEMENTED and state == "Finished" else 1


sys.exit(asyncio.run(main()))
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "http://127.0.0.1:$port"
