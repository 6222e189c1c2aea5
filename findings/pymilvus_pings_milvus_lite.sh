#!/bin/sh
# pymilvus 3.0.2 with milvus-lite 3.2.2: a connection without calls is closed by the server again and again.
#
# The library asks gRPC for a ping every ten seconds, also while there is no call ("keepalive_permit_without_calls"). The
# gRPC server of milvus-lite keeps gRPC's own rule, one ping in five minutes without data, and closes the connection with
# GOAWAY, ENHANCE_YOUR_CALM, "too_many_pings". gRPC's C core writes that to the standard error of the client's process,
# past Python's logging, and opens a new connection. A Milvus of its own permits such pings.
#
# Seen: one GOAWAY in the client's standard error during 100 seconds without a call; the next call answers.
# Exits with 0 as long as there is one. Takes two minutes.
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
import sys
import time

from pymilvus import AsyncMilvusClient


async def main() -> None:
    client = AsyncMilvusClient(uri=sys.argv[1], timeout=60)
    print("before:", await client.list_collections())
    await asyncio.sleep(100)
    began = time.perf_counter()
    print("after:", await client.list_collections(), f"in {time.perf_counter() - began:.3f} s")
    await client.close()


asyncio.run(main())
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "http://127.0.0.1:$port" 2> "$folder/errors"
grep -o 'debug data equal to "[a-z_]*"' "$folder/errors" | sort | uniq -c
grep -q too_many_pings "$folder/errors"
