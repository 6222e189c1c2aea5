"""A model as questions use it: one short text at a time, through layers of half-precision weights, recorded once.

A question's way through a model is bound by reading the weights, and by the interpreter between the layers. Runs in the
worker processes. A model that cannot be recorded, or gives other vectors then, is used as it was loaded.
"""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline import model
from pipeline.batch import ModelSpec

SAMPLES = (
    "What is this?",
    "  Where is “Übersicht.pdf” kept, and who wrote it (東京)? ",
    "one and the same question, asked at length and without an end, " * 60,  # more than most models read
)
LIKENESS = 0.9999  # the least cosine to what the model itself makes of the samples
_FIELDS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
_log = logging.getLogger(__name__)


class Unsuitable(Exception):
    """Why a model cannot be recorded."""


@dataclass(frozen=True, repr=False)
class Recorded:
    """`names` are the tensors that `way`, a recorded function, takes of a text; `tokenizer` truncates."""

    prompt: str
    tokenizer: Any
    names: tuple[str, ...]
    way: Any

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Float32 (n, dimension) of unit length."""
        # Each for itself: together they would take as long, and the short ones be padded to the longest.
        return np.stack([self._vector(text) for text in texts])

    def tensors(self, text: str) -> tuple[Any, ...]:
        """What `way` takes, each (1, tokens)."""
        import torch

        tokens = self.tokenizer.encode(self.prompt + text)
        return tuple(torch.tensor([getattr(tokens, _FIELDS[name])]) for name in self.names)

    def _vector(self, text: str) -> np.ndarray:
        import torch

        # To optimise for the shapes that come along would hold up the first questions of a worker, and gains nothing.
        with torch.inference_mode(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            vector = self.way(*self.tensors(text))[0].numpy()
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


@functools.lru_cache(maxsize=3)
def load(spec: ModelSpec) -> Callable[[Sequence[str]], np.ndarray]:
    """What makes float32 vectors (n, dimension) of unit length of n questions; raises Invalid as `model.load` does."""
    plain = model.load(spec)
    try:
        return record(spec.name).embed
    except MemoryError:
        raise
    except Exception as error:  # whatever a model of any make may raise when it is recorded
        _log.warning("the model %s takes its slower way to embed questions: %s", spec.name, error)
        return plain.embed_questions


def record(name: str) -> Recorded:
    """Record the way of a text through the model; raises Unsuitable, or whatever else torch or the model raises."""
    import torch

    full = model.load.__wrapped__(ModelSpec(name, "float32"))  # one of our own, as it is changed
    encoder, tokenizer = full.encoder, full.tokenizer
    expected = full.embed_questions(SAMPLES)
    prompt = encoder.prompts.get("query", encoder.prompts.get(encoder.default_prompt_name)) or ""
    features = encoder.preprocess([SAMPLES[0]], prompt=prompt, task="query")
    names = tuple(each for each, value in features.items() if isinstance(value, torch.Tensor))
    if unknown := set(names) - set(_FIELDS):
        raise Unsuitable(f"it also takes {', '.join(sorted(unknown))}")
    if encoder.max_seq_length:
        tokenizer.enable_truncation(encoder.max_seq_length)
    rest = {each: value for each, value in features.items() if each not in names}

    _halve(encoder)
    tensors = tuple(features[name] for name in names)
    recorded = Recorded(prompt, tokenizer, names, _way(encoder, names, tensors, rest))
    _compare(encoder, recorded, expected)
    return recorded


def _way(encoder: Any, names: tuple[str, ...], tensors: tuple[Any, ...], rest: dict[str, Any]) -> Any:
    """What the encoder does with the tensors, as a function without Python; `rest` stays as it is."""
    import torch

    class Way(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steps = torch.nn.Sequential(*encoder)

        def forward(self, *tensors: Any) -> Any:
            return self.steps({**rest, **dict(zip(names, tensors, strict=True))})["sentence_embedding"]

    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what depends on the text; `_compare` looks whether it does
        way = torch.jit.trace(Way().eval(), tensors, check_trace=False)  # type: ignore[no-untyped-call]
        return torch.jit.freeze(way)


def _halve(module: Any) -> None:
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


def _compare(encoder: Any, recorded: Recorded, expected: np.ndarray) -> None:
    import torch

    for text, vector in zip(SAMPLES, expected, strict=True):
        tokens = encoder.preprocess([text], prompt=recorded.prompt, task="query")
        pairs = zip(recorded.names, recorded.tensors(text), strict=True)
        if not all(torch.equal(tokens[name], tensor) for name, tensor in pairs):
            raise Unsuitable("it cuts texts in a way of its own")
        if (likeness := float(recorded.embed([text])[0] @ vector)) < LIKENESS:
            raise Unsuitable(f"its vectors are others when it is recorded (cosine {likeness:.5f})")
