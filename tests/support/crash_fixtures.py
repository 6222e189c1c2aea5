"""Collections that wait for one operation of each type, and what such an operation leaves behind, to be compared."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from support.api import PASSWORD, ask
from support.archives import write_zip, zip_bytes
from support.copied_stores import copy_home
from support.server import SETUP_CODE, given_settings, serve

from semantik.client.api import Client
from semantik.config.loader import entries, load
from semantik.config.settings import Settings
from semantik.core.models import Collection, Operation
from semantik.storage.mongo import Store

FLAGS = (
    "--progress-linger-s",
    "0.2",
    "--reindex-grace-s",
    "0",
    "--pool-workers",
    "1",
    "--pool-batch-files",
    "3",
)
QUESTIONS = ("When does the tide rise?", "What burns at night?", "Which chart shows the reef?")
USER = "keeper"
_BROKEN = b"\x00\x01\x02" * 400

# What each operation works on; an INDEX makes its collection.
COLLECTIONS = {
    "index": "Wharf",
    "append": "Harbour",
    "retry": "Cellar",
    "reindex": "Library",
    "cancelled_reindex": "Museum",
    "remove_source": "Archive",
}
SOURCES = {
    "append": ["harbour"],
    "retry": ["cellar"],
    **{story: ["books", "books/charts"] for story in ("reindex", "cancelled_reindex", "remove_source")},
}


@dataclass(frozen=True)
class Home:
    """A data folder that holds the collections, and the folder of their documents."""

    data: Path
    folder: Path

    @property
    def settings(self) -> Settings:
        """For a server in this process."""
        flags = dict(zip(FLAGS[::2], FLAGS[1::2], strict=True))
        given = {entry.name: flags[entry.flag] for entry in entries() if entry.flag in flags}
        return load(
            environ=given_settings(self.data), overrides={**given, "port": "0", "data": str(self.data)}
        )

    async def again(self, data: Path) -> Home:
        """The same in another data folder."""
        shutil.copytree(self.data, data, ignore=shutil.ignore_patterns("run", "lock", "log"))
        await asyncio.to_thread(copy_home, self.data, data)
        return Home(data, self.folder)

    async def prepare(self) -> None:
        """Index the documents, and change them then."""
        write_before(self.folder)
        serving = serve(self.data, *FLAGS)
        client = Client(serving.url)
        await client.register(USER, PASSWORD, SETUP_CODE)
        await client.sign_in(USER, PASSWORD)
        for story, paths in SOURCES.items():
            wish = {"name": COLLECTIONS[story], "source_path": str(self.folder / paths[0])}
            made = await client.call("POST", "collections", wish)
            await ended(client, made["operation_id"])
            for path in paths[1:]:
                wish = {"path": str(self.folder / path)}
                added = await client.call("POST", f"collections/{made['id']}/sources", wish)
                await ended(client, added["operation_id"])
        assert serving.stop() == 0
        write_after(self.folder)


def paragraphs(subject: str, number: int) -> str:
    return "\n\n".join(
        f"{subject}, part {each}: it is noted in the book of the port." for each in range(number)
    )


def write_before(folder: Path) -> None:
    """The documents as they are indexed."""
    texts = {
        "harbour/tides.txt": "The tide rises twice a day.",
        "harbour/ropes.txt": "A bowline does not slip.",
        "harbour/gulls.txt": "Gulls steal the bread.",
        "harbour/fog.txt": "In fog the horn sounds.",
        "harbour/touched.txt": "Nobody changes this page.",
        "harbour/crane.txt": "The crane lifts nine tons.",
        "cellar/wine.txt": "The wine lies in the dark.",
        "wharf/boats.txt": "Boats are made fast at the wharf.",
        "wharf/nets.txt": "Nets are mended in winter.",
        "wharf/oars.txt": "Oars are made of ash.",
        "wharf/sails.txt": "Sails are sewn of flax.",
        "books/almanac.txt": "The almanac lists all lights.",
        "books/pilot.txt": "The pilot describes the coast.",
        "books/log.txt": "The log holds the watches.",
        "books/charts/reef.txt": "The chart shows the reef.",
        "books/charts/bay.txt": "The chart shows the bay.",
    }
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(paragraphs(text, 5))
    for name in (
        "harbour/chest.zip",
        "harbour/trunk.zip",
        "harbour/bin.zip",
        "wharf/crate.zip",
        "books/shelf.zip",
    ):
        inner = zip_bytes({"string.txt": paragraphs(f"A string from {name}.", 2)})
        letters = {f"letter-{each}.txt": paragraphs(f"Letter {each} of {name}.", 2) for each in range(4)}
        write_zip(
            folder / name, {**letters, "inner.zip": inner, "sand.bin": b"" if "books" in name else _BROKEN}
        )
    write_zip(folder / "books/charts/atlas.zip", {"sea.txt": paragraphs("The sea is deep.", 2)})
    (folder / "cellar/cask.txt").write_bytes(_BROKEN)
    (folder / "wharf/anchor.pdf").write_bytes(b"%PDF-1.7 and no more")
    (folder / "wharf/empty.txt").write_text("")


def write_after(folder: Path) -> None:
    """The documents as the operations find them: some new, changed, touched, moved, broken, mended or gone."""
    harbour = folder / "harbour"
    (harbour / "comet.txt").write_text(paragraphs("A comet was seen over the mole.", 4))
    (harbour / "lamps.txt").write_text(paragraphs("The lamps burn all night.", 4))
    (harbour / "tides.txt").write_text(paragraphs("Spring tides come with the full moon.", 7))
    (harbour / "crane.txt").write_text("The crane is sold.")
    (harbour / "ropes.txt").rename(harbour / "knots.txt")
    (harbour / "fog.txt").write_bytes(_BROKEN)
    (harbour / "gulls.txt").unlink()
    (harbour / "trunk.zip").rename(harbour / "box.zip")
    (harbour / "bin.zip").unlink()
    letters = {
        f"letter-{each}.txt": paragraphs(f"Letter {each} was written anew.", 2) for each in range(2, 6)
    }
    inner = zip_bytes({"string.txt": paragraphs("A longer string.", 3)})
    write_zip(harbour / "chest.zip", {**letters, "inner.zip": inner})
    os.utime(harbour / "touched.txt", (1, 1))
    (folder / "cellar/cask.txt").write_text(paragraphs("The cask was opened.", 3))


async def ended(client: Client, operation_id: str) -> list[dict[str, Any]]:
    return [frame async for frame in client.watch(operation_id)]


async def signed_in(url: str) -> Client:
    client = Client(url)
    await client.sign_in(USER, PASSWORD)
    return client


async def begin(client: Client, story: str, folder: Path) -> None:
    """Ask for the operation of a story."""
    if story == "index":
        await client.call("POST", "collections", {"name": "Wharf", "source_path": str(folder / "wharf")})
        return
    here = f"collections/{await collection_of(client, story)}"
    if story == "remove_source":
        sources = (await client.call("GET", f"{here}/sources"))["items"]
        books = next(source["id"] for source in sources if source["path"].endswith("books"))
        await client.call("DELETE", f"{here}/sources/{books}")
    elif story in ("reindex", "cancelled_reindex"):
        await client.call("POST", f"{here}/reindex", {"chunk_size": 24})
    else:
        await client.call("POST", f"{here}/{story}", {})


async def collection_of(client: Client, story: str) -> str:
    collections = (await client.call("GET", "collections"))["items"]
    return next(str(one["id"]) for one in collections if one["name"] == COLLECTIONS[story])


async def settled(store: Store, collection_id: str) -> Collection:
    """The collection, once no former generation is left of it."""
    while True:
        collection = await store.collections.get(collection_id)
        assert collection is not None
        if len(collection.generations) == 1:
            return collection
        await store.ping()


async def newest_operation(store: Store, collection_id: str) -> Operation:
    return (await store.operations.of_collections([collection_id], 1))[0]


async def left(store: Store, client: Client, story: str, folder: Path) -> dict[str, Any]:
    """What there is of a story's collection, in words that are the same for every run."""
    collection_id = await collection_of(client, story)

    def name(path: str) -> str:
        return str(Path(path).relative_to(folder))

    hits = {}
    for question in QUESTIONS:
        found = await ask(client, question, collection_ids=[collection_id], k=100)
        hits[question] = {
            (name(hit["document"]["path"]), hit["start"], hit["passage"]): hit["score"] for hit in found
        }
        assert len(hits[question]) == len(found)
    collection = await settled(store, collection_id)
    generation = collection.current
    sources = await store.collections.sources([collection_id])
    documents, chunks = {}, {}
    async for page in store.documents.of_generation(generation):
        for one in page:
            documents[name(one.path)] = (
                one.status,
                one.due,
                one.missing,
                one.content_hash,
                one.size,
                one.length,
                one.chunk_count,
                one.old_first,
                one.failure and one.failure.category,
                next(name(source.path) for source in sources if source.id == one.source_id),
            )
            if one.status == "indexed":
                pages = [page async for page in store.chunks.pages_with_vectors(one)]
                chunks[name(one.path)] = [chunk.text for page in pages for chunk, _ in page]
    operations = await store.operations.of_collections([collection_id], 0)
    operation = operations[0]
    failures = await store.failures.page(operation.id, "", 100)
    stored = await store.chunks.count(generation)
    view = await client.call("GET", f"collections/{collection_id}")
    return {
        "documents": documents,
        "chunks": chunks,
        "stored": stored,
        "counts": asdict(generation.counts),
        "operations": [one.type for one in operations if one.status == "completed"],
        "stages": [stage.name for stage in operation.stages] if operation.status == "completed" else None,
        "cut": (generation.model, generation.chunk_size, generation.chunk_overlap, generation.dimension),
        "generations": [one.number for one in collection.generations],
        "running": collection.running,
        "sources": [(name(source.path), source.removing) for source in sources],
        "vectors": view["stats"]["vectors"],
        "hits": hits,
        "failures": [(name(one.path), one.failure.category) for one in failures],
    }
