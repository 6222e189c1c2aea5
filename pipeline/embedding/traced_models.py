"""Recorded models, in use, and kept in the data folder from one start to the next. Runs in the worker processes.

A recording's name tells what it was made of: the model's files and the versions of the libraries. It holds all that is
needed to use it. What cannot be read is made anew, and what cannot be written is only slower to have next time.
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

FIELDS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
_PADDING = ("direction", "pad_id", "pad_type_id", "pad_token")
_TOKENS = 128  # in a pass of several texts
_PADDED = 3  # tokens that one of them may be shorter by
_LEFT_FREE_BYTES = 1 << 30
_OUR_OWN = 2  # goes up when recordings are made in another way
_MADE_WITH = ("torch", "transformers", "sentence-transformers", "tokenizers")
_ABOUT, _TOKENIZER = "about.json", "tokenizer.json"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class TracedModel:
    """`names` are the tensors that `way`, a recorded function, takes of some texts; it gives float32 (n, dimension) of
    unit length. `tokenizer` truncates, and has a padding where texts may go together."""

    prompt: str
    tokenizer: Any
    names: tuple[str, ...]
    way: Any

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Float32 (n, dimension) of unit length."""
        tokens = [self.tokens(text) for text in texts]
        # After a pass through the model, the processor has forgotten whatever else there is to do.
        if len(tokens) == 1:
            return self.vectors(tokens)
        found: dict[int, np.ndarray] = {}
        for numbers in self._passes([len(each) for each in tokens]):
            found |= zip(numbers, self.vectors([tokens[number] for number in numbers]), strict=True)
        return np.stack([found[number] for number in range(len(texts))])

    def tokens(self, text: str) -> Any:
        return self.tokenizer.encode(self.prompt + text)

    def tensors(self, tokens: Sequence[Any]) -> tuple[Any, ...]:
        """What `way` takes, each (n, tokens)."""
        import torch

        if len(tokens) > 1:
            padding = {name: self.tokenizer.padding[name] for name in _PADDING}
            for each in tokens:
                each.pad(max(map(len, tokens)), **padding)
        return tuple(torch.tensor([getattr(each, FIELDS[name]) for each in tokens]) for name in self.names)

    def vectors(self, tokens: Sequence[Any]) -> np.ndarray:
        """Those of texts in one pass, float32 (n, dimension) of unit length."""
        import torch

        # To optimise for the shapes that come along would hold up the first questions of a worker, and gains nothing.
        with torch.inference_mode(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            found: np.ndarray = self.way(*self.tensors(tokens)).numpy()
        return found

    def _passes(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """The numbers of texts that go together: of nearly the same length, since padding is work like the rest, and
        short, since long ones keep the processor busy alone and take memory."""
        order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
        while order:
            longest = lengths[order[0]]
            most = max(1, _TOKENS // longest) if self.tokenizer.padding else 1
            alike = [number for number in order[:most] if lengths[number] >= longest - _PADDED]
            yield alike
            order = order[len(alike) :]


def path_for(folder: str, name: str, files: Path | None) -> Path | None:
    """Where in `folder` the recording of a model belongs whose files lie in `files`; None where none can be kept."""
    if not folder or files is None or not Path(folder).parent.is_dir():
        return None
    parts = [
        (path.relative_to(files).as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(files.rglob("*"))
        if path.is_file()
    ]
    made_with = [importlib.metadata.version(each) for each in _MADE_WITH]
    digest = hashlib.blake2b(repr((name, parts, made_with, _OUR_OWN)).encode(), digest_size=8).hexdigest()
    return Path(folder, f"{_file_stem(name)}.{digest}.pt")


def load_kept(path: Path) -> TracedModel | None:
    """What is kept there, if anything that can be read."""
    import torch

    if not path.exists():
        return None
    inside = {_ABOUT: "", _TOKENIZER: ""}
    try:
        from tokenizers import Tokenizer

        way = torch.jit.load(str(path), _extra_files=inside)  # type: ignore[no-untyped-call]
        about = json.loads(inside[_ABOUT])
        return TracedModel(
            about["prompt"], Tokenizer.from_str(_text(inside[_TOKENIZER])), tuple(about["names"]), way
        )
    except Exception as error:  # a damaged file may raise anything
        _log.warning("%s cannot be read, and is made anew: %s", path, _first_line(error))
        return None


def keep(recording: TracedModel, path: Path) -> None:
    """Put it there, whole or not at all, in place of those of the model as it was before, if the disk has room."""
    import torch

    about = json.dumps({"prompt": recording.prompt, "names": recording.names})
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if shutil.disk_usage(path.parent).free < _LEFT_FREE_BYTES:
            _log.info("%s is not kept: what room the disk has is for documents", path)
            return
        try:
            inside = {_ABOUT: about, _TOKENIZER: recording.tokenizer.to_str()}
            torch.jit.save(recording.way, str(fresh), _extra_files=inside)
            fresh.replace(path)
            for former in path.parent.glob(f"{path.name.split('.')[0]}.*"):  # half-written ones, too
                if former != path:
                    former.unlink(missing_ok=True)
        finally:
            fresh.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:  # torch says the latter of a full disk
        _log.warning("%s cannot be written; the next start takes longer: %s", path, _first_line(error))


def _file_stem(name: str) -> str:
    """A model's name or path as a part of a file's name, no two alike."""
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return re.sub(r"[^\w-]+", "-", name.strip("/").rpartition("/")[2])[:60] + f"-{digest}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _text(given: str | bytes) -> str:
    return given.decode() if isinstance(given, bytes) else given
