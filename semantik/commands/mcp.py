"""`semantik-mcp`: lets an assistant that starts programs (stdio) use a running server, with an API key.

Rights, limits and the audit trail are the server's. Signals end it at once. `mcp_relay.py` does the work: it loads the
SDK of the protocol, which help and completion need not wait for.
"""

from __future__ import annotations

import argparse
import os

from semantik import __version__
from semantik.commands.cli_common import EXIT_STATUS, check_url, report_error
from semantik.commands.server_connection import DEFAULT_URL, KEY_VARIABLE, URL_VARIABLE
from semantik.core.errors import Invalid, SemantikError

_PROG = "semantik-mcp"


def main(argv: list[str]) -> int:
    """Serve until standard input ends, and return the exit status: 0 done, 1 failed, 2 usage error."""
    arguments = parser().parse_args(argv)
    url, key = arguments.url.rstrip("/"), os.environ.get(KEY_VARIABLE, "")
    try:
        check_url(url)
        if not key or not (key.isascii() and key.isprintable()):
            raise Invalid(
                f"Set {KEY_VARIABLE} to an API key with the scope read; the page makes one below API keys."
            )
        from semantik.commands.mcp_relay import run

        return run(url, key, arguments.check)
    except SemantikError as error:
        return report_error(_PROG, error)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        description="An MCP server on standard input and output, for assistants that start programs: it searches and "
        "reads documents through a running server of Semantik.",
        epilog=f"The API key is taken from {KEY_VARIABLE}. {EXIT_STATUS}",
    )
    made.add_argument("--version", action="version", version=f"semantik {__version__}")
    made.add_argument(
        "--url",
        default=os.environ.get(URL_VARIABLE, DEFAULT_URL),
        help=f"the server, {URL_VARIABLE} unless given, else {DEFAULT_URL}",
    )
    made.add_argument("--check", action="store_true", help="say whether the server answers, and end")
    return made
