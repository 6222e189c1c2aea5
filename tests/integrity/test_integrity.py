"""Each inconsistency between MongoDB, the index and the streams is reported, repaired, and not reported again."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import run
from support.api import index, new_user
from support.integrity_faults import (
    FAULTS,
    first_operation,
    missing_vector,
    old_chunk,
    open_scene,
    wrong_counts,
)
from support.server import serve

from semantik.core.models import Lease, new_id, now
from semantik.integrity import CHECKS, check, repair

pytestmark = [pytest.mark.gen_test, pytest.mark.server]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("integrity")
    folder = home / "folder"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.txt").write_text(f"The lamp {name} of the pier burned all night.")

    async def fill() -> None:
        serving = serve(home / "data", "--auth-registration", "open", "--pool-workers", "1")
        await index(await new_user(serving), folder)
        assert serving.stop() == 0

    run(fill())
    return home / "data"


async def test_a_stopped_server_leaves_no_issues(prepared: Path, tmp_path: Path) -> None:
    async with open_scene(prepared, tmp_path) as scene:
        assert await scene.issues() == []
        assert len(CHECKS) == 8


@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_is_reported_and_repaired(prepared: Path, tmp_path: Path, name: str) -> None:
    cause, kinds = FAULTS[name]
    async with open_scene(prepared, tmp_path) as scene:
        await cause(scene)
        issues = await scene.issues()
        assert {issue.kind for issue in issues} == kinds
        assert all(issue.description.endswith(".") for issue in issues)
        for _ in range(3):
            await repair(await scene.issues())
        assert [issue for issue in await scene.issues() if not issue.informational] == []


@pytest.mark.parametrize("name", ["missing chunks", "old chunks", "half-removed document"])
async def test_a_repair_makes_the_next_scan_visit_the_source(
    prepared: Path, tmp_path: Path, name: str
) -> None:
    async with open_scene(prepared, tmp_path) as scene:
        [source] = await scene.store.collections.sources([scene.collection.id])
        generation = scene.collection.current
        assert scene.collection.clean and await scene.store.folder_digests.get(generation, source.id)
        await FAULTS[name][0](scene)
        await repair(await scene.issues())
        assert await scene.store.folder_digests.get(generation, source.id) is None
        assert not (await scene.store.collections.get(scene.collection.id)).clean


async def test_documents_due_for_the_next_scan_are_informational(prepared: Path, tmp_path: Path) -> None:
    async with open_scene(prepared, tmp_path) as scene:
        document = scene.documents[0]
        await scene.update(scene.store.documents, document.id, due=document.operation_id)
        await repair(await scene.issues())  # repairs the counts
        [note] = await scene.issues()
        assert note.informational and note.description.endswith("ended early: 1.")


async def test_an_index_in_use_by_a_server_is_not_repaired(prepared: Path, tmp_path: Path) -> None:
    async with open_scene(prepared, tmp_path) as scene:
        await missing_vector(scene)
        served = dataclasses.replace(scene.context, served=True)
        [issue] = await check(served)
        assert issue.repair is None and issue.remedy.startswith("stop the server")


async def test_the_state_of_a_running_operation_is_no_issue(prepared: Path, tmp_path: Path) -> None:
    """An operation that runs or will resume accounts for chunks above the settled seq, old chunks and wrong counts."""
    async with open_scene(prepared, tmp_path) as scene:
        operation = await first_operation(scene)
        lease = Lease("a server", "token", now() + timedelta(hours=1))
        running = dataclasses.replace(
            operation, id=new_id(), status="processing", completed_at=None, lease=lease
        )
        await scene.store.operations.add(running)
        for cause in (wrong_counts, old_chunk):
            await cause(scene)
        assert scene.collection.next_seq - 1 == scene.collection.current.settled_seq
        await scene.update(scene.store.collections, scene.collection.id, running=running.id)
        assert await scene.issues() == []
