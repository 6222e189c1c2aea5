"""Lets large embedding tables be read from the model's file instead of copied into each process's memory.

Runs in the worker processes. Of a multilingual model the table is four fifths: all processes share the file's pages in
memory, and those that no text needs are never read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_MIN_PARAMETERS = 1 << 24


def use_stored_tables(modules: Any, folder: Path) -> None:
    """Replace the large embedding tables that the folder's safetensors file holds in half precision.

    The model computes in the precision that it was loaded with. A table in another form stays as it is.
    """
    import torch
    from safetensors import safe_open

    path = folder / "model.safetensors"
    if modules.transformers_model is None or not path.is_file():
        return
    model = modules.transformers_model
    tables = [
        (name, layer)
        for name, layer in model.named_modules()
        if type(layer) is torch.nn.Embedding and layer.weight.numel() >= _MIN_PARAMETERS
    ]
    if not tables:
        return
    with safe_open(path, "pt") as file:
        names = set(file.keys())
        for name, layer in tables:
            key = next((each for each in (f"{name}.weight", _prefixed(model, name)) if each in names), None)
            if key is None:
                continue
            stored = file.get_tensor(key)
            if stored.dtype in (torch.float16, torch.bfloat16) and stored.shape == layer.weight.shape:
                parent, _, child = name.rpartition(".")
                setattr(model.get_submodule(parent), child, _table(layer, stored))


def _prefixed(model: Any, name: str) -> str:
    """The name that the table has in the file of a model with a head."""
    return f"{model.base_model_prefix}.{name}.weight"


def _table(layer: Any, stored: Any) -> Any:
    import torch

    # The class must not refer to `layer`, whose weights would stay in memory as long as the class.
    class StoredTable(torch.nn.Module):
        def __init__(self, table: torch.Tensor, dtype: torch.dtype, padding_idx: int | None) -> None:
            super().__init__()
            self.table = (table,)  # in a tuple, it is neither converted nor moved with the module
            self.dtype, self.padding_idx = dtype, padding_idx

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.embedding(ids, self.table[0], self.padding_idx).to(self.dtype)

    return StoredTable(stored, layer.weight.dtype, layer.padding_idx)
