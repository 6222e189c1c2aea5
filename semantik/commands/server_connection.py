"""Flags of the commands that use a running server, and the client that they give. Runs before and on the loop."""

from __future__ import annotations

import argparse
import getpass
import os
import sys

from semantik import __version__
from semantik.client.api import Client
from semantik.client.types import Collection
from semantik.commands.cli_common import check_url
from semantik.core.errors import Invalid

URL_VARIABLE, KEY_VARIABLE = "SEMANTIK_URL", "SEMANTIK_API_KEY"
DEFAULT_URL = "http://127.0.0.1:8080"
_PAGE = 500


def server_flags() -> argparse.ArgumentParser:
    """A parent for parsers."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--version", action="version", version=f"semantik {__version__}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    group = parser.add_argument_group(
        "server",
        f"The API key comes from the environment, as {KEY_VARIABLE}: others could read it in a flag.",
    )
    group.add_argument(
        "--url",
        default=os.environ.get(URL_VARIABLE, DEFAULT_URL),
        help=f"where the server is (else {URL_VARIABLE} in the environment, or {DEFAULT_URL})",
    )
    group.add_argument(
        "--username", metavar="NAME", help="sign in with a password instead of a key; it is prompted for"
    )
    return parser


async def connect(arguments: argparse.Namespace) -> Client:
    """A client that is signed in. Raises Invalid for a flag that cannot be, else what `Client` raises."""
    check_url(arguments.url)
    client = Client(arguments.url, "" if arguments.username else api_key())
    if arguments.username:
        await client.sign_in(arguments.username, read_password())
    return client


def api_key(given: str | None = None) -> str:
    """The key that was `given`, or that of the environment. Raises Invalid."""
    key = given or os.environ.get(KEY_VARIABLE, "")
    if not key:
        raise Invalid(f"Set {KEY_VARIABLE} to an API key (the page makes one), or give --username.")
    if not (key.isascii() and key.isprintable()):
        raise Invalid("The API key has characters that no key has; copy it again.")
    return key


def read_password() -> str:
    """The password that is typed at the prompt, or the first line of standard input. Raises Invalid."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        return getpass.getpass("Password: ")
    except EOFError as error:
        raise Invalid("No password was given.") from error


async def all_collections(client: Client) -> list[Collection]:
    """Those that the client's user may read."""
    return [one async for one in client.each(client.list_collections, limit=_PAGE)]


async def find_collection(client: Client, name: str) -> Collection | None:
    """The collection with this id or name, case aside. Raises Invalid where several have the name."""
    collections = await all_collections(client)
    if same_id := [one for one in collections if one["id"] == name]:
        return same_id[0]
    found = [one for one in collections if one["name"].lower() == name.lower()]
    if len(found) > 1:
        raise Invalid(
            f"Several collections are named {name!r}: give an id ({', '.join(one['id'] for one in found)})."
        )
    return found[0] if found else None
