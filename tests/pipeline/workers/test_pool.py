"""The pool with real worker processes: files, vectors, and tasks that kill their worker."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from conftest import run
from support.patience import deadline, patience
from support.pools import MODEL, OPTIONS, ready_pool, tasks_of
from support.server import ROOT, SAMPLES

from pipeline.compute.messages import ChunkingOptions, FileTask, ModelSpec, ReadDocument, ReadFailure
from semantik.core.errors import Invalid, Unavailable

pytestmark = pytest.mark.usefixtures("fork_server")


def _samples() -> list[FileTask]:
    return [
        FileTask(each.name, str(each), each.stat().st_size, roots=("/",))
        for each in sorted(SAMPLES.iterdir())
    ]


def test_samples_are_read_embedded_and_found() -> None:
    async def test() -> None:
        async with ready_pool() as pool:
            documents = await pool.read(_samples(), OPTIONS)
            assert [each.document_id for each in documents] == [each.document_id for each in _samples()]
            chunks = [
                (each.document_id, chunk)
                for each in documents
                if isinstance(each, ReadDocument)
                for chunk in each.chunks
            ]
            vectors = await pool.embed(MODEL, [chunk.text for _, chunk in chunks])
            assert (vectors.shape, vectors.dtype) == ((len(chunks), 384), np.float16)
            assert np.allclose(np.linalg.norm(vectors.astype(np.float32), axis=1), 1, atol=2e-3)
            query = await pool.embed_queries(MODEL, ["What do I do when the generator fails?"])
            assert (query.shape, query.dtype) == ((1, 384), np.float32)
            assert np.allclose(np.linalg.norm(query), 1, atol=1e-6)
            name, best = chunks[int((vectors @ query[0]).argmax())]
            assert (name, best.page) == ("power-and-heating.pdf", 2)

    run(test())


def test_a_pool_describes_its_model_and_its_workers() -> None:
    async def test() -> None:
        async with ready_pool(niceness=10) as pool:
            assert pool.is_ready
            info = await pool.describe(MODEL)
            assert (info.name, info.dimension, info.max_chunk_tokens) == (MODEL.name, 384, 254)
            assert (await pool.describe(ModelSpec("all-MiniLM-L6-v2", "float32"))).precision == "float32"
            await pool.embed(MODEL, ["x"])
            workers = pool.workers()
            # The second batch worker starts in the background; a third one checks the traced model and ends.
            while sorted(each.role for each in workers) != ["batch", "batch", "question"]:
                await asyncio.sleep(0.1)
                workers = pool.workers()
            server = psutil.Process().nice()
            for each in workers:
                assert psutil.Process(each.pid).nice() == server + (10 if each.role == "batch" else 0)
                assert 0 < each.uss_bytes < 300 << 20
            assert (await pool.embed(MODEL, [])).shape == (0, 384)

    run(test())


def test_the_server_imports_no_heavy_library() -> None:
    """A process with a pool has loaded neither torch nor the extractor."""
    code = (
        "import sys, pipeline.workers.pool, pipeline.scanning.walker\n"
        "heavy = {'torch', 'sentence_transformers', 'transformers', 'tokenizers', 'selectolax', 'pypdfium2'}\n"
        "heavy &= {*sys.modules}\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=patience())


def test_vectors_do_not_depend_on_batching() -> None:
    async def test() -> None:
        texts = [f"Passage {i} " + "about the mountain " * (i % 20) for i in range(60)]
        async with ready_pool(batch_chunks=16) as pool:
            together = (await pool.embed(MODEL, texts)).astype(np.float32)
            alone = (await pool.embed(MODEL, texts[17:18])).astype(np.float32)
            assert together.shape == (60, 384)
            assert float(together[17] @ alone[0]) > 0.995
            assert int((together @ alone[0]).argmax()) == 17

    run(test())


def test_a_model_that_cannot_be_loaded_is_an_invalid_argument() -> None:
    async def test() -> None:
        unknown = ModelSpec("nobody/nothing", "auto")
        async with ready_pool() as pool:
            for attempt in (
                pool.describe(unknown),
                pool.embed(unknown, ["x"]),
                pool.embed_queries(unknown, ["x"]),
                pool.read(_samples(), ChunkingOptions(unknown.name, 200, 20)),
            ):
                with pytest.raises(Invalid, match="There is no model 'nobody/nothing'"):
                    await attempt

    run(test())


@pytest.mark.parametrize(
    ("action", "category", "text"),
    [
        ("crash", "worker_died", "SIGKILL"),
        ("hang", "timeout", "{limit_s:g} seconds"),
        ("memory", "worker_died", "more memory than the 512 MB"),
    ],
)
def test_a_file_that_kills_its_worker_fails_alone(
    action: str, category: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMANTIK_FAILPOINT", f"extract:{action}:evil")
    files = tasks_of(tmp_path, "one.txt", "two.txt", "evil.txt", "three.txt")

    async def test() -> None:
        limit_s = round(patience(1.5 if action == "hang" else 60), 1)
        async with ready_pool(file_timeout_s=limit_s) as pool:
            found = await pool.read(files, OPTIONS)
            assert [each.document_id for each in found] == [each.document_id for each in files]
            failure = found.pop(2)
            assert isinstance(failure, ReadFailure)
            assert (failure.category, failure.skipped) == (category, False)
            assert text.format(limit_s=limit_s) in failure.message
            assert all(isinstance(each, ReadDocument) for each in found)
            alone = await pool.read(files[2:3], OPTIONS)
            assert isinstance(alone[0], ReadFailure)
            assert alone[0].category == category

    run(test())


def test_bad_files_fail_without_affecting_the_good_ones(tmp_path: Path) -> None:
    files = tasks_of(tmp_path, "good.txt", "empty.txt", "gone.txt")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "gone.txt").unlink()

    async def test() -> None:
        async with ready_pool() as pool:
            good, empty, gone = await pool.read(files, OPTIONS)
        assert isinstance(good, ReadDocument)
        assert good.chunks[0].text == "The file good.txt tells of the lighthouse."
        assert isinstance(empty, ReadFailure)
        assert (empty.category, empty.skipped) == ("empty", True)
        assert isinstance(gone, ReadFailure)
        assert (gone.category, gone.skipped) == ("unreadable", False)

    run(test())


def test_a_chunk_that_kills_its_worker_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMANTIK_FAILPOINT", "embed:crash:poison")

    async def test() -> None:
        async with ready_pool() as pool:
            with pytest.raises(Invalid, match="The chunk “a poison pill"):
                await pool.embed(MODEL, ["good", "better", "a poison pill", "best"])
            assert (await pool.embed(MODEL, ["good"])).shape == (1, 384)

    run(test())


def test_a_cancelled_task_frees_its_worker_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMANTIK_FAILPOINT", "extract:hang:evil")
    files = tasks_of(tmp_path, "evil.txt", "good.txt")

    async def test() -> None:
        async with ready_pool(workers=1) as pool:
            await pool.describe(MODEL)
            before = pool._batch.readers.pids()
            reading = asyncio.create_task(pool.read(files[:1], OPTIONS))
            waiting = asyncio.create_task(pool.read(files[1:], OPTIONS))
            async with deadline():
                vectors = await pool.embed_queries(MODEL, ["still answered?"])
            assert vectors.shape == (1, 384)
            assert not waiting.done()
            reading.cancel()
            assert isinstance((await waiting)[0], ReadDocument)
            assert pool._batch.readers.pids() != before

    run(test())


def test_any_importable_function_runs_in_a_worker() -> None:
    async def test() -> None:
        async with ready_pool() as pool:
            assert await pool.run(os.path.join, "a", "b", timeout_s=patience()) == "a/b"
            assert await pool.run(os.getpid, timeout_s=patience()) in [each.pid for each in pool.workers()]
            with pytest.raises(ValueError, match="invalid literal"):
                await pool.run(int, "x", timeout_s=patience())
            with pytest.raises(Unavailable, match="took too long"):
                await pool.run(signal.pause, timeout_s=0.5)
            with pytest.raises(Unavailable, match="ended with status 3"):
                await pool.run(os._exit, 3, timeout_s=patience())

    run(test())
