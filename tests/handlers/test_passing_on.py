"""Two servers that see different folders: what one does not see, it asks the other for, as the same user."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from support.api import documents, index, new_user, refusal_of
from support.local_tls import free_port
from support.patience import deadline
from support.scan_client import connect_scanner
from support.server import Serving
from support.two_servers import Two
from support.uploads import detail, request

from semantik.auth.groups import GroupService
from semantik.auth.peer_tickets import HEADER, PeerTickets
from semantik.auth.principal import Principal
from semantik.auth.signing_keys import SigningKeys
from semantik.client.api import Client
from semantik.config.settings import AuthSettings
from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.server]

TEXT = "The lamp of the lighthouse turns once a minute.\n" * 40_000  # some blocks of a stream


class Pair:
    """`near` and `far`, each with a folder of its own; both can be asked for files."""

    def __init__(self, two: Two, folder: Path) -> None:
        self.two = two
        self.folder = folder / "far"
        self.folder.mkdir()
        (folder / "near").mkdir()
        self.near, self.far = (self.start(name, folder / name) for name in ("near", "far"))

    def start(self, name: str, root: Path) -> Serving:
        address = ("--port", str(port := free_port()), "--peer-url", f"http://127.0.0.1:{port}")
        flags = ("--auth-registration", "open", "--documents-roots", str(root), "--label", name)
        serving = self.two.start_one(name, *flags, *address)
        self.two.servers.append(serving)
        return serving

    async def user(self) -> Client:
        """A client of the server that does not see the folder."""
        return await new_user(self.near)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with Two(tmp_path_factory.mktemp("two")) as two:
        yield Pair(two, tmp_path_factory.mktemp("folders"))


async def _document(pair: Pair, client: Client, name: str, text: str) -> str:
    """The path of the original of a new file on the far server."""
    folder = pair.folder / f"folder-{uuid4()}"
    folder.mkdir()
    (folder / name).write_text(text)
    far = Client(pair.far.url, client.token)
    collection_id, _ = await index(far, folder)
    document = (await documents(client, collection_id))[name]
    return f"collections/{collection_id}/documents/{document['id']}/original"


async def test_an_original_comes_whole_and_in_ranges(pair: Pair) -> None:
    client, other = await pair.user(), await pair.user()
    path = await _document(pair, client, "lamp.txt", TEXT)
    whole = await request(client, "GET", path)
    assert (whole.code, whole.body.decode()) == (200, TEXT)
    direct = await request(Client(pair.far.url, client.token), "GET", path)
    for name in ("Content-Type", "Content-Disposition", "Content-Security-Policy", "ETag", "Last-Modified"):
        assert whole.headers[name] == direct.headers[name]
    head = await request(client, "HEAD", path)
    assert (head.code, head.body, head.headers["Content-Length"]) == (200, b"", str(len(TEXT)))
    part = await request(client, "GET", path, Range="bytes=4-7", If_Range=whole.headers["ETag"])
    assert (part.code, part.body.decode()) == (206, TEXT[4:8])
    assert part.headers["Content-Range"] == f"bytes 4-7/{len(TEXT)}"
    assert (await request(client, "GET", path, If_None_Match=whole.headers["ETag"])).code == 304
    beyond = await request(client, "GET", path, Range=f"bytes={len(TEXT)}-")
    assert (beyond.code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(TEXT)}")
    saved = await request(client, "GET", f"{path}?download=true")
    assert saved.headers["Content-Disposition"].startswith("attachment; ")
    assert (await request(other, "GET", path)).code == 404


async def test_a_file_that_no_server_sees_goes_in_no_circle(pair: Pair) -> None:
    client = await pair.user()
    path = await _document(pair, client, "lamp.txt", "A lamp.")
    [folder] = [each.parent for each in pair.folder.glob("*/lamp.txt") if each.read_text() == "A lamp."]
    (folder / "lamp.txt").unlink()
    logs = [len(one.log.read_text()) for one in (pair.near, pair.far)]
    async with deadline():
        missing = await request(client, "GET", path)
    assert missing.code == 404
    assert "server with the label far may see it" in detail(missing)

    def requests() -> list[int]:
        new = [one.log.read_text()[start:] for one, start in zip((pair.near, pair.far), logs, strict=True)]
        return [
            len([line for line in log.splitlines() if " semantik.http " in line and path in line])
            for log in new
        ]

    async with deadline():
        while not all(requests()):  # noqa: ASYNC110 - a server logs a request after its answer
            await asyncio.sleep(0.05)
    assert requests() == [1, 1]


async def test_folders_are_shown_and_scanned(pair: Pair) -> None:
    client = await pair.user()
    await _document(pair, client, "pier.txt", "The lamp of the pier burned all night, and nobody saw it.")
    [folder] = [each.parent for each in pair.folder.glob("*/pier.txt")]
    shown = await client.call("GET", f"folders?path={folder}")
    assert shown["path"] == str(folder) and shown["files"] == 1
    found = await client.call("POST", "folders/languages", {"path": str(folder)})
    assert "languages" in found
    scanner = await connect_scanner(pair.near, client.token)
    ended = await scanner.scan(folder)
    assert ended["type"] == "completed"
    assert [one["path"] for one in ended["data"]["files"]] == [str(each) for each in folder.iterdir()]
    # The socket is still there for another scan; that no server sees the folder, this server says itself.
    outside = await scanner.scan("/usr/share")
    assert outside["type"] == "error" and "outside the folders" in outside["data"]["message"]
    refusal = await refusal_of(client, "GET", "folders?path=/usr/share")
    assert refusal.status == 403
    scanner.socket.close()


async def test_a_ticket_is_good_for_its_request_alone(pair: Pair) -> None:
    client = await pair.user()
    path = await _document(pair, client, "lamp.txt", "A lamp.")
    stores = pair.two.stores
    async with Store(stores.mongo_url, stores.database) as store:
        keys = SigningKeys(store, AuthSettings)
        await keys.load()
        user = await store.users.get((await client.call("GET", "auth/me"))["id"])
        assert user is not None
        principal = Principal(user, "a session", None, ("read",))
        tickets = PeerTickets(store, GroupService(store), keys)
        anonymous = Client(pair.far.url)
        good = tickets.issue(principal, "GET", f"/api/v2/{path}")
        assert (await request(anonymous, "GET", path, **{HEADER: good})).code == 200
        others = [
            tickets.issue(principal, "HEAD", f"/api/v2/{path}"),
            tickets.issue(principal, "GET", "/api/v2/users"),
        ]
        for ticket in (*others, good[:-4], "x", client.token or ""):
            assert (await request(anonymous, "GET", path, **{HEADER: ticket})).code == 401


@pytest.mark.noisy
async def test_a_server_that_has_died_is_not_waited_for(pair: Pair) -> None:
    client = await pair.user()
    path = await _document(pair, client, "lamp.txt", TEXT)
    pair.two.servers.remove(pair.far)
    pair.far.kill()
    async with deadline():
        missing = await request(client, "GET", path)
        scanner = await connect_scanner(pair.near, client.token)
        scanned = await scanner.scan(pair.folder)
    assert missing.code == 404 and "far" in detail(missing)
    assert scanned["type"] == "error" and "outside the folders" in scanned["data"]["message"]
    await asyncio.sleep(0)
    scanner.socket.close()
