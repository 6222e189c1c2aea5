"""A model as queries use it: a few short texts at a time, through layers of half-precision weights, recorded once.

A query's way through a model is bound by reading the weights, and by the interpreter between the layers. Runs in the
worker processes. A recording that is kept needs torch and tokenizers alone. The model itself is loaded to make one, and
to compare the kept one with it. A model that cannot be recorded is used as it was loaded.
"""

from __future__ import annotations

import logging
import os
import resource
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.compute import env
from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model, torch_import, traced_models
from pipeline.embedding.traced_models import FIELDS, TracedModel

SAMPLES = (
    "What is this?",
    "  Where is “Übersicht.pdf” kept, and who wrote it (東京)? ",
    "one and the same question, asked at length and without an end, " * 60,  # more than most models read
)
LIKENESS = 0.9999  # the least cosine to what the model itself makes of the samples
BYTES_TO_RECORD = 16  # of memory, for each parameter, beside the model itself
_MODELS = 3  # as many are held
KEPT_LIKENESS = 0.99  # the same, of a recording that was kept, where the model may be in bfloat16
_log = logging.getLogger(__name__)


class Unsuitable(Exception):
    """Why a model cannot be recorded."""


def set_up() -> None:
    """Import what a recording needs; a worker computes on one thread."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads would not be there after a fork
    torch_import.import_torch()
    import tokenizers  # noqa: F401
    import torch

    torch.set_num_threads(1)


def kept(spec: ModelSpec, folder: str) -> TracedModel | None:
    """The model's recording in `folder`, if there is one that can be used; read again when the file was replaced.

    Does not load the model, nor its libraries.
    """
    known = _kept.get((spec.name, folder))
    if known is not None and _state(known.path) == known.state:
        return known.recording
    path = traced_models.path_for(folder, spec.name, model.files_of(spec.name))
    state = _state(path)
    _kept.pop((spec.name, folder), None)
    if path is None or state is None:
        return None
    set_up()
    found = traced_models.load_kept(path)
    if found is None or not _gives_vectors(found):
        return None
    while len(_kept) >= _MODELS:
        _kept.pop(next(iter(_kept)))
    _kept[spec.name, folder] = _Kept(path, state, found)
    return found


def load(spec: ModelSpec, folder: str) -> Callable[[Sequence[str]], np.ndarray]:
    """What makes float32 vectors (n, dimension) of unit length of n queries, with the model loaded in this process.

    Makes a recording and keeps it in `folder`. Raises Invalid as `model.load` does.
    """
    key = (spec.name, folder)
    if key not in _loaded:
        while len(_loaded) >= _MODELS:
            _loaded.pop(next(iter(_loaded)))
        plain = model.load(spec)
        made = _made(spec, plain, folder)
        _loaded[key] = plain.embed_questions if made is None else made.embed
    return _loaded[key]


def check(spec: ModelSpec, folder: str) -> str:
    """Compare the kept recording with the model, and make one where there is none that does what the model does.

    Returns "same", "replaced", "made", or "none" when none can be made or kept; raises Invalid as `model.load` does.
    """
    plain = model.load(spec)
    path = traced_models.path_for(folder, spec.name, model.files_of(spec.name))
    found = path and traced_models.load_kept(path)
    if path is None:
        return "none"
    if found and _matches(plain, found):
        return "same"
    # Until there is another, queries wait for it: they would get vectors of something else.
    with suppress(OSError):
        path.unlink()
    if _made(spec, plain, folder) is None or _state(path) is None:
        return "none"
    return "replaced" if found else "made"


def _made(spec: ModelSpec, plain: model.Model, folder: str) -> TracedModel | None:
    """A new recording, kept where that can be; None when the model cannot be recorded."""
    try:
        _check_memory(plain.parameters)
        made = record(spec.name)
    except Exception as error:  # whatever a model of any make may raise when it is recorded
        _log.warning("the model %s takes its slower way to embed queries: %s", spec.name, error)
        return None
    if path := traced_models.path_for(folder, spec.name, model.files_of(spec.name)):
        traced_models.keep(made, path)
    return made


@dataclass(frozen=True)
class _Kept:
    """A recording that was read, and what its file was then."""

    path: Path
    state: tuple[int, int, int]
    recording: TracedModel


_kept: dict[tuple[str, str], _Kept] = {}
_loaded: dict[tuple[str, str], Callable[[Sequence[str]], np.ndarray]] = {}


def _state(path: Path | None) -> tuple[int, int, int] | None:
    """What changes when a file is replaced; None when there is none."""
    try:
        found = os.stat(path) if path else None  # noqa: PTH116
    except OSError:
        return None
    return found and (found.st_ino, found.st_size, found.st_mtime_ns)


def _gives_vectors(recording: TracedModel) -> bool:
    """Whether it can be used at all: whether it is the model's is seen when that is loaded."""
    try:
        found = recording.embed(SAMPLES[:1])
        return found.ndim == 2 and bool(np.isfinite(found).all())
    except (RuntimeError, ValueError):  # it takes or gives vectors of another shape
        return False


def _check_memory(parameters: int) -> None:
    """Raises Unsuitable when this process may not take the memory: native code may end it where it does not get it."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit != resource.RLIM_INFINITY and env.data_bytes() + parameters * BYTES_TO_RECORD > limit:
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
    """Let the linear and the embedding layers of a module read weights of half precision; they compute in float32."""
    import torch

    class Half(torch.nn.Module):
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.packed = torch.ops.quantized.linear_prepack_fp16(layer.weight.data, layer.bias)

        def forward(self, x: Any) -> Any:
            return torch.ops.quantized.linear_dynamic_fp16(x, self.packed)

    class HalfRows(torch.nn.Module):
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(layer.weight.data.half(), requires_grad=False)
            self.padding_idx = layer.padding_idx

        def forward(self, ids: Any) -> Any:
            return torch.nn.functional.embedding(ids, self.weight, self.padding_idx).float()

    halves = {torch.nn.Linear: Half, torch.nn.Embedding: HalfRows}
    for part in list(module.modules()):
        for name, child in list(part.named_children()):
            if type(child) in halves:
                setattr(part, name, halves[type(child)](child))


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
