"""A model as questions use it: a few short texts at a time, through layers of half-precision weights, recorded once.

A question's way through a model is bound by reading the weights, and by the interpreter between the layers. Runs in the
worker processes. A model that cannot be recorded, or gives other vectors then, is used as it was loaded.
"""

from __future__ import annotations

import functools
import logging
import resource
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model, traced_models
from pipeline.embedding.traced_models import FIELDS, TracedModel
from pipeline.workers import worker

SAMPLES = (
    "What is this?",
    "  Where is “Übersicht.pdf” kept, and who wrote it (東京)? ",
    "one and the same question, asked at length and without an end, " * 60,  # more than most models read
)
LIKENESS = 0.9999  # the least cosine to what the model itself makes of the samples
BYTES_TO_RECORD = 16  # of memory, for each parameter, beside the model itself
KEPT_LIKENESS = 0.99  # the same, of a recording that was kept, where the model may be in bfloat16
_log = logging.getLogger(__name__)


class Unsuitable(Exception):
    """Why a model cannot be recorded."""


@functools.lru_cache(maxsize=3)
def load(spec: ModelSpec) -> Callable[[Sequence[str]], np.ndarray]:
    """What makes float32 vectors (n, dimension) of unit length of n questions; raises Invalid as `model.load` does."""
    plain = model.load(spec)
    place = traced_models.path_for(spec.name, model.files_of(spec.name))
    if place and (kept := traced_models.load_kept(place)) and _matches(plain, kept):
        return kept.embed
    try:
        _check_memory(plain.parameters)
        made = record(spec.name)
    except Exception as error:  # whatever a model of any make may raise when it is recorded
        _log.warning("the model %s takes its slower way to embed questions: %s", spec.name, error)
        return plain.embed_questions
    if place:
        traced_models.keep(made, place)
    return made.embed


def _check_memory(parameters: int) -> None:
    """Raises Unsuitable when this process may not take the memory: native code may end it where it does not get it."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit != resource.RLIM_INFINITY and worker.data_bytes() + parameters * BYTES_TO_RECORD > limit:
        raise Unsuitable("to record it takes more memory than pool.worker_memory_bytes leaves")


def _matches(plain: model.Model, kept: TracedModel) -> bool:
    """Whether a recording that was kept does what the model does; its file may be damaged."""
    try:
        found = kept.embed(SAMPLES)
        return bool(np.sum(found * plain.embed_questions(SAMPLES), axis=1).min() >= KEPT_LIKENESS)
    except (RuntimeError, ValueError):  # it takes or gives vectors of another shape
        return False


def record(name: str) -> TracedModel:
    """Record the way of a text through the model; raises Unsuitable, or whatever else torch or the model raises."""
    import torch

    encoder = model.sentence_transformer(name, "float32")
    tokenizer = model.tokenizer_of(encoder)
    expected = encoder.encode_query(list(SAMPLES), show_progress_bar=False)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    prompt = encoder.prompts.get("query", encoder.prompts.get(encoder.default_prompt_name)) or ""
    tokenizer.enable_truncation(model.reads_of(encoder))
    _pad(tokenizer, encoder.tokenizer)
    features = encoder.preprocess([SAMPLES[0]], prompt=prompt, task="query")
    names = tuple(each for each, value in features.items() if isinstance(value, torch.Tensor))
    if unknown := set(names) - set(FIELDS):
        raise Unsuitable(f"it also takes {', '.join(sorted(unknown))}")
    rest = {each: value for each, value in features.items() if each not in names}

    _use_half_precision(encoder)
    tensors = tuple(features[name] for name in names)
    recorded = TracedModel(prompt, tokenizer, names, _trace(encoder, names, tensors, rest))
    _compare(encoder, recorded, expected)
    if tokenizer.padding and not _is_batchable(recorded, expected):
        tokenizer.no_padding()
    return recorded


def _pad(tokenizer: Any, wrapped: Any) -> None:
    """Pad as the model's own tokenizer does, if it does."""
    names = ("padding_side", "pad_token_id", "pad_token_type_id", "pad_token")
    direction, pad_id, kind, token = (getattr(wrapped, name, None) for name in names)
    if direction is not None and pad_id is not None and token is not None:
        tokenizer.enable_padding(direction=direction, pad_id=pad_id, pad_type_id=kind or 0, pad_token=token)


def _trace(encoder: Any, names: tuple[str, ...], tensors: tuple[Any, ...], rest: dict[str, Any]) -> Any:
    """What the encoder does with the tensors, as a function without Python; `rest` stays as it is."""
    import torch

    class Way(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steps = torch.nn.Sequential(*encoder)

        def forward(self, *tensors: Any) -> Any:
            features = self.steps({**rest, **dict(zip(names, tensors, strict=True))})
            return torch.nn.functional.normalize(features["sentence_embedding"].float(), dim=-1)

    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what depends on the text; `_compare` looks whether it does
        way = torch.jit.trace(Way().eval(), tensors, check_trace=False)  # type: ignore[no-untyped-call]
        return torch.jit.freeze(way)


def _use_half_precision(module: Any) -> None:
    """Let the linear layers of a module read weights of half precision; they still compute in float32."""
    import torch

    class Half(torch.nn.Module):
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.packed = torch.ops.quantized.linear_prepack_fp16(layer.weight.data, layer.bias)

        def forward(self, x: Any) -> Any:
            return torch.ops.quantized.linear_dynamic_fp16(x, self.packed)

    for part in list(module.modules()):
        for name, child in list(part.named_children()):
            if type(child) is torch.nn.Linear:
                setattr(part, name, Half(child))


def _is_batchable(recorded: TracedModel, expected: np.ndarray) -> bool:
    """Whether texts come out of one pass as out of one each; not where a model looks at its padding."""
    try:
        found = recorded.vectors([recorded.tokens(text) for text in SAMPLES[:2]])
    except (RuntimeError, ValueError):  # what was recorded takes one text
        return False
    return bool(np.sum(found * expected[:2], axis=1).min() >= LIKENESS)


def _compare(encoder: Any, recorded: TracedModel, expected: np.ndarray) -> None:
    import torch

    for text, vector in zip(SAMPLES, expected, strict=True):
        tokens = encoder.preprocess([text], prompt=recorded.prompt, task="query")
        pairs = zip(recorded.names, recorded.tensors([recorded.tokens(text)]), strict=True)
        if not all(torch.equal(tokens[name], tensor) for name, tensor in pairs):
            raise Unsuitable("it cuts texts in a way of its own")
        if not (likeness := float(recorded.embed([text])[0] @ vector)) >= LIKENESS:
            raise Unsuitable(f"its vectors are others when it is recorded (cosine {likeness:.5f})")
