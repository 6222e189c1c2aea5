"""Collections, their generations and their sources as rows of MongoDB, and back.

The row's `at_rest` is the model's `clean`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from semantik.core.models import FOLDER, Collection, Counts, Generation, Share, ShareKind, Source
from semantik.storage.mongo.rows import maybe_time, time_of, to_fields, to_row
from semantik.storage.mongo.table import Record

_TAGS = ("tagging", "tag_version", "tagged_at")


def generation_field(generation: Generation, *name: str) -> str:
    """The path of a generation, or of a field of it, in its collection's row."""
    return ".".join(("generations", _key(generation.number), *name))


def _key(number: int) -> str:
    return f"g{number}"  # a bare number would mean a position in a list


def generation_row(generation: Generation) -> Record:
    row = to_fields(asdict(generation))
    del row["collection_id"]
    return row


def _generation(collection_id: str, row: Record) -> Generation:
    fields = {name: row[name] for name in Generation.__dataclass_fields__ if name in row}
    return Generation(collection_id=collection_id, **{**fields, "counts": Counts(**row["counts"])})


def collection_row(collection: Collection) -> Record:
    """The row of a new collection."""
    row = to_row(collection)
    row["at_rest"] = row.pop("clean")
    return {
        **row,
        "shares": {share_key(one.kind, one.id): one.level for one in collection.shares},
        "generations": {_key(one.number): generation_row(one) for one in collection.generations},
        "name_key": collection.name.lower(),
        "deleted": False,
        "fence": None,
        "retire_at": None,
        "next_generation": collection.generation + 1,
    }


def collection_from_row(row: Record) -> Collection:
    special = ("id", "generations", "created_at", "updated_at", "clean", "shares", "public", *_TAGS)
    fields = {name: row[name] for name in Collection.__dataclass_fields__ if name not in special}
    return Collection(
        id=row["_id"],
        generations=tuple(_generation(row["_id"], one) for one in row["generations"].values()),
        created_at=time_of(row["created_at"]),
        updated_at=time_of(row["updated_at"]),
        clean=bool(row["at_rest"]),
        shares=shares_from_row(row),
        public=bool(row.get("public", False)),
        tagging=int(row.get("tagging") or 0),
        tag_version=int(row.get("tag_version") or 0),
        tagged_at=maybe_time(row.get("tagged_at")),
        **fields,
    )


def share_key(kind: ShareKind, user_or_group_id: str) -> str:
    """The name of a share in the `shares` of its collection's row; its value is the level."""
    return f"{kind}:{user_or_group_id}"


def shares_from_row(row: Record) -> tuple[Share, ...]:
    pairs = ((key.partition(":"), level) for key, level in row.get("shares", {}).items())
    return tuple(Share(cast(ShareKind, kind), id, level) for (kind, _, id), level in pairs)


def source_from_row(row: Record) -> Source:
    return Source(
        id=row["_id"],
        collection_id=row["collection_id"],
        path=row["path"],
        created_at=time_of(row["created_at"]),
        interval_s=row["interval_s"],
        immediate=bool(row["immediate"]),
        scan_id=row["scan_id"],
        scanned_at=maybe_time(row["scanned_at"]),
        removing=bool(row["removing"]),
        reader=row.get("reader", ""),
        user_id=row.get("user_id", ""),
        kind=row.get("kind", FOLDER),
        options=row.get("options", {}),
        secret=row.get("secret", ""),
        exclude=tuple(row.get("exclude") or ()),
        excluded=tuple(row.get("excluded") or ()),
        server=row.get("server", ""),
    )
