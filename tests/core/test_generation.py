"""A generation knows whether a model's vectors can be compared with its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from semantik.core.errors import Invalid
from semantik.core.models import Generation

GENERATION = Generation("c", 1, "/srv/models/mine", "auto", 200, 20)


def test_a_model_with_other_vectors_is_refused_with_what_to_do() -> None:
    GENERATION.require_dimension(768)  # nothing is stored yet
    stored = replace(GENERATION, dimension=384)
    stored.require_dimension(384)
    with pytest.raises(Invalid, match=r"/srv/models/mine now gives vectors with 768 .* have 384: reindex"):
        stored.require_dimension(768)
