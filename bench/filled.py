"""A data folder with a collection of many passages, made once and used by every measure that needs one."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path

from bench.corpus import HOME, small_files
from bench.serving import index, serving
from semantik.store.migration import SCHEMA

_DONE = "bench.json"  # written last: what the folder holds, and in which form


async def filled(count: int) -> tuple[Path, str]:
    """A data folder, and in it the id of a collection of `count` files with one passage each.

    It is made anew when it is not complete, or has another form of the database.
    """
    home = HOME / f"data-{count}"
    wanted = {"schema": SCHEMA, "passages": count}
    done = home / _DONE
    if done.exists():
        found = json.loads(done.read_text("utf-8"))
        if wanted.items() <= found.items():
            return home, found["collection"]
    print(f"{home} is made; that takes some minutes.", file=sys.stderr)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    async with serving(home) as server:
        collection, record = await index(server.client, small_files(count))
    done.write_text(json.dumps({**wanted, "collection": collection}), "utf-8")
    print(f"{home} is complete after {record['progress']}", file=sys.stderr)
    return home, collection


if __name__ == "__main__":
    asyncio.run(filled(int(sys.argv[1])))
