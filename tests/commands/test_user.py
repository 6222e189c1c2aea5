"""`semantik-user` as a process: before the first start, beside a server, at a terminal, and with wrong input."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD
from support.clients import closing, connect
from support.patience import patience
from support.scripts import Ended, script
from support.server import ROOT, Serving

from semantik.auth.accounts import AccountService
from semantik.auth.passwords import Passwords
from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.commands.store_connection import open_stores
from semantik.config.settings import Settings
from semantik.core.errors import Conflict
from semantik.storage.mongo.users import FIRST_USER_ID

pytestmark = pytest.mark.gen_test


async def _user(data: Path, *words: str, typed: str = "") -> Ended:
    return await script("user", data, *words, typed=typed)


async def _create(data: Path, name: str, *more: str, password: str = PASSWORD) -> Ended:
    return await _user(data, "create", name, "--password-stdin", *more, typed=f"{password}\n")


async def _done(data: Path, *words: str) -> str:
    ended = await _user(data, *words)
    assert (ended.status, ended.err) == (0, "")
    return ended.out


async def _users(data: Path) -> dict[str, dict[str, Any]]:
    return {user["username"]: user for user in json.loads(await _done(data, "list", "--json"))}


async def test_the_first_user_may_be_there_before_the_first_start(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    ended = await _create(data, "Ann", "--email", "ann@example.com")
    assert (ended.status, ended.err) == (0, "")
    if not os.environ.get("SEMANTIK_TEST_MONGO_URL"):
        assert ended.out == f"Ann was created as an administrator, in the new data folder {data}.\n"
    [ann] = (await _users(data)).values()
    assert (ann["id"], ann["is_admin"], ann["disabled"]) == (FIRST_USER_ID, True, False)
    assert not any("password" in field for field in ann)

    client = Client(start().url)
    assert (await client.call("GET", "auth/setup"))["needs_first_user"] is False
    with pytest.raises(Refused, match="closed"):
        await client.register("bob", PASSWORD)
    await client.sign_in("ANN@example.com", PASSWORD)
    assert (await client.call("GET", "auth/me"))["is_admin"]


async def test_of_two_who_are_the_first_at_once_one_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    ended = await asyncio.gather(*(_create(data, name) for name in ("ann", "bob")))
    assert [(one.status, one.err) for one in ended] == [(0, "")] * 2
    assert sorted(user["is_admin"] for user in (await _users(data)).values()) == [False, True]


async def _signed_in(serving: Serving, name: str, password: str = PASSWORD) -> Client:
    client = Client(serving.url)
    await client.sign_in(name, password)
    return client


async def test_whoever_is_disabled_or_gets_a_new_password_is_out_at_once(
    start: Callable[..., Serving],
) -> None:
    serving = start()
    data = serving.data
    for name in ("ann", "bob"):
        assert (await _create(data, name)).status == 0
    ann, bob = [await _signed_in(serving, name) for name in ("ann", "bob")]

    socket = await connect(serving, "/ws/operations", {"token": bob.token})
    await _done(data, "disable", "Bob")
    code, reason = await closing(socket)
    assert code == 1008 and reason in ("The user is disabled.", "The session has ended; sign in again.")
    with pytest.raises(Refused, match="wrong"):
        await _signed_in(serving, "bob")
    await _done(data, "enable", "bob")
    bob = await _signed_in(serving, "bob")

    socket = await connect(serving, "/ws/operations", {"token": bob.token})
    theirs = await connect(serving, "/ws/operations", {"token": ann.token})
    ended = await _user(data, "reset-password", "bob", "--password-stdin", typed="another password\n")
    assert (ended.status, ended.err) == (0, "")
    assert await closing(socket) == (1008, "The session has ended; sign in again.")
    with pytest.raises(Refused, match="wrong"):
        await _signed_in(serving, "bob")
    await _signed_in(serving, "bob", "another password")
    assert theirs.close_code is None, "those of others stay"
    theirs.close()


async def test_administrators_are_made_and_unmade_but_for_the_last(start: Callable[..., Serving]) -> None:
    serving = start()
    data = serving.data
    for name, more in (("ann", ()), ("bob", ()), ("cid", ("--admin",))):
        assert (await _create(data, name, *more)).status == 0
    assert {name: user["is_admin"] for name, user in (await _users(data)).items()} == {
        "ann": True,
        "bob": False,
        "cid": True,
    }
    await _done(data, "demote", "ann")
    await _done(data, "promote", "bob")
    assert (await (await _signed_in(serving, "bob")).call("GET", "status"))["rss_bytes"] > 0
    await _done(data, "disable", "cid")
    for command in ("demote", "disable"):
        ended = await _user(data, command, "bob")
        assert (ended.status, ended.out) == (1, "")
        assert ended.err.startswith("semantik-user: bob is the last enabled administrator, and cannot")
    listed = (await _done(data, "list")).splitlines()
    assert [line.split()[:4] for line in listed] == [
        ["NAME", "E-MAIL", "ROLE", "STATE"],
        ["ann", "-", "user", "enabled"],
        ["bob", "-", "administrator", "enabled"],
        ["cid", "-", "administrator", "disabled"],
    ]


async def test_two_administrators_who_go_at_once_do_not_both_go(tmp_path: Path) -> None:
    async with open_stores(Settings(data=tmp_path), create=True) as stores:
        accounts = AccountService(stores.store, Passwords())
        for name in ("ann", "bob"):
            await accounts.add(name, PASSWORD, admin=True)
        for _ in range(10):
            gone = await asyncio.gather(
                accounts.disable("ann"), accounts.demote("bob"), return_exceptions=True
            )
            assert all(isinstance(one, Conflict) for one in gone if isinstance(one, BaseException))
            assert [user for user in await accounts.all() if user.is_admin and not user.disabled]
            await asyncio.gather(accounts.enable("ann"), accounts.promote("bob"))


async def test_what_cannot_be_is_said_in_a_sentence(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert (await _create(data, "ann", "--email", "ann@example.com")).status == 0
    for ended, why in (
        (await _create(data, "ANN"), "The user name ANN is taken; choose another."),
        (
            await _create(data, "bob", "--email", "Ann@example.com"),
            "The e-mail address Ann@example.com is registered already.",
        ),
        (await _user(data, "disable", "bob"), "There is no user 'bob'; `semantik-user list` shows them all."),
        (
            await _user(data, "promote", "\udcff"),
            "There is no user '\\udcff'; `semantik-user list` shows them all.",
        ),
    ):
        assert (ended.status, ended.out, ended.err) == (1, "", f"semantik-user: {why}\n")
    assert list(await _users(data)) == ["ann"]


@pytest.mark.parametrize(
    ("words", "typed", "why"),
    [
        (("create", "bob", "--password-stdin"), "short\n", "The password must have 8 to 200 characters."),
        (("create", "bob", "--password-stdin"), "", "The password must have 8 to 200 characters."),
        (("create", " ", "--password-stdin"), PASSWORD, "The user name must have 1 to 200 printable"),
        (("create", "b\nb", "--password-stdin"), PASSWORD, "The user name must have 1 to 200 printable"),
        (("create", "bob", "--email", "x", "--password-stdin"), PASSWORD, "The e-mail address must hold"),
        (("create", "bob"), PASSWORD, "There is no terminal to ask for the password"),
        (("reset-password", "bob"), PASSWORD, "There is no terminal to ask for the password"),
        (("list", "--mongo-url", "http://x"), "", "mongo_url = 'http://x' (the command line) is not allowed"),
        (("list", "--mongo-url", "mongodb://h:port"), "", "mongo_url is not an address of a MongoDB"),
        (("list", "--config", "/nowhere.toml"), "", "The configuration file /nowhere.toml cannot be read"),
        (("list",), "", "The data folder"),
    ],
)
async def test_misuse_is_said_in_a_sentence(
    tmp_path: Path, words: tuple[str, ...], typed: str, why: str
) -> None:
    ended = await _user(tmp_path / "data", *words, typed=typed)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"semantik-user: {why}") and ended.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


async def test_a_broken_configuration_and_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    config, file = tmp_path / "semantik.toml", tmp_path / "file"
    config.write_text("prot = 8080")
    file.touch()
    ended = await _user(tmp_path / "data", "list", "--config", str(config))
    assert ended.status == 2 and ended.err.startswith("semantik-user: There is no setting 'prot'")
    ended = await _user(file, "list")
    assert ended.status == 2 and "is a file; name the server's data folder" in ended.err
    ended = await _create(file, "ann")
    assert ended.status == 2 and "cannot be the data folder: File exists" in ended.err


@pytest.mark.parametrize("words", [(), ("remove", "ann"), ("create",), ("list", "ann")])
async def test_unknown_words_are_misuse(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = await _user(tmp_path / "data", *words)
    assert ended.status == 2 and ended.err.startswith("usage: semantik-user")


@pytest.mark.parametrize("words", [("--help",), ("create", "--help"), ("list", "--help")])
async def test_it_explains_itself(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = await _user(tmp_path / "data", *words)
    assert ended.status == 0 and "--mongo-database" in ended.out


def _at_a_terminal(data: Path, *answers: str) -> tuple[int, str]:
    """Create ann at a terminal, answering each of its questions; the status, and all that the terminal showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(ROOT / "bin" / "semantik-user"), "create", "ann", "--data", str(data)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    shown, left = b"", list(answers)
    while True:
        try:
            shown += os.read(ours, 1024)
        except OSError:  # the other end is closed
            break
        if left and shown.count(b": ") > len(answers) - len(left):
            os.write(ours, left.pop(0).encode())
    os.close(ours)
    return process.wait(patience()), shown.decode()


@pytest.mark.parametrize(
    ("answers", "status", "told"),
    [
        ((f"{PASSWORD}\n", f"{PASSWORD}\n"), 0, "ann was created"),
        ((f"{PASSWORD}\n", "something else\n"), 2, "The two passwords are not the same."),
        (("short\n",), 2, "The password must have 8 to 200 characters."),
        (("\x04",), 2, "No password was given."),
        (("\x03",), 130, ""),
    ],
    ids=["twice", "not the same", "short", "Ctrl-D", "Ctrl-C"],
)
async def test_a_terminal_is_asked_twice_and_shows_nothing(
    tmp_path: Path, answers: tuple[str, ...], status: int, told: str
) -> None:
    ended, shown = await asyncio.to_thread(_at_a_terminal, tmp_path / "data", *answers)
    assert ended == status and told in shown, shown
    assert "Traceback" not in shown
    assert not any(answer.strip() in shown for answer in answers if answer.strip().isprintable())
