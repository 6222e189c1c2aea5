"""Stores of one's own that a server has filled, copied for another data folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pymongo
import redis
from support.redis_server import given_redis
from support.server import given_stores

_FIRST = 64  # databases of Redis below belong to servers of the tests


def copied_stores(source: Path, target: Path) -> dict[str, str]:
    """Settings for the data folder `target`: a copy of the MongoDB database of `source`, and an empty Redis.

    Nothing for embedded stores, which are copied with their folder.
    """
    copy_database(source, target)
    found = given_stores(target)
    if url := given_redis():
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
        url = re.sub(r"[?&]db=\d+$", "", url)
        found["SEMANTIK_REDIS_URL"] = f"{url}{'&' if '?' in url else '?'}db={_FIRST + int(worker)}"
        _empty(found["SEMANTIK_REDIS_URL"])
    return found


def copy_home(source: Path, target: Path) -> None:
    """As a data folder that is copied with its embedded stores: the same rows, and no other server's streams."""
    copy_database(source, target)
    if url := given_redis():
        _empty(url)


def copy_database(source: Path, target: Path) -> None:
    """For the data folder `target`; does nothing where MongoDB is embedded."""
    before, after = (given_stores(data).get("SEMANTIK_MONGO_DATABASE", "") for data in (source, target))
    if not before:
        return
    url = os.environ["SEMANTIK_TEST_MONGO_URL"]
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        for name in client[before].list_collection_names():
            # Without the row which says that there are indexes: they are not copied.
            if rows := list(client[before][name].find({"_id": {"$ne": "indexes"}})):
                client[after][name].insert_many(rows)


def _empty(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushdb()
