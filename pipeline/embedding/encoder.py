"""Runs texts through a model: tokenized once, sorted by length, in forward passes of bounded size.

Runs in the worker processes. Knows the modules of sentence-transformers, but neither files nor the pool; torch is
imported late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pipeline.embedding import device
from pipeline.embedding.unpadded import UnpaddedForward

# In a forward pass, with padding. The activations of so many tokens stay in a core's cache and take some megabytes of
# memory; with fewer tokens, throughput is lower.
PASS_TOKENS = 1024
GPU_PASS_TOKENS = 32_768  # a GPU has thousands of units to keep busy
LENGTH_STEP = 16  # lengths of passes are multiples of it, to have few shapes: oneDNN keeps megabytes for each
_PROBE = "A text that Every tokenizer knows how to cut: Größe 42, naïve."
_MIN_COSINE = 0.99  # of vectors of the same text in the same precision


class Encoder:
    """Embeds chunks or queries: `method` is the method of `modules`, a SentenceTransformer, that does so.

    `tokenizer` is a `tokenizers.Tokenizer` that truncates as the model's own does, and does not pad.
    """

    def __init__(self, modules: Any, tokenizer: Any, method: str, prompt: str) -> None:
        self._modules = modules
        self._tokenizer = tokenizer
        self._method = getattr(modules, method)
        self._prompt = prompt
        self._pad_id = getattr(modules.tokenizer, "pad_token_id", None) or 0
        self._extra_features = self._find_extra_features()
        self._unpadded = self._find_unpadded()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors as float32 (n, dimension), n ≥ 1, with the length that the model gives them."""
        tokens = self._tokenizer.encode_batch_fast([self._prompt + text for text in texts])
        lengths = [len(each) for each in tokens]
        vectors: np.ndarray | None = None
        for indices in self._passes(lengths):
            if self._unpadded is not None and lengths[indices[-1]]:
                found = self._unpadded([tokens[index].ids for index in indices])
            elif self._extra_features is None:
                batch = [texts[index] for index in indices]
                found = np.asarray(
                    self._method(batch, batch_size=len(batch), show_progress_bar=False), np.float32
                )
            else:
                found = self._forward([tokens[index].ids for index in indices], self._extra_features)
            if vectors is None:
                vectors = np.empty((len(texts), found.shape[1]), np.float32)
            vectors[indices] = found
        assert vectors is not None
        return vectors

    def _passes(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        if self._unpadded is not None:
            return _unpadded_passes(lengths)
        return _passes(lengths, PASS_TOKENS if device.current() == device.CPU else GPU_PASS_TOKENS)

    def _forward(self, rows: list[list[int]], extra_features: dict[str, Any]) -> np.ndarray:
        import torch

        ids = np.full((len(rows), _round_up(max(map(len, rows)))), self._pad_id, np.int64)
        mask = np.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        arrays = {"input_ids": ids, "attention_mask": mask}
        tensors = {name: torch.from_numpy(each).to(device.current()) for name, each in arrays.items()}
        with torch.inference_mode():
            features = self._modules({**tensors, **extra_features})
            vectors: np.ndarray = features["sentence_embedding"].float().cpu().numpy()
        return vectors

    def _find_extra_features(self) -> dict[str, Any] | None:
        """What the model takes beside token ids and their mask; None when it must embed texts by its own method."""
        from sentence_transformers.models import Transformer
        from torch import Tensor

        if not isinstance(self._modules[0], Transformer) or self._modules.truncate_dim is not None:
            return None
        task = self._method.__name__.removeprefix("encode_")
        features = self._modules.preprocess([_PROBE], prompt=self._prompt or None, task=task)
        ids = features.pop("input_ids", None)
        features.pop("attention_mask", None)
        type_ids = features.pop("token_type_ids", None)
        our_ids = self._tokenizer.encode(self._prompt + _PROBE).ids
        same_tokens = (
            ids is not None and ids.tolist() == [our_ids] and (type_ids is None or not type_ids.any())
        )
        if not same_tokens or any(isinstance(each, Tensor) for each in features.values()):
            return None
        # Some models read their padding, and `_forward` pads more than their own method does.
        texts = [_PROBE, f"{_PROBE} {_PROBE}"]
        rows = [self._tokenizer.encode(self._prompt + text).ids for text in texts]
        ours = self._forward(rows, features)
        theirs = np.concatenate([self._method([text], show_progress_bar=False) for text in texts])
        return features if _same_directions(ours, theirs) else None

    def _find_unpadded(self) -> UnpaddedForward | None:
        """The forward pass without padding; None for a model that it does not fit, and on a GPU."""
        if self._extra_features is None or device.current() != device.CPU:
            return None
        texts = [f"{_PROBE} {_PROBE}", f"{_PROBE} cut", _PROBE, _PROBE]
        rows = [self._tokenizer.encode(self._prompt + text).ids for text in texts]
        try:
            unpadded = UnpaddedForward(self._modules, self._pad_id, self._extra_features)
            ours = unpadded(rows)
        except (ValueError, AttributeError, TypeError, RuntimeError, LookupError):
            return None
        return unpadded if _same_directions(ours, self._forward(rows, self._extra_features)) else None


def _unpadded_passes(lengths: Sequence[int]) -> Iterator[list[int]]:
    """As `_passes`, where texts take just the tokens that they have. Texts without tokens come alone."""
    indices: list[int] = []
    tokens = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if indices and (tokens + lengths[index] > PASS_TOKENS or (tokens and not lengths[index])):
            yield indices
            indices, tokens = [], 0
        indices.append(index)
        tokens += lengths[index]
    if indices:
        yield indices


def _passes(lengths: Sequence[int], pass_tokens: int = PASS_TOKENS) -> Iterator[list[int]]:
    """The indices of texts of similar length that have `pass_tokens` together, or of one longer text.

    The longest come first. So all passes of a length but the last have the same number of texts.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        count = max(1, pass_tokens // _round_up(lengths[order[start]]))
        yield order[start : start + count]
        start += count


def _round_up(length: int) -> int:
    return max(LENGTH_STEP, -(-length // LENGTH_STEP) * LENGTH_STEP)


def pack_linear_layers(modules: Any) -> bool:
    """Bring the weights of the linear layers into oneDNN's layout once; False if that breaks the model.

    Otherwise oneDNN would do so in every pass, and torch would use a slower library for float32. A broken model must be
    loaded again.
    """
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
        for parent, name in linear:  # one after the other, so that few weights are in memory twice
            setattr(parent, name, _pack_layer(getattr(parent, name)))
        return _same_directions(modules.encode([_PROBE], show_progress_bar=False), before)
    except (RuntimeError, AttributeError, TypeError):
        return False  # it uses the weights itself, or the processor does not support it


def _same_directions(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether vectors (n, dimension) have pairwise nearly the same direction."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return bool(((a * b).sum(1) >= _MIN_COSINE * lengths).all())


def _pack_layer(layer: Any) -> Any:
    import torch

    # The class must not refer to `layer`, whose weights would stay in memory as long as the class.
    class Packed(torch.nn.Module):
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.in_features, self.out_features = layer.in_features, layer.out_features
            self.bias = None if layer.bias is None else layer.bias.detach()
            self.weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), PASS_TOKENS)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
            return y

    return Packed(layer)
