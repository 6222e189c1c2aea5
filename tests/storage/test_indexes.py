"""Indexes are created once for each state of the code that declares them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store, indexes
from semantik.storage.mongo.table import Table

pytestmark = pytest.mark.gen_test


async def test_a_second_start_asks_for_no_index_until_the_code_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[tuple[str, int]]] = []
    create_index = Table.create_index

    async def counted(self: Table, keys: Sequence[tuple[str, int]], unique: bool = False) -> None:
        asked.append(keys)
        await create_index(self, keys, unique)

    monkeypatch.setattr(Table, "create_index", counted)
    async with data_lock(tmp_path) as lock, embedded(tmp_path, True, False, lock) as stores:

        async def opened() -> int:
            asked.clear()
            async with Store(stores.mongo_url, "test", stores.mongo_reads_url) as store:
                assert await store.collections.all() == []
            return len(asked)

        first = await opened()
        assert first > 50
        assert await opened() == 0
        monkeypatch.setattr(indexes, "_digest", lambda: "of other code")
        assert (await opened(), await opened()) == (first, 0)
