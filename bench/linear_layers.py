"""The linear layers of the model in float32, passes of 1 024 tokens on one thread: GFLOP/s by processor time.

Run by `bench/measures/linear_layers.py` in a process of its own, as oneDNN reads its settings once.
"""

from __future__ import annotations

import json
import time

from bench.chunks import MODEL
from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model
from pipeline.embedding.encoder import PASS_TOKENS

_SECONDS = 1.5
_REPEATS = 3


def main() -> None:
    import torch

    torch.set_num_threads(1)
    loaded = model.load(ModelSpec(MODEL, "float32"))
    layers = [
        layer
        for layer in loaded.documents._modules.modules()
        if hasattr(layer, "in_features") and hasattr(layer, "out_features")
    ]
    inputs = {layer.in_features: torch.randn(1, PASS_TOKENS, layer.in_features) for layer in layers}
    operations = sum(2 * PASS_TOKENS * layer.in_features * layer.out_features for layer in layers)
    best = 0.0
    with torch.inference_mode():
        for _ in range(_REPEATS):
            passes, start = 0, time.process_time()
            while (taken := time.process_time() - start) < _SECONDS:
                for layer in layers:
                    layer(inputs[layer.in_features])
                passes += 1
            best = max(best, passes * operations / taken / 1e9)
    print(json.dumps({"layers": len(layers), "gflops": best}))


if __name__ == "__main__":
    main()
