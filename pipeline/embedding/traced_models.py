"""Traced models: how they embed texts, and their files in the data folder. Runs in the worker processes.

A file's name is derived from what was traced: the model's files and the versions of the libraries. The file holds all
that is needed to use it. A file that cannot be read is made again; one that cannot be written only costs time.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

TENSOR_FIELDS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
_PADDING_FIELDS = ("direction", "pad_id", "pad_type_id", "pad_token")
_PASS_TOKENS = 128  # in a forward pass of several texts
_MAX_PADDING = 3  # tokens
_MIN_FREE_BYTES = 1 << 30
_FORMAT_VERSION = 2  # increase it when models are traced in another way
_LIBRARIES = ("torch", "transformers", "sentence-transformers", "tokenizers")
_ABOUT_FILE, _TOKENIZER_FILE = "about.json", "tokenizer.json"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class TracedModel:
    """`fn`, a traced function, maps the tensors `input_names` of n texts to float32 (n, dimension) of unit length.

    `tokenizer` truncates; it pads only if texts may share a forward pass.
    """

    prompt: str
    tokenizer: Any
    input_names: tuple[str, ...]
    fn: Any

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of texts: float32 (n, dimension) of unit length."""
        tokens = [self.tokens(text) for text in texts]
        # A single text skips the loop: after a forward pass, all other code runs from a cold processor cache.
        if len(tokens) == 1:
            return self.vectors(tokens)
        vectors: dict[int, np.ndarray] = {}
        for indices in self._passes([len(each) for each in tokens]):
            vectors |= zip(indices, self.vectors([tokens[index] for index in indices]), strict=True)
        return np.stack([vectors[index] for index in range(len(texts))])

    def tokens(self, text: str) -> Any:
        return self.tokenizer.encode(self.prompt + text)

    def tensors(self, tokens: Sequence[Any]) -> tuple[Any, ...]:
        """The inputs of `fn`, each (n, tokens)."""
        import torch

        if len(tokens) > 1:
            padding = {name: self.tokenizer.padding[name] for name in _PADDING_FIELDS}
            for each in tokens:
                each.pad(max(map(len, tokens)), **padding)
        fields = (TENSOR_FIELDS[name] for name in self.input_names)
        return tuple(torch.tensor([getattr(each, field) for each in tokens]) for field in fields)

    def vectors(self, tokens: Sequence[Any]) -> np.ndarray:
        """Vectors of texts in one forward pass: float32 (n, dimension) of unit length."""
        import torch

        # Optimizing for the shapes that occur would delay the first queries of a worker, and gains nothing.
        with torch.inference_mode(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            vectors: np.ndarray = self.fn(*self.tensors(tokens)).numpy()
        return vectors

    def _passes(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """The indices of texts that share a forward pass: short ones of nearly the same length.

        Padding costs as much as text. Long texts keep the processor busy alone, and would take much memory together.
        """
        order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
        while order:
            longest = lengths[order[0]]
            limit = max(1, _PASS_TOKENS // longest) if self.tokenizer.padding else 1
            batch = [index for index in order[:limit] if lengths[index] >= longest - _MAX_PADDING]
            yield batch
            order = order[len(batch) :]


def path_for(directory: str, name: str, files: Path | None) -> Path | None:
    """The path in `directory` for the traced model of a model whose files are in `files`; None if it has none."""
    if not directory or files is None or not Path(directory).parent.is_dir():
        return None
    model_files = [
        (path.relative_to(files).as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(files.rglob("*"))
        if path.is_file()
    ]
    versions = [importlib.metadata.version(each) for each in _LIBRARIES]
    source = repr((name, model_files, versions, _FORMAT_VERSION))
    digest = hashlib.blake2b(source.encode(), digest_size=8).hexdigest()
    return Path(directory, f"{_file_stem(name)}.{digest}.pt")


def load(path: Path) -> TracedModel | None:
    """The traced model in a file; None if it does not exist or cannot be read."""
    import torch

    if not path.exists():
        return None
    extra_files = {_ABOUT_FILE: "", _TOKENIZER_FILE: ""}
    try:
        from tokenizers import Tokenizer

        fn = torch.jit.load(str(path), _extra_files=extra_files)  # type: ignore[no-untyped-call]
        about = json.loads(extra_files[_ABOUT_FILE])
        tokenizer = Tokenizer.from_str(_decode(extra_files[_TOKENIZER_FILE]))
        return TracedModel(about["prompt"], tokenizer, tuple(about["names"]), fn)
    except Exception as error:  # a damaged file may raise anything
        _log.warning("%s cannot be read and will be made again: %s", path, _first_line(error))
        return None


def save(traced: TracedModel, path: Path) -> None:
    """Write it atomically, unless the disk is nearly full, and remove older files of the same model."""
    import torch

    about = json.dumps({"prompt": traced.prompt, "names": traced.input_names})
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if shutil.disk_usage(path.parent).free < _MIN_FREE_BYTES:
            _log.info("%s is not stored: the free disk space is left for documents", path)
            return
        try:
            extra_files = {_ABOUT_FILE: about, _TOKENIZER_FILE: traced.tokenizer.to_str()}
            torch.jit.save(traced.fn, str(temporary), _extra_files=extra_files)
            temporary.replace(path)
            for old in path.parent.glob(f"{path.name.split('.')[0]}.*"):  # incomplete ones, too
                if old != path:
                    old.unlink(missing_ok=True)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:  # torch raises RuntimeError when the disk is full
        _log.warning("%s cannot be written; the next start takes longer: %s", path, _first_line(error))


def _file_stem(name: str) -> str:
    """A file name part that is unique for a model's name or path."""
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return re.sub(r"[^\w-]+", "-", name.strip("/").rpartition("/")[2])[:60] + f"-{digest}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _decode(content: str | bytes) -> str:
    return content.decode() if isinstance(content, bytes) else content
