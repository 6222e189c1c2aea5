"""New collections and generations for tests of the MongoDB store."""

from __future__ import annotations

from semantik.core.models import Collection, Generation, new_id, now


def new_collection(owner: str, name: str = "Docs") -> Collection:
    key = new_id()
    return Collection(
        id=key, owner_id=owner, name=name, description="", generation=1, generations=(new_generation(key),), next_seq=0,
        running=None, created_at=now(), updated_at=now(),
    )  # fmt: skip


def new_generation(collection_id: str, number: int = 1) -> Generation:
    return Generation(collection_id, number, "m", "auto", 200, 20)
