"""A saved search that is deleted while its matches are saved leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from semantik.core.models import MAIL, Alert, SavedSearch, new_id, now
from semantik.services.notifications.alert_saver import AlertSaver
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store

pytestmark = pytest.mark.gen_test


@asynccontextmanager
async def _store(tmp_path: Path) -> AsyncIterator[Store]:
    async with (
        data_lock(tmp_path) as lock,
        embedded(tmp_path, True, False, lock) as stores,
        Store(stores.mongo_url, "test", stores.mongo_reads_url) as store,
    ):
        yield store


def _search(number: int) -> SavedSearch:
    return SavedSearch(f"s{number}", "anna", "Lamps", "green lamp", "hybrid", now(), now(), mail=True)


def _alert(search: SavedSearch, seq: int) -> Alert:
    return Alert(
        id=f"{search.id}:c:{seq}", number=0, user_id="anna", search_id=search.id, search_name="Lamps",
        collection_id="c", generation=1, seq=seq, document_id="d", path="/a.txt", name="a.txt", title=None,
        page=None, heading=None, text="The lamp is green.", score=0.9, created_at=now(),
    )  # fmt: skip


async def _delete(store: Store, search: SavedSearch) -> None:
    """What `SavedSearchService.delete` does, in its order."""
    await store.saved_searches.remove(search.id)
    await store.deliveries.remove_target(MAIL + search.id)
    await store.alerts.remove_search(search.id)


async def test_alerts_of_a_search_that_is_deleted_while_they_are_saved_go(tmp_path: Path) -> None:
    async with _store(tmp_path) as store:
        token = new_id()
        number = await store.alerts.claim("anna", token, 60)
        assert number is not None
        kept = _search(-1)
        await store.saved_searches.add(kept)
        saver: AlertSaver
        stages = ["before", "alerts.added", "alerts.queued", "after"]
        for at, stage in enumerate(stages):
            search = _search(at)
            await store.saved_searches.add(search)
            deletion: list[asyncio.Task[None]] = []

            def reached(
                name: str,
                stage: str = stage,
                search: SavedSearch = search,
                begun: list[asyncio.Task[None]] = deletion,
            ) -> None:
                if name == stage:
                    begun.append(asyncio.create_task(_delete(store, search)))

            if stage == "before":
                await _delete(store, search)
            saver = AlertSaver(store, lambda: None, lambda: None, reached)
            number = await saver.save([_alert(search, 1), _alert(kept, at)], token, number)
            if stage == "after":
                await _delete(store, search)
            await asyncio.gather(*deletion)
            assert bool(deletion) == stage.startswith("alerts.")
            left = {each.search_id for each in await store.alerts.after("anna", 0, 100)}
            assert left == {kept.id}, stage
            due = await store.deliveries.due(MAIL + search.id, now(), 10)
            assert not due, stage
        assert len(await store.alerts.after("anna", 0, 100)) == len(stages)
