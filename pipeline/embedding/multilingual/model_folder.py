"""Writes a packed E5 model as a folder that sentence-transformers loads. Runs in a worker process.

Its prompts are those of the E5 models, and it reads 512 tokens at most. Knows nothing of where the folder is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.embedding.multilingual.charsmap import charsmap
from pipeline.embedding.multilingual.packed_model import PackedModel, Pieces, Shape

PROMPTS = {"query": "query: ", "document": "passage: ", "passage": "passage: "}
WEIGHTS_FILE = "model.safetensors"
_MASK = "<mask>"

# The tensors of a layer: names in the packed model and in transformers' BertModel, and columns of matrices.
_LINEAR = {
    "q": ("attention.self.query", "hidden"),
    "k": ("attention.self.key", "hidden"),
    "v": ("attention.self.value", "hidden"),
    "ao": ("attention.output.dense", "hidden"),
    "fi": ("intermediate.dense", "hidden"),
    "fo": ("output.dense", "intermediate"),
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def write_model_folder(packed: PackedModel, folder: Path) -> None:
    """Fill an empty folder. Raises OSError, or BadFormat when a tensor is missing."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer

    save_file(_tensors(packed), folder / WEIGHTS_FILE, {"format": "pt"})
    # Made once here, so that an error shows now and not when the model is loaded.
    Tokenizer.from_str(json.dumps(_tokenizer(packed.pieces))).save(str(folder / "tokenizer.json"))
    for name, content in _json_files(packed.shape, packed.pieces).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def _tensors(packed: PackedModel) -> dict[str, np.ndarray]:
    """The weights by their names in BertModel: matrices in float16, which holds their four bits and scale."""
    shape = packed.shape
    embeddings = {
        "word_embeddings.weight": packed.matrix("emb.word", shape.hidden),
        "position_embeddings.weight": packed.values("emb.pos").reshape(-1, shape.hidden),
        "token_type_embeddings.weight": packed.values("emb.type").reshape(-1, shape.hidden)[:1],
        "LayerNorm.weight": packed.values("emb.ln.w"),
        "LayerNorm.bias": packed.values("emb.ln.b"),
    }
    tensors = {f"embeddings.{name}": values for name, values in embeddings.items()}
    for layer in range(shape.layers):
        prefix, packed_prefix = f"encoder.layer.{layer}", f"l{layer}"
        for packed_name, (name, columns) in _LINEAR.items():
            matrix = packed.matrix(f"{packed_prefix}.{packed_name}.w", getattr(shape, columns))
            tensors[f"{prefix}.{name}.weight"] = matrix
            tensors[f"{prefix}.{name}.bias"] = packed.values(f"{packed_prefix}.{packed_name}.b")
        for packed_name, name in _NORMS.items():
            tensors[f"{prefix}.{name}.weight"] = packed.values(f"{packed_prefix}.{packed_name}.w")
            tensors[f"{prefix}.{name}.bias"] = packed.values(f"{packed_prefix}.{packed_name}.b")
    # BertModel has a pooler, though sentence-transformers does not use it; missing weights would be random ones.
    tensors["pooler.dense.weight"] = np.zeros((shape.hidden, shape.hidden), np.float16)
    tensors["pooler.dense.bias"] = np.zeros(shape.hidden, np.float32)
    return {name: np.ascontiguousarray(values) for name, values in tensors.items()}


def _tokenizer(pieces: Pieces) -> dict[str, Any]:
    """A tokenizer of the library `tokenizers`: SentencePiece's unigram model with the pieces, as XLM-RoBERTa's."""
    import base64

    special = sorted({pieces.begin, pieces.end, pieces.padding, pieces.unknown, pieces.texts.index(_MASK)})
    begin, end = pieces.texts[pieces.begin], pieces.texts[pieces.end]
    single = [_special(begin), {"Sequence": {"id": "A", "type_id": 0}}, _special(end)]
    pair = [*single, _special(end), {"Sequence": {"id": "B", "type_id": 0}}, _special(end)]
    added = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, "content": pieces.texts[number], **added} for number in special],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {
                    "type": "Precompiled",
                    "precompiled_charsmap": base64.b64encode(charsmap(pieces.replacements)).decode(),
                },
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
                {"type": "Strip", "strip_left": True, "strip_right": True},
            ],
        },
        "pre_tokenizer": metaspace,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": pair,
            "special_tokens": {
                text: {"id": text, "ids": [number], "tokens": [text]}
                for text, number in ((begin, pieces.begin), (end, pieces.end))
            },
        },
        "decoder": metaspace,
        "model": {
            "type": "Unigram",
            "unk_id": pieces.unknown,
            "vocab": list(zip(pieces.texts, pieces.scores, strict=True)),
            "byte_fallback": False,
        },
    }


def _special(text: str) -> dict[str, Any]:
    return {"SpecialToken": {"id": text, "type_id": 0}}


def _json_files(shape: Shape, pieces: Pieces) -> dict[str, Any]:
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float16",
            "hidden_act": "gelu",
            "hidden_size": shape.hidden,
            "intermediate_size": shape.intermediate,
            "layer_norm_eps": shape.epsilon,
            "max_position_embeddings": shape.positions,
            "num_attention_heads": shape.heads,
            "num_hidden_layers": shape.layers,
            "pad_token_id": pieces.padding,
            "type_vocab_size": 1,
            "vocab_size": shape.vocabulary,
        },
        "tokenizer_config.json": {
            # The class that takes tokenizer.json as it is; XLM-RoBERTa's would build its own from the vocabulary.
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "bos_token": pieces.texts[pieces.begin],
            "cls_token": pieces.texts[pieces.begin],
            "eos_token": pieces.texts[pieces.end],
            "sep_token": pieces.texts[pieces.end],
            "pad_token": pieces.texts[pieces.padding],
            "unk_token": pieces.texts[pieces.unknown],
            "mask_token": _MASK,
        },
        "modules.json": modules,
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": PROMPTS,
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.hidden,
            "pooling_mode_mean_tokens": True,
            "include_prompt": True,
        },
        "2_Normalize/config.json": {},
    }
