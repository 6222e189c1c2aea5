"""Rankings to compare with: the peers, exact cosine of our model, and a plain mix with BM25. Kept below build/bench.

They depend on the set and the model alone, so a ranking that was made once is used again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.chunks import MODEL
from bench.corpus import WORK_FOLDER
from bench.peers import venv
from semantik.evaluation.judged_set import JudgedDocument, JudgedQuery

BM25, COSINE, MIX = "bm25s", "exact cosine", "0.6 cosine + 0.4 BM25 / best"
PEERS = ("chromadb", "txtai", "llama-index")
_CHUNK_TOKENS, _OVERLAP = 200, 20
_DEPTH = 100
_COSINE_SHARE = 0.6
_FOLDER = WORK_FOLDER / "quality"

Rankings = dict[str, list[str]]
"""The ids of the documents found by a query's id, best first."""


def rankings(
    folder: Path,
    own: Path,
    documents: Sequence[JudgedDocument],
    queries: Sequence[JudgedQuery],
    peers: Sequence[str],
) -> dict[str, Rankings]:
    """What BM25, the cosine and their mix find, and `peers` of the queries in `own`, the set as it was given.

    Both folders have corpus.jsonl and queries.jsonl; `queries` are those of `folder`.
    """
    scored = {BM25: _peer(BM25, folder)} | {name: _peer(name, own) for name in peers}
    ids = [document.id for document in documents]
    columns = {document_id: column for column, document_id in enumerate(ids)}
    cosine = _cosine(folder, documents, queries)
    words = np.zeros_like(cosine)
    for row, query in enumerate(queries):
        for document_id, score in scored[BM25][query.id]:
            words[row, columns[document_id]] = score
    best = words.max(axis=1, keepdims=True)
    mix = _COSINE_SHARE * cosine + (1 - _COSINE_SHARE) * words / np.where(best > 0, best, 1)
    found = {
        name: {query: [document for document, _ in pairs[:_DEPTH]] for query, pairs in by_query.items()}
        for name, by_query in scored.items()
    }
    found[COSINE] = _ranked(cosine, ids, queries)
    found[MIX] = _ranked(mix, ids, queries)
    return found


def _ranked(scores: NDArray[np.float32], ids: Sequence[str], queries: Sequence[JudgedQuery]) -> Rankings:
    order = np.argsort(-scores, axis=1, kind="stable")[:, :_DEPTH]
    return {query.id: [ids[column] for column in row] for query, row in zip(queries, order, strict=True)}


def _peer(name: str, folder: Path) -> dict[str, list[tuple[str, float]]]:
    saved = _FOLDER / f"{_digest(folder, name)}.json"
    if not saved.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        saved.write_text(json.dumps(venv.retrieve(name, folder)))
    found: dict[str, list[tuple[str, float]]] = json.loads(saved.read_text())
    return found


def _cosine(
    folder: Path, documents: Sequence[JudgedDocument], queries: Sequence[JudgedQuery]
) -> NDArray[np.float32]:
    """(queries, documents): the cosine of a document's best chunk of 200 tokens, in float32."""
    saved = _FOLDER / f"{_digest(folder, COSINE)}.npy"
    if not saved.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        np.save(saved, _best_chunks(documents, queries))
    found: NDArray[np.float32] = np.load(saved)
    return found


def _best_chunks(documents: Sequence[JudgedDocument], queries: Sequence[JudgedQuery]) -> NDArray[np.float32]:
    from semantic_text_splitter import TextSplitter

    from pipeline.compute.messages import ModelSpec
    from pipeline.embedding import model

    encoder = model.load(ModelSpec(MODEL, "float32"))
    splitter = TextSplitter.from_huggingface_tokenizer(encoder.tokenizer, _CHUNK_TOKENS, _OVERLAP)
    texts: list[str] = []
    starts = []
    for document in documents:
        starts.append(len(texts))
        texts += splitter.chunks(f"{document.title}\n\n{document.text}".strip()) or [" "]
    chunk_vectors = encoder.embed(texts).astype(np.float32)
    query_vectors = encoder.embed_queries([query.text for query in queries]).astype(np.float32)
    return np.maximum.reduceat(query_vectors @ chunk_vectors.T, starts, axis=1)


def _digest(folder: Path, name: str) -> str:
    digest = hashlib.blake2b(name.encode(), digest_size=8)
    for file in ("corpus.jsonl", "queries.jsonl"):
        digest.update((folder / file).read_bytes())
    return digest.hexdigest()
