"""Embeds queries with a traced model, which is stored in the data folder from one start to the next.

Runs in the worker processes. A stored traced model needs torch and tokenizers alone. The model itself is loaded to
trace it, and to compare a stored traced model with it. A model that cannot be traced is used as it was loaded.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model, torch_import, traced_models, tracing
from pipeline.embedding.traced_models import TracedModel
from pipeline.embedding.tracing import SAMPLES
from semantik.core.normalization import normalized

MIN_STORED_COSINE = (
    0.99  # of vectors of SAMPLES from a stored traced model and the model, which may be in bfloat16
)
_CACHED_MODELS = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _CacheEntry:
    """A loaded traced model, and the state of its file when it was read."""

    path: Path
    file_state: tuple[int, int, int]
    traced: TracedModel


_traced: dict[tuple[str, str], _CacheEntry] = {}
_embedders: dict[tuple[str, str], Callable[[Sequence[str]], np.ndarray]] = {}


def embed_queries(
    spec: ModelSpec, texts: Sequence[str], traced_models_dir: str, load_model: bool
) -> np.ndarray | None:
    """Vectors of queries: float32 (n, dimension) of unit length, from the traced model.

    If it is not in the folder `traced_models_dir`: None, or with `load_model` the vectors from the model itself, which
    this process loads. Raises Invalid when there is no such model, or it cannot be loaded.
    """
    texts = [normalized(text) for text in texts]
    if (traced := load_traced(spec, traced_models_dir)) is not None:
        return traced.embed(texts)
    if load_model:
        return load_embedder(spec, traced_models_dir)(texts)
    model.require_files(spec.name)
    return None


def check_traced_model(spec: ModelSpec, traced_models_dir: str) -> str:
    """Compare the traced model in the folder `traced_models_dir` with the model; trace it if there is none that agrees.

    Returns "same"; "replaced" when the stored one gave other vectors; "made" when there was none; "none" when the model
    cannot be traced, or the traced model not be stored. Raises Invalid as `model.load` does.
    """
    loaded = model.load(spec)
    path = _path_for(spec, traced_models_dir)
    stored = path and traced_models.load(path)
    if path is None:
        return "none"
    if stored and _matches(loaded, stored):
        return "same"
    sizes = loaded.parameters, loaded.stored_parameters
    del loaded
    model.unload_all()  # a large model and the one that is traced may not fit into a worker's memory together
    # Without the file, queries wait until the model is traced again; with it, they would get wrong vectors.
    with suppress(OSError):
        path.unlink()
    if _trace_and_store(spec, sizes, traced_models_dir) is None or _file_state(path) is None:
        return "none"
    return "replaced" if stored else "made"


def import_libraries() -> None:
    """Import what a traced model needs; a worker computes on one thread."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads would not exist after a fork
    torch_import.import_torch()
    import tokenizers  # noqa: F401
    import torch

    torch.set_num_threads(1)


def load_traced(spec: ModelSpec, traced_models_dir: str) -> TracedModel | None:
    """The traced model from the folder `traced_models_dir`, if there is a usable one; read again if its file changed.

    Loads neither the model nor its libraries.
    """
    key = (spec.name, traced_models_dir)
    entry = _traced.get(key)
    if entry is not None and _file_state(entry.path) == entry.file_state:
        return entry.traced
    path = _path_for(spec, traced_models_dir)
    file_state = _file_state(path)
    _traced.pop(key, None)
    if path is None or file_state is None:
        return None
    import_libraries()
    traced = traced_models.load(path)
    if traced is None or not _is_usable(traced):
        return None
    while len(_traced) >= _CACHED_MODELS:
        _traced.pop(next(iter(_traced)))
    _traced[key] = _CacheEntry(path, file_state, traced)
    return traced


def load_embedder(spec: ModelSpec, traced_models_dir: str) -> Callable[[Sequence[str]], np.ndarray]:
    """A function from n queries to float32 vectors (n, dimension) of unit length; loads the model in this process.

    Traces the model, and stores the traced model in `traced_models_dir`. Raises Invalid as `model.load` does.
    """
    key = (spec.name, traced_models_dir)
    if key not in _embedders:
        while len(_embedders) >= _CACHED_MODELS:
            _embedders.pop(next(iter(_embedders)))
        loaded = model.load(spec)
        sizes = loaded.parameters, loaded.stored_parameters
        traced = _trace_and_store(spec, sizes, traced_models_dir)
        _embedders[key] = loaded.embed_queries if traced is None else traced.embed
    return _embedders[key]


def _trace_and_store(spec: ModelSpec, sizes: tuple[int, int], traced_models_dir: str) -> TracedModel | None:
    """A new traced model, stored if possible; None when the model cannot be traced.

    `sizes` are the numbers of its parameters and of those that stay in its file.
    """
    try:
        tracing.check_memory(*sizes)
        traced = tracing.trace(spec.name)
    except Exception as error:  # tracing may raise anything, depending on the model
        _log.warning("the model %s cannot be traced, so queries take longer: %s", spec.name, error)
        return None
    if path := _path_for(spec, traced_models_dir):
        traced_models.save(traced, path)
    return traced


def _path_for(spec: ModelSpec, traced_models_dir: str) -> Path | None:
    return traced_models.path_for(traced_models_dir, spec.name, model.files_dir(spec.name))


def _file_state(path: Path | None) -> tuple[int, int, int] | None:
    """What changes when a file is replaced; None when there is none."""
    try:
        status = os.stat(path) if path else None  # noqa: PTH116
    except OSError:
        return None
    return status and (status.st_ino, status.st_size, status.st_mtime_ns)


def _is_usable(traced: TracedModel) -> bool:
    """Whether it gives vectors at all. Whether they are the model's is only checked when the model is loaded."""
    try:
        vectors = traced.embed(SAMPLES[:1])
        return vectors.ndim == 2 and bool(np.isfinite(vectors).all())
    except (RuntimeError, ValueError):  # its inputs or outputs have another shape
        return False


def _matches(loaded: model.Model, stored: TracedModel) -> bool:
    """Whether a stored traced model gives the model's vectors; its file may be damaged."""
    try:
        cosines = np.sum(stored.embed(SAMPLES) * loaded.embed_queries(SAMPLES), axis=1)
        return bool(cosines.min() >= MIN_STORED_COSINE)
    except (RuntimeError, ValueError):  # its inputs or outputs have another shape
        return False
