"""Migrates the rows of an older version to the current schema, when a server opens the database.

Every step may be repeated: it leaves rows of the new schema alone, so a crash in between does no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from semantik.core.errors import ConfigError
from semantik.storage.mongo.table import Record, Table

log = logging.getLogger("semantik.store.migration")

SCHEMA = 3
_OF_GENERATION = ("model", "precision", "chunk_size", "chunk_overlap", "dimension", "last_seq", "counts")


async def migrate(meta: Table, tables: Mapping[str, Table]) -> None:
    """Migrate the database to `SCHEMA`. Raises ConfigError when a newer version has written it."""
    row = await meta.find_one({"_id": "schema"})
    version = int(row["value"]) if row else 1
    if version > SCHEMA:
        raise ConfigError(
            f"The database has the form {version} of a newer Semantik, and this one knows forms up to {SCHEMA}: "
            "run the newer one."
        )
    if version < SCHEMA:
        if version < 2:
            await _to_2(tables)
        await _to_3(tables)
        await meta.upsert({"_id": "schema"}, {"$set": {"value": SCHEMA}})


async def _to_2(tables: Mapping[str, Table]) -> None:
    """Adds generations, due documents, watched sources, and stages of operations."""
    old = await tables["collections"].find({"generations": {"$exists": False}})
    for row in old:
        await tables["collections"].update_one({"_id": row["_id"]}, {"$set": _with_generations(row)})
    await tables["sources"].update_many(
        {"removing": {"$exists": False}},
        {
            "$set": {
                "interval_s": None,
                "immediate": False,
                "scan_id": None,
                "scanned_at": None,
                "removing": False,
            }
        },
    )
    documents = tables["documents"]
    fields = {"due": None, "fence": "", "missing": False, "old_first": -1, "old_count": 0}
    await documents.update_many({"old_first": {"$exists": False}}, {"$set": fields})
    async for rows in documents.pages({"status": "pending", "due": None}, "_id", 500):
        await documents.bulk_update(
            [({"_id": one["_id"]}, {"$set": {"due": one["operation_id"]}}) for one in rows]
        )
    await tables["operations"].update_many(
        {"stages": {"$exists": False}}, {"$set": {"wish": {}, "settings": {}, "stages": []}}
    )
    if old:
        log.info("migrated %d collections of an older version", len(old))


async def _to_3(tables: Mapping[str, Table]) -> None:
    """Adds the mark of clean collections; drops an index that the one with the generation replaces."""
    await tables["collections"].update_many({"at_rest": {"$exists": False}}, {"$set": {"at_rest": False}})
    await tables["documents"].drop_index([("source_id", 1), ("path", 1)])


def _with_generations(row: Record) -> Record:
    number = int(row["generation"])
    generation = {name: row[name] for name in _OF_GENERATION}
    generation |= {"number": number, "settled_seq": row["last_seq"], "operation_id": None}
    return {
        "generations": {f"g{number}": generation},
        "fence": None,
        "retire_at": None,
        "next_generation": number + 1,
    }
