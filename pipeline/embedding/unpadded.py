"""A BERT-like model over the tokens of several texts in one row, without padding: each text attends to itself.

Runs in the worker processes, on the processor; torch is imported late. Uses the layers of the model that it is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

TOKEN_STEP = 64  # passes have a multiple of so many tokens: oneDNN keeps megabytes for each shape
_SHORT_TOKENS = 64  # up to here torch's own attention is as fast; it is faster in float32
_LENGTH_STEP = 16
_FAMILIES = ("BertModel", "RobertaModel", "XLMRobertaModel")


class UnpaddedForward:
    """The vectors of rows of token ids, as a SentenceTransformer `modules` gives them with padding and a mask."""

    def __init__(self, modules: Any, pad_id: int, extra_features: Mapping[str, Any]) -> None:
        """`extra_features` are for the modules after the model, such as the length of the prompt.

        Raises ValueError for a model of another kind. The caller compares the vectors of some texts.
        """
        model, config = modules[0].auto_model, modules[0].auto_model.config
        if type(model).__name__ not in _FAMILIES or getattr(config, "is_decoder", False):
            raise ValueError
        if getattr(config, "position_embedding_type", "absolute") != "absolute":
            raise ValueError
        self._after = list(modules)[1:]
        self._embeddings = model.embeddings
        self._layers = list(model.encoder.layer)
        self._heads = int(config.num_attention_heads)
        self._pad_id = pad_id
        self._extra_features = dict(extra_features)
        # RoBERTa counts positions from behind its padding.
        self._first_position = 0 if type(model).__name__ == "BertModel" else int(config.pad_token_id) + 1

    def __call__(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """float32 (n, dimension) of n rows, the longest first, none of them empty."""
        import torch

        lengths = [len(row) for row in rows]
        count = sum(lengths)
        size = -(-count // TOKEN_STEP) * TOKEN_STEP
        ids = np.full((1, size), self._pad_id, np.int64)
        positions = np.full((1, size), self._first_position, np.int64)
        ids[0, :count] = np.concatenate([np.asarray(row, np.int64) for row in rows])
        positions[0, :count] = (
            np.concatenate([np.arange(length) for length in lengths]) + self._first_position
        )
        groups = list(_groups(lengths))
        with torch.inference_mode():
            hidden = self._embeddings(
                input_ids=torch.from_numpy(ids),
                token_type_ids=torch.zeros((1, size), dtype=torch.long),
                position_ids=torch.from_numpy(positions),
            )
            for layer in self._layers:
                attended = layer.attention.output(
                    self._attention(layer.attention.self, hidden, groups), hidden
                )
                hidden = layer.output(layer.intermediate(attended), attended)
            features = {**self._extra_features, **self._padded(hidden[0, :count], lengths)}
            for module in self._after:
                features = module(features)
            vectors: np.ndarray = features["sentence_embedding"].float().numpy()
        return vectors

    def _attention(self, layer: Any, hidden: Any, groups: Sequence[tuple[int, int, int]]) -> Any:
        """Of each text to itself; of what fills the row up nothing."""
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        found = torch.zeros_like(hidden)
        parts = [part(hidden)[0] for part in (layer.query, layer.key, layer.value)]
        for start, number, length in groups:
            end = start + number * length
            if hidden.dtype == torch.float32 or length <= _SHORT_TOKENS:
                shape = (number, length, self._heads, -1)
                query, key, value = (part[start:end].view(shape).transpose(1, 2).float() for part in parts)
                mixed = scaled_dot_product_attention(query, key, value)
                found[0, start:end].view(shape).copy_(mixed.transpose(1, 2))
            else:
                for at in range(start, end, length):
                    text = (part[at : at + length].view(length, self._heads, -1) for part in parts)
                    found[0, at : at + length] = _mixed(*text).flatten(1)
        return found

    def _padded(self, hidden: Any, lengths: Sequence[int]) -> dict[str, Any]:
        """What the modules after the model take: its output with padding, and the mask."""
        import torch

        mask = torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]
        embeddings = hidden.new_zeros((*mask.shape, hidden.shape[-1]))
        embeddings[mask] = hidden
        return {"token_embeddings": embeddings, "attention_mask": mask.to(torch.int64)}


def _mixed(query: Any, key: Any, value: Any) -> Any:
    """Attention of one text: all of shape (length, heads, size). For long texts in bfloat16 faster than torch's own.

    oneDNN compiles a product of each shape anew, and keeps up to a thousand: lengths are rounded up.
    """
    import torch
    from torch.nn.functional import pad

    length = query.shape[0]
    more = -length % _LENGTH_STEP
    query, key, value = (pad(each, (0, 0, 0, 0, 0, more)).transpose(0, 1) for each in (query, key, value))
    weights = torch.matmul(query, key.transpose(1, 2)) * query.shape[-1] ** -0.5
    weights[:, :, length:] = float("-inf")
    return torch.matmul(torch.softmax(weights, -1), value)[:, :length].transpose(0, 1)


def _groups(lengths: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(first token, number of texts, their length) of neighbours of the same length."""
    start = at = 0
    while at < len(lengths):
        number = 1
        while at + number < len(lengths) and lengths[at + number] == lengths[at]:
            number += 1
        yield start, number, lengths[at]
        start += number * lengths[at]
        at += number
