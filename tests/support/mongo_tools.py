#!/usr/bin/env python3
"""Stands in for mongodump and mongorestore, which no registry here has: the options that Semantik uses, as MongoDB's
manual describes them, on a file of its own form. Called by either name; an option that the tools do not know fails.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import bson
import pymongo

DUMP, RESTORE = "mongodump", "mongorestore"


def install(folder: Path) -> None:
    """Both tools, in a folder for PATH."""
    folder.mkdir()
    for name in (DUMP, RESTORE):
        tool = folder / name
        tool.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {name} "$@"\n')
        tool.chmod(0o755)


def main(name: str, argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog=name, allow_abbrev=False)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--gzip", action="store_true", required=True)
    if name == DUMP:
        parser.add_argument("--db", required=True)
    else:
        parser.add_argument("--nsInclude", required=True)
        parser.add_argument("--drop", action="store_true")
        parser.add_argument("--stopOnError", action="store_true")
    options = parser.parse_args(argv)
    assert options.config.stat().st_mode & 0o077 == 0, "others can read the password"
    url = json.loads(options.config.read_text().removeprefix("uri: "))
    if urlsplit(url).path.strip("/"):
        sys.stderr.write(
            "illegal argument combination: cannot specify different database in --db and --uri\n"
        )
        return 1
    try:
        with pymongo.MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=5000) as client:
            (_dump if name == DUMP else _restore)(client, options)
    except pymongo.errors.PyMongoError as error:
        sys.stderr.write(f"Failed: can't create session: could not connect to server {url}: {error}\n")
        return 1
    return 0


def _dump(client: pymongo.MongoClient[dict[str, Any]], options: argparse.Namespace) -> None:
    database = client[options.db]
    with gzip.open(options.archive, "wb") as archive:
        for name in database.list_collection_names():
            for row in database[name].find():
                archive.write(bson.encode({"ns": f"{options.db}.{name}", "row": row}))


def _restore(client: pymongo.MongoClient[dict[str, Any]], options: argparse.Namespace) -> None:
    wanted, dropped = options.nsInclude.removesuffix("*"), set[str]()
    with gzip.open(options.archive, "rb") as archive:
        for entry in bson.decode_file_iter(archive):
            if entry["ns"].startswith(wanted):
                database, _, name = entry["ns"].partition(".")
                if options.drop and name not in dropped:
                    client[database].drop_collection(name)
                dropped.add(name)
                client[database][name].insert_one(entry["row"])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2:]))
