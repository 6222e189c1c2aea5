"""Git repositories as sources: `git http-backend` on loopback, and a server that is killed in between."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator

import pytest
from support.api import PASSWORD as USER_PASSWORD
from support.api import ask, new_user, refusal_of
from support.connected import LOOPBACK, ConnectedSource, connected, dies
from support.crash_fixtures import USER as KEEPER
from support.crash_fixtures import signed_in
from support.git_server import PASSWORD, USER, GitServer, Repository, git_server
from support.processes import command_line
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with git_server(tmp_path_factory.mktemp("git")) as server:
        yield server


@pytest.fixture
def handbook(git: GitServer, request: pytest.FixtureRequest) -> Repository:
    repository = git.repository(request.node.name)
    repository.commit(
        "Begin the handbook",
        {"tides.md": "# Tides\n\nThe tide rises twice a day.", "a/b/fog.txt": "In fog the horn sounds."},
    )
    repository.commit(
        "Describe the lamps",
        {"a/lamps.md": "The lamps burn all night.", "code.py": "print('no document of ours')"},
    )
    return repository


async def test_a_branch_is_indexed_with_its_history_and_followed(
    start: Callable[..., Serving], git: GitServer, handbook: Repository
) -> None:
    serving = start(*LOOPBACK)

    source = await connected(await new_user(serving))
    frames = await source.add("git", url=handbook.url, include=["*.md", "a/b/"])
    assert frames[-1]["type"] == "status_update" or frames[-1]["data"]["status"] == "completed"
    found = await source.documents()
    assert set(found) == {"tides.md", "a/b/fog.txt", "a/lamps.md"}
    assert {each["status"] for each in found.values()} == {"indexed"}
    assert found["tides.md"]["origin"]["subject"] == "Begin the handbook"
    assert found["a/lamps.md"]["origin"]["author"] == "Ada Keeper"
    [hit, *_] = await ask(source.client, "When does the tide rise?", collection_ids=[source.id])
    assert hit["document"]["path"] == f"{handbook.url}/tides.md"

    requests = git.requests
    unchanged = await source.scan()
    assert unchanged["result"]["unchanged"] == 3
    assert git.requests - requests <= 2  # the references only

    commit = handbook.commit(
        "Spring tides",
        {
            "tides.md": "Spring tides come with the full moon.",
            "a/b/fog.txt": None,
            "new.md": "A comet was seen.",
        },
    )
    changed = await source.scan()
    assert {key: changed["result"][key] for key in ("new", "changed", "missing")} == {
        "new": 1,
        "changed": 1,
        "missing": 1,
    }
    found = await source.documents()
    assert set(found) == {"tides.md", "a/lamps.md", "new.md"}
    assert found["tides.md"]["origin"]["commit"] == commit
    assert found["a/lamps.md"]["origin"]["subject"] == "Describe the lamps"

    handbook.commit("Begin anew", {"new.md": None}, force=True)
    await source.scan()
    assert set(await source.documents()) == {"tides.md", "a/lamps.md"}


@pytest.mark.noisy
async def test_a_killed_server_neither_loses_nor_doubles_an_item(
    start: Callable[..., Serving], handbook: Repository
) -> None:
    handbook.commit("Many", {f"notes/{each}.md": f"Note {each} of the port." for each in range(30)})
    killed = start(*LOOPBACK, env={"SEMANTIK_FAILPOINT": "fetching.kept:17"})

    client = Client(killed.url)
    await client.register(KEEPER, USER_PASSWORD, SETUP_CODE)
    await client.sign_in(KEEPER, USER_PASSWORD)
    collection_id = (await connected(client)).id
    body = {"kind": "git", "options": {"url": handbook.url}}
    added = await client.call("POST", f"collections/{collection_id}/sources", body)
    await dies(killed)
    await dies(start(*LOOPBACK, env={"SEMANTIK_FAILPOINT": "fetching.finished"}))
    serving = start(*LOOPBACK)

    client = await signed_in(serving.url)
    source = ConnectedSource(client, collection_id)
    [source.source] = (await client.call("GET", f"collections/{collection_id}/sources"))["items"]
    ended = await source.end_of(added["operation_id"])
    assert ended["status"] == "completed"
    found = await source.documents()
    assert set(found) == {"tides.md", "a/b/fog.txt", "a/lamps.md", "code.py"} | {
        f"notes/{each}.md" for each in range(30)
    }
    assert {each["status"] for each in found.values()} == {"indexed"}
    view = await client.call("GET", f"collections/{collection_id}")
    assert view["document_count"] == 34 and view["chunk_count"] == view["stats"]["vectors"]

    kept = serving.data / "sources" / source.source["id"]
    await asyncio.to_thread(shutil.rmtree, kept)  # what is lost is fetched again before it is read
    again = await client.call("POST", f"collections/{collection_id}/reindex", {"chunk_size": 24})
    reindexed = await source.end_of(again["operation_id"])
    assert (reindexed["status"], reindexed["result"]["documents"]) == ("completed", 34)
    assert kept.is_dir()
    removal = await client.call("DELETE", f"collections/{collection_id}/sources/{source.source['id']}")
    await source.end_of(removal["operation_id"])
    assert not kept.exists()
    assert await source.client.call("GET", f"collections/{collection_id}/documents", limit=5) == {
        "items": [],
        "next_cursor": None,
    }


async def test_a_password_is_used_and_never_shown(
    start: Callable[..., Serving], git: GitServer, handbook: Repository
) -> None:
    serving = start(*LOOPBACK)

    source = await connected(await new_user(serving))
    git.private = True
    try:
        frames = await source.add("git", url=handbook.url)
        assert "asks for a user and a password" in str(frames[-2:])
        body = {"kind": "git", "options": {"url": handbook.url, "username": USER, "password": PASSWORD}}
        added = await source.client.call("POST", f"collections/{source.id}/sources", body)
        seen = [argument for each in serving.tree for argument in command_line(each)]
        ended = await source.end_of(added["operation_id"])
        assert ended["status"] == "completed" and len(await source.documents()) == 4
        shown = [added, ended, seen]
        shown += [await source.client.call("GET", f"collections/{source.id}/sources")]
        shown += [await source.client.call("GET", "audit", limit=100)]
        shown += [each.read_bytes() for each in serving.data.rglob("*") if each.is_file()]
        assert PASSWORD not in str(shown) + serving.log.read_text()
        path = f"collections/{source.id}/sources/{added['source']['id']}"
        changed = await source.client.call("PATCH", path, {"options": {"include": ["*.md"]}})
        assert changed["has_secret"] and changed["options"]["include"] == ["*.md"]
        await source.scan()
        assert set(await source.documents()) == {"tides.md", "a/lamps.md"}
    finally:
        git.private = False


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"url": "file:///etc"}, "a URL as https://example.org/path"),
        ({"url": "https://user:secret@example.org/a.git"}, "without a user and a password"),
        ({"url": "https://example.org/a.git", "branch": "--upload-pack=x"}, "is no name of a branch"),
        ({"url": "https://example.org/a.git", "include": ["[a"]}, "[a"),
        ({"url": "https://example.org/a.git", "password": ["x"]}, "options.password is not allowed"),
        ({}, "options.url is missing"),
        ({"url": "https://example.org/a.git", "depth": 1}, "options.depth is not known here"),
    ],
)
async def test_wrong_options_are_refused_with_a_sentence(
    shared: Serving, options: dict[str, object], sentence: str
) -> None:
    source = await connected(await new_user(shared), f"Wrong {sorted(options)} {sentence}")
    refused = await refusal_of(
        source.client, "POST", f"collections/{source.id}/sources", {"kind": "git", "options": options}
    )
    assert sentence in str(refused)
    assert "secret" not in str(refused)


async def test_private_addresses_and_links_are_not_followed(shared: Serving, handbook: Repository) -> None:
    handbook.link("passwords.txt", "/etc/passwd")
    handbook.commit("Add a link", {"x.md": "More."})

    source = await connected(await new_user(shared), "Private")
    frames = await source.add("git", url=handbook.url)
    assert "connectors may not reach" in str(frames[-2:])
