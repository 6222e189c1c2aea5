"""Vectors of texts by the bundled model, kept below build/bench."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.chunks import MODEL
from bench.corpus import WORK_FOLDER


def embedded(name: str, make_texts: Callable[[], list[str]], as_queries: bool = False) -> NDArray[np.float32]:
    """The vectors (n, dimension) of the texts, embedded when there are none under this name."""
    saved = WORK_FOLDER / f"{name}.npy"
    if not saved.exists():
        from pipeline.compute.messages import ModelSpec
        from pipeline.embedding import model

        encoder = model.load(ModelSpec(MODEL, "auto"))
        embed = encoder.embed_queries if as_queries else encoder.embed
        WORK_FOLDER.mkdir(parents=True, exist_ok=True)
        np.save(saved, embed(make_texts()).astype(np.float32))
    found: NDArray[np.float32] = np.load(saved)
    return found
