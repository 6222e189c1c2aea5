"""Gets the files of a model: unpacks or downloads them. Runs in a worker process that may do so."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pipeline.embedding import model
from pipeline.embedding.multilingual import unpacked


def prepare(name: str, variables: Mapping[str, str]) -> None:
    """Unpack the model, or download it if it is not on this machine; `variables` are for the environment.

    Raises Invalid, in one sentence, when that is impossible.
    """
    os.environ.update(variables)
    if name == unpacked.NAME:
        unpacked.unpack()
    elif model.files_dir(name) is None:
        model.load_sentence_transformer(name, "float32")
