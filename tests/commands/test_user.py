"""`semantik-user` as a process: before the first start, beside a server, at a terminal, and with invalid input."""

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
from support.server import ROOT, SETUP_CODE, Serving

from semantik.auth.accounts import AccountService
from semantik.auth.passwords import Passwords
from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.commands.store_connection import open_stores
from semantik.config.settings import Settings
from semantik.core.errors import Conflict
from semantik.storage.mongo.users import FIRST_USER_ID

pytestmark = pytest.mark.gen_test


async def _run(data: Path, *words: str, typed: str = "") -> Ended:
    return await script("user", data, *words, typed=typed)


async def _create(data: Path, name: str, *more: str, password: str = PASSWORD) -> Ended:
    return await _run(data, "create", name, "--password-stdin", *more, typed=f"{password}\n")


async def _output_of(data: Path, *words: str) -> str:
    result = await _run(data, *words)
    assert (result.status, result.err) == (0, "")
    return result.out


async def _users(data: Path) -> dict[str, dict[str, Any]]:
    return {user["username"]: user for user in json.loads(await _output_of(data, "list", "--json"))}


async def test_the_first_user_can_be_created_before_the_first_start(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    result = await _create(data, "Ann", "--email", "ann@example.com")
    assert (result.status, result.err) == (0, "")
    if not os.environ.get("SEMANTIK_TEST_MONGO_URL"):
        assert result.out == f"Ann was created as an administrator, in the new data folder {data}.\n"
    [ann] = (await _users(data)).values()
    assert (ann["id"], ann["is_admin"], ann["disabled"]) == (FIRST_USER_ID, True, False)
    assert not any("password" in field for field in ann)

    client = Client(start().url)
    assert (await client.call("GET", "auth/setup"))["needs_first_user"] is False
    with pytest.raises(Refused, match="closed"):
        await client.register("bob", PASSWORD, SETUP_CODE)
    await client.sign_in("ANN@example.com", PASSWORD)
    assert (await client.call("GET", "auth/me"))["is_admin"]


async def test_of_two_concurrent_first_users_one_is_administrator(tmp_path: Path) -> None:
    data = tmp_path / "data"
    result = await asyncio.gather(*(_create(data, name) for name in ("ann", "bob")))
    assert [(one.status, one.err) for one in result] == [(0, "")] * 2
    assert sorted(user["is_admin"] for user in (await _users(data)).values()) == [False, True]


async def _signed_in(serving: Serving, name: str, password: str = PASSWORD) -> Client:
    client = Client(serving.url)
    await client.sign_in(name, password)
    return client


async def test_disabling_or_a_password_reset_ends_sessions_at_once(
    start: Callable[..., Serving],
) -> None:
    serving = start()
    data = serving.data
    for name in ("ann", "bob"):
        assert (await _create(data, name)).status == 0
    ann, bob = [await _signed_in(serving, name) for name in ("ann", "bob")]

    socket = await connect(serving, "/ws/operations", {"token": bob.token})
    await _output_of(data, "disable", "Bob")
    code, reason = await closing(socket)
    assert code == 1008 and reason in ("The user is disabled.", "The session has ended; sign in again.")
    with pytest.raises(Refused, match="wrong"):
        await _signed_in(serving, "bob")
    await _output_of(data, "enable", "bob")
    bob = await _signed_in(serving, "bob")

    socket = await connect(serving, "/ws/operations", {"token": bob.token})
    other_socket = await connect(serving, "/ws/operations", {"token": ann.token})
    result = await _run(data, "reset-password", "bob", "--password-stdin", typed="another password\n")
    assert (result.status, result.err) == (0, "")
    assert await closing(socket) == (1008, "The session has ended; sign in again.")
    with pytest.raises(Refused, match="wrong"):
        await _signed_in(serving, "bob")
    await _signed_in(serving, "bob", "another password")
    assert other_socket.close_code is None, "sockets of other users stay open"
    other_socket.close()


async def test_administrators_can_be_promoted_and_demoted_except_the_last(
    start: Callable[..., Serving],
) -> None:
    serving = start()
    data = serving.data
    for name, more in (("ann", ()), ("bob", ()), ("cid", ("--admin",))):
        assert (await _create(data, name, *more)).status == 0
    assert {name: user["is_admin"] for name, user in (await _users(data)).items()} == {
        "ann": True,
        "bob": False,
        "cid": True,
    }
    await _output_of(data, "demote", "ann")
    await _output_of(data, "promote", "bob")
    assert (await (await _signed_in(serving, "bob")).call("GET", "status"))["rss_bytes"] > 0
    await _output_of(data, "disable", "cid")
    for command in ("demote", "disable"):
        result = await _run(data, command, "bob")
        assert (result.status, result.out) == (1, "")
        assert result.err.startswith("semantik-user: bob is the last enabled administrator, and cannot")
    listed = (await _output_of(data, "list")).splitlines()
    assert [line.split()[:4] for line in listed] == [
        ["NAME", "E-MAIL", "ROLE", "STATE"],
        ["ann", "-", "user", "enabled"],
        ["bob", "-", "administrator", "enabled"],
        ["cid", "-", "administrator", "disabled"],
    ]


async def test_concurrent_removals_leave_one_administrator(tmp_path: Path) -> None:
    async with open_stores(Settings(data=tmp_path), create=True) as stores:
        accounts = AccountService(stores.store, Passwords())
        for name in ("ann", "bob"):
            await accounts.add(name, PASSWORD, admin=True)
        for _ in range(10):
            results = await asyncio.gather(
                accounts.disable("ann"), accounts.demote("bob"), return_exceptions=True
            )
            assert all(isinstance(one, Conflict) for one in results if isinstance(one, BaseException))
            assert [user for user in await accounts.all() if user.is_admin and not user.disabled]
            await asyncio.gather(accounts.enable("ann"), accounts.promote("bob"))


async def test_conflicts_and_unknown_users_are_reported_in_one_sentence(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert (await _create(data, "ann", "--email", "ann@example.com")).status == 0
    for result, why in (
        (await _create(data, "ANN"), "The user name ANN is taken; choose another."),
        (
            await _create(data, "bob", "--email", "Ann@example.com"),
            "The e-mail address Ann@example.com is registered already.",
        ),
        (await _run(data, "disable", "bob"), "There is no user 'bob'; `semantik-user list` shows them all."),
        (
            await _run(data, "promote", "\udcff"),
            "There is no user '\\udcff'; `semantik-user list` shows them all.",
        ),
    ):
        assert (result.status, result.out, result.err) == (1, "", f"semantik-user: {why}\n")
    assert list(await _users(data)) == ["ann"]


@pytest.mark.parametrize(
    ("words", "typed", "why"),
    [
        (("create", "bob", "--password-stdin"), "short\n", "The password must have 10 to 200 characters."),
        (("create", "bob", "--password-stdin"), "", "The password must have 10 to 200 characters."),
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
async def test_misuse_is_reported_in_one_sentence(
    tmp_path: Path, words: tuple[str, ...], typed: str, why: str
) -> None:
    result = await _run(tmp_path / "data", *words, typed=typed)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"semantik-user: {why}") and result.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


async def test_an_invalid_configuration_or_data_folder_is_refused(tmp_path: Path) -> None:
    config, file = tmp_path / "semantik.toml", tmp_path / "file"
    config.write_text("prot = 8080")
    file.touch()
    result = await _run(tmp_path / "data", "list", "--config", str(config))
    assert result.status == 2 and result.err.startswith("semantik-user: There is no setting 'prot'")
    result = await _run(file, "list")
    assert result.status == 2 and "is a file; name the server's data folder" in result.err
    result = await _create(file, "ann")
    assert result.status == 2 and "cannot be the data folder: File exists" in result.err


@pytest.mark.parametrize("words", [(), ("remove", "ann"), ("create",), ("list", "ann")])
async def test_unknown_arguments_are_misuse(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = await _run(tmp_path / "data", *words)
    assert result.status == 2 and result.err.startswith("usage: semantik-user")


@pytest.mark.parametrize("words", [("--help",), ("create", "--help"), ("list", "--help")])
async def test_help_lists_the_options(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = await _run(tmp_path / "data", *words)
    assert result.status == 0 and "--mongo-database" in result.out


def _create_at_a_terminal(data: Path, *answers: str) -> tuple[int, str]:
    """Create ann at a terminal and answer each prompt; returns the exit status and the output of the terminal."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [str(ROOT / "bin" / "semantik-user"), "create", "ann", "--data", str(data)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(terminal)
    output, left = b"", list(answers)
    while True:
        try:
            output += os.read(controller, 1024)
        except OSError:  # the other end is closed
            break
        if left and output.count(b": ") > len(answers) - len(left):
            os.write(controller, left.pop(0).encode())
    os.close(controller)
    return process.wait(patience()), output.decode()


@pytest.mark.parametrize(
    ("answers", "status", "expected"),
    [
        ((f"{PASSWORD}\n", f"{PASSWORD}\n"), 0, "ann was created"),
        ((f"{PASSWORD}\n", "something else\n"), 2, "The two passwords are not the same."),
        (("short\n",), 2, "The password must have 10 to 200 characters."),
        (("\x04",), 2, "No password was given."),
        (("\x03",), 130, ""),
    ],
    ids=["twice", "not the same", "short", "Ctrl-D", "Ctrl-C"],
)
async def test_a_terminal_asks_twice_and_shows_no_password(
    tmp_path: Path, answers: tuple[str, ...], status: int, expected: str
) -> None:
    exit_status, output = await asyncio.to_thread(_create_at_a_terminal, tmp_path / "data", *answers)
    assert exit_status == status and expected in output, output
    assert "Traceback" not in output
    assert not any(answer.strip() in output for answer in answers if answer.strip().isprintable())


async def test_access_is_ended_and_a_lost_second_factor_is_removed(start: Callable[..., Serving]) -> None:
    serving = start()
    data = serving.data
    assert (await _create(data, "ann")).status == 0
    ann = await _signed_in(serving, "ann")
    key = await ann.call("POST", "api-keys", {"name": "A program"})
    assert "127.0.0.1" in await _output_of(data, "sessions", "ann")
    await _output_of(data, "end-access", "ann")
    assert await _output_of(data, "sessions", "ann") == "The user is not signed in.\n"
    for token in (ann.token, key["key"]):
        socket = await connect(serving, "/ws/operations", {"token": token})
        assert (await closing(socket))[0] == 1008
    result = await _run(data, "reset-second-factor", "ann")
    assert (result.status, result.err) == (1, "semantik-user: ann has no second factor.\n")
    ann = await _signed_in(serving, "ann")
    await _output_of(data, "rotate-signing-key")
    assert await ann.call("GET", "auth/me")
    await _output_of(data, "rotate-signing-key", "--revoke")
    assert await _output_of(data, "sessions", "ann") == "The user is not signed in.\n"
