"""Texts through a model: tokenised once, sorted by length, in passes of bounded size. Runs in the worker processes.

Knows sentence-transformers' modules, and neither files nor the pool; torch is imported late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

# In a forward pass, with padding. What the layers hand on then stays in a core's cache, and takes some megabytes
# of memory; of fewer tokens the processor makes less.
PASS_TOKENS = 1024
STEP = 16  # passes are as long as a multiple of so many tokens: for each shape, oneDNN keeps megabytes
_PROBE = "A text that Every tokenizer knows how to cut: Größe 42, naïve."
_ALIKE = 0.99  # the least cosine of vectors of the same text in the same precision


class Encoder:
    """Passages, or questions: `ask` is the method of `modules`, a SentenceTransformer, that embeds them.

    `tokenizer` is the model's own, a `tokenizers.Tokenizer` that truncates where the model does and does not pad.
    """

    def __init__(self, modules: Any, tokenizer: Any, ask: str, prompt: str) -> None:
        self._modules = modules
        self._tokenizer = tokenizer
        self._ask = getattr(modules, ask)
        self._prompt = prompt
        self._pad = getattr(modules.tokenizer, "pad_token_id", None) or 0
        self._rest = self._beside_tokens()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """As float32 (n, dimension), n ≥ 1, of the length that the model gives them."""
        tokens = self._tokenizer.encode_batch_fast([self._prompt + text for text in texts])
        lengths = [len(each) for each in tokens]
        vectors: np.ndarray | None = None
        for numbers in _passes(lengths):
            if self._rest is None:
                batch = [texts[number] for number in numbers]
                found = np.asarray(
                    self._ask(batch, batch_size=len(batch), show_progress_bar=False), np.float32
                )
            else:
                found = self._forward([tokens[number].ids for number in numbers], self._rest)
            if vectors is None:
                vectors = np.empty((len(texts), found.shape[1]), np.float32)
            vectors[numbers] = found
        assert vectors is not None
        return vectors

    def _forward(self, rows: list[list[int]], rest: dict[str, Any]) -> np.ndarray:
        import torch

        ids = np.full((len(rows), _rounded(max(map(len, rows)))), self._pad, np.int64)
        mask = np.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = row
            mask[at, : len(row)] = 1
        tensors = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        with torch.inference_mode():
            features = self._modules({**tensors, **rest})
            found: np.ndarray = features["sentence_embedding"].float().numpy()
        return found

    def _beside_tokens(self) -> dict[str, Any] | None:
        """What the model is given beside tokens and their mask; None when its way from text to tokens is not ours."""
        from sentence_transformers.models import Transformer
        from torch import Tensor

        if not isinstance(self._modules[0], Transformer) or self._modules.truncate_dim is not None:
            return None
        task = self._ask.__name__.removeprefix("encode_")
        features = self._modules.preprocess([_PROBE], prompt=self._prompt or None, task=task)
        ids = features.pop("input_ids", None)
        features.pop("attention_mask", None)
        kinds = features.pop("token_type_ids", None)
        ours = self._tokenizer.encode(self._prompt + _PROBE).ids
        alike = ids is not None and ids.tolist() == [ours] and (kinds is None or not kinds.any())
        if not alike or any(isinstance(each, Tensor) for each in features.values()):
            return None
        # Some models are reached by their padding, of which there is more here.
        texts = [_PROBE, f"{_PROBE} {_PROBE}"]
        rows = [self._tokenizer.encode(self._prompt + text).ids for text in texts]
        found = self._forward(rows, features)
        theirs = np.concatenate([self._ask([text], show_progress_bar=False) for text in texts])
        return features if _alike(found, theirs) else None


def _passes(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The numbers of texts of like length, as many as make up PASS_TOKENS, or one that has more.

    The longest come first: so passes of a length have all the same number of texts, but for the last.
    """
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    at = 0
    while at < len(order):
        count = max(1, PASS_TOKENS // _rounded(lengths[order[at]]))
        yield order[at : at + count]
        at += count


def _rounded(length: int) -> int:
    return max(STEP, -(-length // STEP) * STEP)


def pack(modules: Any) -> bool:
    """Lay the weights of the linear layers out as oneDNN reads them, once: it would do so in every pass, and torch
    would take a slower library for float32. False where the model does not bear that, and is of no use any more."""
    import torch

    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return True
    before = modules.encode([_PROBE], show_progress_bar=False)
    linear = [
        (parent, name)
        for parent in modules.modules()
        for name, layer in parent.named_children()
        if type(layer) is torch.nn.Linear
    ]
    try:
        for parent, name in linear:  # one after the other, so that few are there twice
            setattr(parent, name, _packed(getattr(parent, name)))
        return _alike(modules.encode([_PROBE], show_progress_bar=False), before)
    except (RuntimeError, AttributeError, TypeError):
        return False  # it uses the weights in a way of its own, or the processor can't


def _alike(some: np.ndarray, others: np.ndarray) -> bool:
    """Whether vectors (n, dimension) point each in the direction of its counterpart."""
    lengths = np.linalg.norm(some, axis=1) * np.linalg.norm(others, axis=1)
    return bool(((some * others).sum(1) >= _ALIKE * lengths).all())


def _packed(layer: Any) -> Any:
    import torch

    class Packed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.in_features, self.out_features = layer.in_features, layer.out_features
            self.bias = None if layer.bias is None else layer.bias.detach()
            self.weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), PASS_TOKENS)

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
                given, self.weight, self.bias, "none", [], ""
            )
            return found

    return Packed()
