"""Brings the rows of an older Semantik into today's shape, when a server opens the database.

Every step may be repeated: it does nothing to a row that has its new shape, so a crash in between does no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from semantik.core.errors import ConfigError
from semantik.storage.mongo.table import Record, Table

log = logging.getLogger(__name__)

SCHEMA = 3
_OF_GENERATION = ("model", "precision", "chunk_size", "chunk_overlap", "dimension", "last_seq", "counts")


async def migrate(meta: Table, tables: Mapping[str, Table]) -> None:
    """Raises ConfigError when the database was made by a newer Semantik."""
    row = await meta.get({"_id": "schema"})
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
    """Generations, documents that are due, sources that are watched, stages of operations."""
    old = await tables["collections"].find({"generations": {"$exists": False}})
    for row in old:
        await tables["collections"].change({"_id": row["_id"]}, {"$set": _with_generations(row)})
    await tables["sources"].change_all(
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
    await documents.change_all({"old_first": {"$exists": False}}, {"$set": fields})
    async for rows in documents.pages({"status": "pending", "due": None}, "_id", 500):
        await documents.update_each(
            [({"_id": one["_id"]}, {"$set": {"due": one["operation_id"]}}) for one in rows]
        )
    await tables["operations"].change_all(
        {"stages": {"$exists": False}}, {"$set": {"wish": {}, "settings": {}, "stages": []}}
    )
    if old:
        log.info("brought %d collections of an older Semantik into today's shape", len(old))


async def _to_3(tables: Mapping[str, Table]) -> None:
    """Collections that may be at rest; an index that leads to a generation's documents of a source."""
    await tables["collections"].change_all({"at_rest": {"$exists": False}}, {"$set": {"at_rest": False}})
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
