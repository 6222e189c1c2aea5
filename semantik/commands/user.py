"""`semantik-user`: the accounts of users, for the administrator at the machine; with or without a server running."""

from __future__ import annotations

import argparse
import getpass
import json
import signal
import sys

from semantik.auth.accounts import AccountService, check_email, checked_name
from semantik.auth.passwords import Passwords, check_password
from semantik.commands.cli_common import INTERRUPTED, perform, refused, settings_of, store_flags, table, tell
from semantik.commands.store_connection import open_stores
from semantik.config.settings import Settings
from semantik.core.errors import Invalid, SemantikError
from semantik.core.models import User

_PROG = "semantik-user"
_LONGEST_LINE = 4096  # bytes
_DONE = {
    "reset-password": "The password of {} is new, and all sessions of the user have ended.",
    "disable": "{} is disabled, and all sessions of the user have ended.",
    "enable": "{} is enabled.",
    "promote": "{} is an administrator.",
    "demote": "{} is no administrator any more.",
}


def main(argv: list[str]) -> int:
    """Do one thing to the accounts, and return the exit status: 0 done, 1 could not, 2 misuse."""
    arguments = _parser().parse_args(argv)
    try:
        settings = settings_of(arguments)
        password = ""
        if arguments.command == "create":
            checked_name(arguments.name)
            check_email(arguments.email)
        if arguments.command in ("create", "reset-password"):
            # Before the stores are opened: nobody waits for a person who types.
            password = _password(arguments.password_stdin)
    except SemantikError as error:
        return refused(_PROG, error)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED
    return perform(_PROG, _work(settings, arguments, password))


def _parser() -> argparse.ArgumentParser:
    flags = store_flags()
    parser = argparse.ArgumentParser(
        prog=_PROG,
        description="Create users, give new passwords, disable and enable users, and make administrators.",
        parents=[flags],
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=summary, parents=[flags])

    create = add("create", "Add a user; the first of all is an administrator.")
    create.add_argument("name", metavar="NAME", help="the user name")
    create.add_argument("--email", metavar="ADDRESS", help="the e-mail address, which serves as the name too")
    create.add_argument("--admin", action="store_true", help="make the user an administrator")
    reset = add("reset-password", "Give a user a new password, and end all sessions of the user.")
    disable = add("disable", "Let a user sign in no more, and end all sessions of the user.")
    enable = add("enable", "Let a disabled user sign in again.")
    promote = add("promote", "Make a user an administrator.")
    demote = add("demote", "Make an administrator a user as others are.")
    for each in (reset, disable, enable, promote, demote):
        each.add_argument("name", metavar="NAME", help="the user name, or the e-mail address")
    for each in (create, reset):
        each.add_argument(
            "--password-stdin", action="store_true", help="read the password from a line of standard input"
        )
    listing = add("list", "Show all users.")
    listing.add_argument("--json", action="store_true", help="as JSON, for machines")
    return parser


def _password(from_stdin: bool) -> str:
    """Read the new password. Raises Invalid when there is none, or none that is allowed."""
    try:
        password = _line() if from_stdin else _typed()
    except UnicodeDecodeError as error:
        raise Invalid("The password is not valid UTF-8.") from error
    check_password(password)
    return password


def _line() -> str:
    return sys.stdin.buffer.readline(_LONGEST_LINE).rstrip(b"\r\n").decode()


def _typed() -> str:
    if not sys.stdin.isatty():
        raise Invalid("There is no terminal to ask for the password; give it with --password-stdin.")
    # As an exception, so that getpass lets the terminal echo again.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        password = getpass.getpass("Password: ")
        check_password(password)
        again = getpass.getpass("Password again: ")
    except EOFError as error:
        raise Invalid("No password was given.") from error
    if password != again:
        raise Invalid("The two passwords are not the same.")
    return password


async def _work(settings: Settings, arguments: argparse.Namespace, password: str) -> int:
    create = arguments.command == "create"
    is_new = create and not settings.mongo_url and not settings.data.exists()
    async with open_stores(settings, create=create) as stores:
        accounts = AccountService(stores.store, Passwords())
        match arguments.command:
            case "create":
                user = await accounts.add(arguments.name, password, arguments.email, admin=arguments.admin)
                role = "an administrator" if user.is_admin else "a user"
                where = f", in the new data folder {settings.data}" if is_new else ""
                tell(f"{user.username} was created as {role}{where}.")
                return 0
            case "list":
                users = await accounts.all()
                tell(
                    json.dumps([_json(user) for user in users], indent=2) if arguments.json else _text(users)
                )
                return 0
            case "reset-password":
                user = await accounts.reset_password(arguments.name, password)
            case "disable":
                user = await accounts.disable(arguments.name)
            case "enable":
                user = await accounts.enable(arguments.name)
            case "promote":
                user = await accounts.promote(arguments.name)
            case _:
                user = await accounts.demote(arguments.name)
        tell(_DONE[arguments.command].format(user.username))
    return 0


def _text(users: list[User]) -> str:
    if not users:
        return "There are no users yet; the first becomes the administrator."
    return table(
        ("NAME", "E-MAIL", "ROLE", "STATE", "SINCE"),
        [
            (
                user.username,
                user.email or "-",
                "administrator" if user.is_admin else "user",
                "disabled" if user.disabled else "enabled",
                f"{user.created_at:%Y-%m-%d}",
            )
            for user in users
        ],
    )


def _json(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "is_admin": user.is_admin,
        "disabled": user.disabled,
        "created_at": user.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
