"""The engines by name; see `protocol` for what they do."""

from __future__ import annotations

from collections.abc import Mapping

from semantik.index.engines import annoy_trees, binary_quantization
from semantik.index.engines.protocol import Engine

ENGINES: Mapping[str, Engine] = {"codes": binary_quantization, "annoy": annoy_trees}
