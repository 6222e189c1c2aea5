#!/bin/sh
# distributed 2026.8.0 (Dask): cancelling one `await future.result()` at the wrong moment spoils the client for ever.
#
# An asynchronous client fetches the results that are wanted at the same time together. The task that fetches them is
# made first and clears the client's note of it when it begins. Where the only one who waits is cancelled in between, as
# by asyncio.wait_for or a TaskGroup, the cancelled fetch stays noted, and every later result() of that client raises
# asyncio.CancelledError, though nobody cancelled it; the status of the client stays "running". In a TaskGroup such a task
# counts as ended, so that the program may wait for ever without an error. Waiting for the result in a task of its own
# that is never cancelled, and releasing the future instead, avoids it.
#
# Seen: after one cancellation in the fourth step of the loop three later results: CancelledError each.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check distributed==2026.8.0
cat > "$folder/try.py" <<'PYTHON'
import asyncio

from distributed import Client, LocalCluster


async def main():
    async with (
        LocalCluster(n_workers=1, processes=False, asynchronous=True, dashboard_address=None) as cluster,
        Client(cluster, asynchronous=True) as client,
    ):
        for steps in range(1, 40):
            done = client.submit(int, 1, pure=False)
            await done
            waiter = asyncio.create_task(done.result())
            for _ in range(steps):
                await asyncio.sleep(0)
            waiter.cancel()
            await asyncio.wait([waiter])
            try:
                await asyncio.wait_for(client.submit(int, 2, pure=False).result(), 20)
            except asyncio.CancelledError:
                break
        else:
            raise SystemExit("no later result was cancelled")
        print(f"one result() cancelled after {steps} steps of the loop; client.status: {client.status}")
        later = []
        for number in range(3):
            try:
                later.append(await client.submit(int, number, pure=False).result())
            except asyncio.CancelledError as error:
                later.append(type(error).__name__)
        print("three later results:", later)
        assert later == ["CancelledError"] * 3


asyncio.run(main())
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
