#!/bin/sh
# distributed 2026.8.0: a scheduler that is to listen on 127.0.0.1, with TLS only and without a dashboard, serves its state
# in plain HTTP on all addresses of the machine.
#
# `dask scheduler --host 127.0.0.1 --protocol tls --no-dashboard` with distributed.comm.require-encryption still starts an
# HTTP server at port 8787 (or a free one), without TLS and without a password: /json/identity.json, /info/main/workers.html
# (addresses, tasks, logs of workers), /metrics. An address without a host becomes 0.0.0.0, whatever --host says, while the
# log says "dashboard at: http://127.0.0.1:8787". --dashboard-address 127.0.0.1:0 keeps it on the machine.
# Exits with 0 as long as a connection to another address than the given host is answered.
set -eu
folder=$(mktemp -d)
trap 'kill "${scheduler:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check distributed==2026.8.0
cd "$folder"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=one -keyout key.pem -out one.pem 2>errors || cat errors
export DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION=true
"$folder/venv/bin/dask" scheduler --host 127.0.0.1 --port 0 --protocol tls --no-dashboard \
    --tls-ca-file one.pem --tls-cert one.pem --tls-key key.pem 2>log &
scheduler=$!
cat > try.py <<'PYTHON'
import re
import time
import urllib.request
from pathlib import Path

while not (said := re.search(r"dashboard at: +http://127\.0\.0\.1:(\d+)", Path("log").read_text())):
    time.sleep(0.2)
address = f"http://127.0.0.2:{said[1]}/json/identity.json"  # another address of this machine than 127.0.0.1
with urllib.request.urlopen(address, timeout=30) as answer:
    print(address, answer.status, answer.read(80))
PYTHON
"$folder/venv/bin/python" try.py
