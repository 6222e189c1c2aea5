#!/bin/sh
# distributed 2026.8.0: a setting distributed.comm.timeouts.tcp of 10 s or less is accepted, and then no connection can be made.
#
# The setting says after how long an idle connection counts as lost (default 30 s). distributed splits it into a first wait of at
# least 2 s and ten probes of at least 1 s each; with 10 s nothing is left for the wait, and an assertion ("Timeout too low")
# fails in each new connection. The scheduler starts and listens, and its log shows the AssertionError of a callback; workers and
# clients that do not have the setting only see connections that close, and try for ever. 11 s works.
# Exits with 0 as long as a client connects with 11 s and does not with 10 s.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check distributed==2026.8.0
cd "$folder"
cat > try.py <<'PYTHON'
import asyncio
import logging
import sys

import dask
from distributed import Client, Scheduler

logging.disable(logging.CRITICAL)


async def connects(timeout: str) -> bool:
    dask.config.set({"distributed.comm.timeouts.tcp": timeout, "distributed.comm.timeouts.connect": "5s"})
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False, dashboard_address="127.0.0.1:0") as scheduler:
        try:
            async with asyncio.timeout(20):
                async with Client(scheduler.address, asynchronous=True, timeout=5):
                    return True
        except (OSError, TimeoutError, AssertionError) as error:
            print(f"{timeout}: {type(error).__name__}: {str(error)[:100]}")
            return False


for timeout, expected in (("11s", True), ("10s", False)):
    found = asyncio.run(connects(timeout))
    print(f"{timeout}: {'connected' if found else 'not connected'}")
    if found is not expected:
        sys.exit(1)
PYTHON
"$folder/venv/bin/python" try.py
