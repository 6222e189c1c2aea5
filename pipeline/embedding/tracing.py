"""Traces a model: its layers with half-precision weights become one function that runs without Python.

The time of a query is mostly spent reading weights, and in the interpreter between the layers. Runs in the worker
processes. Loads the model with its libraries, which takes 16 bytes of memory for each parameter.
"""

from __future__ import annotations

import resource
import warnings
from typing import Any

import numpy as np

from pipeline.compute import env
from pipeline.embedding import model
from pipeline.embedding.traced_models import TENSOR_FIELDS, TracedModel

SAMPLES = (
    "What is this?",
    "  Where is “Übersicht.pdf” kept, and who wrote it (東京)? ",
    "one and the same question, asked at length and without an end, " * 60,  # longer than most models read
)
MIN_COSINE = 0.9999  # of vectors of SAMPLES from the traced model and from the model in float32
# Of memory that tracing takes, without the model itself; less for what stays in the model's file.
_BYTES_PER_PARAMETER, _BYTES_PER_STORED_PARAMETER = 16, 8


class Untraceable(Exception):
    """Why a model cannot be traced."""


def check_memory(parameters: int, stored_parameters: int) -> None:
    """Raises Untraceable when memory may not suffice: native code may end the process when an allocation fails."""
    needed = parameters * _BYTES_PER_PARAMETER + stored_parameters * _BYTES_PER_STORED_PARAMETER
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit != resource.RLIM_INFINITY and env.data_bytes() + needed > limit:
        raise Untraceable("tracing it takes more memory than pool.worker_memory_bytes leaves")


def trace(name: str) -> TracedModel:
    """Load and trace a model. Raises Untraceable, or whatever else torch or the model raises."""
    import torch

    encoder = model.load_sentence_transformer(name, "float32")
    model.share_tables(encoder, name)
    tokenizer = model.copy_tokenizer(encoder)
    expected = encoder.encode_query(list(SAMPLES), show_progress_bar=False)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    prompt = encoder.prompts.get("query", encoder.prompts.get(encoder.default_prompt_name)) or ""
    tokenizer.enable_truncation(model.max_tokens(encoder))
    _enable_padding(tokenizer, encoder.tokenizer)
    features = encoder.preprocess([SAMPLES[0]], prompt=prompt, task="query")
    names = tuple(each for each, value in features.items() if isinstance(value, torch.Tensor))
    if unknown := set(names) - set(TENSOR_FIELDS):
        raise Untraceable(f"it also takes {', '.join(sorted(unknown))}")
    constants = {each: value for each, value in features.items() if each not in names}

    _use_half_precision(encoder)
    tensors = tuple(features[name] for name in names)
    traced = TracedModel(prompt, tokenizer, names, _trace_modules(encoder, names, tensors, constants))
    _compare(encoder, traced, expected)
    if tokenizer.padding and not _is_batchable(traced, expected):
        tokenizer.no_padding()
    return traced


def _enable_padding(tokenizer: Any, original: Any) -> None:
    """Pad as the model's own tokenizer does, if it does."""
    names = ("padding_side", "pad_token_id", "pad_token_type_id", "pad_token")
    direction, pad_id, type_id, token = (getattr(original, name, None) for name in names)
    if direction is not None and pad_id is not None and token is not None:
        tokenizer.enable_padding(
            direction=direction, pad_id=pad_id, pad_type_id=type_id or 0, pad_token=token
        )


def _trace_modules(
    encoder: Any, names: tuple[str, ...], tensors: tuple[Any, ...], constants: dict[str, Any]
) -> Any:
    """The encoder as a function of the named tensors, for these `constants`; returns vectors of unit length."""
    import torch

    class Pipeline(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steps = torch.nn.Sequential(*encoder)

        def forward(self, *tensors: Any) -> Any:
            features = self.steps({**constants, **dict(zip(names, tensors, strict=True))})
            return torch.nn.functional.normalize(features["sentence_embedding"].float(), dim=-1)

    with torch.inference_mode(), warnings.catch_warnings():
        # torch warns of whatever may depend on the text; `_compare` checks whether it does.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(Pipeline().eval(), tensors, check_trace=False)  # type: ignore[no-untyped-call]
        return torch.jit.freeze(traced)


def _use_half_precision(module: Any) -> None:
    """Let the linear and the embedding layers of a module read half-precision weights; they compute in float32."""
    import torch

    class HalfPrecisionLinear(torch.nn.Module):
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.packed = torch.ops.quantized.linear_prepack_fp16(layer.weight.data, layer.bias)

        def forward(self, x: Any) -> Any:
            return torch.ops.quantized.linear_dynamic_fp16(x, self.packed)

    class HalfPrecisionEmbedding(torch.nn.Module):
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(layer.weight.data.half(), requires_grad=False)
            self.padding_idx = layer.padding_idx

        def forward(self, ids: Any) -> Any:
            return torch.nn.functional.embedding(ids, self.weight, self.padding_idx).float()

    replacements = {torch.nn.Linear: HalfPrecisionLinear, torch.nn.Embedding: HalfPrecisionEmbedding}
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) in replacements:
                setattr(parent, name, replacements[type(child)](child))


def _is_batchable(traced: TracedModel, expected: np.ndarray) -> bool:
    """Whether texts get the same vectors in one forward pass as alone; not so where a model reads its padding."""
    try:
        vectors = traced.vectors([traced.tokens(text) for text in SAMPLES[:2]])
    except (RuntimeError, ValueError):  # the traced function takes one text only
        return False
    return bool(np.sum(vectors * expected[:2], axis=1).min() >= MIN_COSINE)


def _compare(encoder: Any, traced: TracedModel, expected: np.ndarray) -> None:
    """Raises Untraceable when the traced model has other tokens or other vectors than the model."""
    import torch

    for text, vector in zip(SAMPLES, expected, strict=True):
        features = encoder.preprocess([text], prompt=traced.prompt, task="query")
        pairs = zip(traced.input_names, traced.tensors([traced.tokens(text)]), strict=True)
        if not all(torch.equal(features[name], tensor) for name, tensor in pairs):
            raise Untraceable("it has its own way of tokenizing")
        if not (cosine := float(traced.embed([text])[0] @ vector)) >= MIN_COSINE:
            raise Untraceable(f"the traced model gives other vectors (cosine {cosine:.5f})")
