"""What users may choose for their collections: models (no paths but those that an administrator allows), overlaps."""

from __future__ import annotations

import os
import re
from pathlib import Path

from semantik.config.settings import EmbeddingSettings
from semantik.core.document_roots import is_inside
from semantik.core.errors import Invalid

# As on the Hugging Face Hub: a name, or an owner and a name. Anything else is taken for a path.
_HUB_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?")
_MAX_NAME = 200  # a longer one cannot name a file either


def check_model(name: str, settings: EmbeddingSettings) -> None:
    """Raises Invalid for a path outside `embedding.allowed_models`, whether it exists or not."""
    # A folder where the server was started would be taken for the model of this name.
    named = len(name) <= _MAX_NAME and _HUB_NAME.fullmatch(name)
    if name == settings.model or (named and not Path(name).is_dir()):
        return
    if not Path(name).is_absolute() or not is_inside(os.path.normpath(name), settings.allowed_models):
        raise Invalid(
            f"The model {name!r} cannot be used: a path of a model must lie in one of the folders that the "
            "administrator has listed in embedding.allowed_models."
        )


def effective_overlap(size: int, requested: int | None, default: int) -> int:
    """The overlap to use with chunks of `size` tokens; raises Invalid when it is not smaller."""
    overlap = min(default, size // 4) if requested is None else requested
    if overlap >= size:
        raise Invalid(f"chunk_overlap ({overlap}) must be less than chunk_size ({size}).")
    return overlap
