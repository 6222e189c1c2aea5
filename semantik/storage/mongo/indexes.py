"""Creates the indexes of all tables, once for each state of the code that declares them: asking for each of some fifty
at every start would cost a tenth of the start."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from semantik.storage.mongo.table import Table

_ROW = "indexes"


class Indexed(Protocol):
    """A table, or several, with indexes; creating those that there are does nothing."""

    async def create_indexes(self) -> None: ...


async def create_indexes(meta: Table, tables: Sequence[Indexed]) -> None:
    """Create what is missing, unless this code has done so in this database. Raises Unavailable."""
    code = await asyncio.to_thread(_digest)
    row = await meta.find_one({"_id": _ROW})
    if row is not None and row["value"] == code:
        return
    for table in tables:
        await table.create_indexes()
    await meta.upsert({"_id": _ROW}, {"$set": {"value": code}})


def _digest() -> str:
    """Of this package, in which all indexes are declared."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
