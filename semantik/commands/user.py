"""`semantik-user`: manages user accounts on the command line; with or without a server running."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import pwd
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from semantik.auth.accounts import AccountService, check_email, normalized_username
from semantik.auth.audit import AuditLog
from semantik.auth.passwords import Passwords, check_password
from semantik.auth.signing_keys import SigningKeys
from semantik.commands.cli_common import (
    EXIT_STATUS,
    INTERRUPTED,
    format_table,
    load_settings,
    print_output,
    report_error,
    run_command,
    store_flags,
)
from semantik.commands.store_connection import open_stores
from semantik.config.settings import Settings
from semantik.core.errors import Invalid, SemantikError
from semantik.core.models import AuditOutcome, Session, User
from semantik.storage.mongo import Store

_PROG = "semantik-user"
_MAX_LINE = 4096  # bytes
_ADDRESS = "command line"  # where the audit trail has the client's address
_DONE = {
    "reset-password": "The password of {} was changed, and all sessions and API keys of the user have ended.",
    "disable": "{} is disabled, and all sessions of the user have ended.",
    "enable": "{} is enabled.",
    "promote": "{} is an administrator.",
    "demote": "{} is no longer an administrator.",
    "end-access": "All sessions and API keys of {} have ended.",
    "reset-second-factor": "{} has no second factor any more.",
}


def main(argv: list[str]) -> int:
    """Run one subcommand, and return the exit status: 0 done, 1 failed, 2 usage error."""
    arguments = parser().parse_args(argv)
    try:
        settings = load_settings(arguments)
        password = ""
        if arguments.command == "create":
            normalized_username(arguments.name)
            check_email(arguments.email)
        if arguments.command in ("create", "reset-password"):
            # Before the stores are opened, so that they are not held while a person types.
            password = _password(arguments.password_stdin)
    except SemantikError as error:
        return report_error(_PROG, error)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED
    return run_command(_PROG, _execute(settings, arguments, password))


def parser() -> argparse.ArgumentParser:
    flags = store_flags()
    made = argparse.ArgumentParser(
        prog=_PROG,
        epilog=EXIT_STATUS,
        description="Create users, set passwords, disable and enable users, appoint administrators, and end sessions.",
        parents=[flags],
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=summary, parents=[flags])

    create = add("create", "Create a user; the first user is an administrator.")
    create.add_argument("name", metavar="NAME", help="the user name")
    create.add_argument("--email", metavar="ADDRESS", help="the e-mail address, also accepted for signing in")
    create.add_argument("--admin", action="store_true", help="make the user an administrator")
    reset = add("reset-password", "Set a user's password, and end all sessions of the user.")
    disable = add("disable", "Refuse a user's sign-ins, and end all sessions of the user.")
    enable = add("enable", "Allow a disabled user to sign in again.")
    promote = add("promote", "Make a user an administrator.")
    demote = add("demote", "Make an administrator an ordinary user.")
    for each in (reset, disable, enable, promote, demote):
        each.add_argument("name", metavar="NAME", help="the user name, or the e-mail address")
    for each in (create, reset):
        each.add_argument(
            "--password-stdin", action="store_true", help="read the password from a line of standard input"
        )
    end = add("end-access", "End all sessions and API keys of a user, whose password stays.")
    factor = add("reset-second-factor", "Remove the second factor of a user who has lost it.")
    sessions = add("sessions", "Show where a user is signed in.")
    for each in (end, factor, sessions):
        each.add_argument("name", metavar="NAME", help="the user name, or the e-mail address")
    rotate = add("rotate-signing-key", "Sign tokens with a new key; those of the old one stay good.")
    rotate.add_argument(
        "--revoke",
        action="store_true",
        help="refuse all tokens of old keys, and end the sessions of all users",
    )
    rotate.set_defaults(name="")
    listing = add("list", "Show all users.")
    listing.add_argument("--json", action="store_true", help="print JSON")
    return made


def _password(from_stdin: bool) -> str:
    """Read the new password. Raises Invalid when it is missing or not allowed."""
    try:
        password = _read_line() if from_stdin else _prompt()
    except UnicodeDecodeError as error:
        raise Invalid("The password is not valid UTF-8.") from error
    check_password(password)
    return password


def _read_line() -> str:
    return sys.stdin.buffer.readline(_MAX_LINE).rstrip(b"\r\n").decode()


def _prompt() -> str:
    if not sys.stdin.isatty():
        raise Invalid("There is no terminal to ask for the password; pass it with --password-stdin.")
    # As an exception, so that getpass restores the echo of the terminal.
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


async def _execute(settings: Settings, arguments: argparse.Namespace, password: str) -> int:
    create = arguments.command == "create"
    is_new = create and not settings.mongo_url and not settings.data.exists()
    async with (
        open_stores(settings, create=create) as stores,
        AuditLog(stores.store, lambda: settings.audit) as audit,
    ):
        with _recorded(audit, arguments):
            if arguments.command == "rotate-signing-key":
                return await _rotate(stores.store, settings, arguments.revoke)
            return await _run(
                settings, arguments, password, AccountService(stores.store, Passwords()), is_new
            )


@contextmanager
def _recorded(audit: AuditLog, arguments: argparse.Namespace) -> Iterator[None]:
    """Record in the audit trail what a command that changes accounts did, or that it was refused."""
    outcome: AuditOutcome = "refused"
    try:
        yield
        outcome = "done"
    finally:
        if arguments.command not in ("list", "sessions"):
            audit.record(
                f"user.{arguments.command.replace('-', '_')}",
                principal=None,
                address=_ADDRESS,
                request_id="",
                outcome=outcome,
                details={"name": _printable(arguments.name), "system_user": _system_user()},
            )


def _printable(name: str) -> str:
    """A name as it can be stored: bytes of the command line that are no UTF-8 as \\xNN."""
    return name.encode("utf-8", "backslashreplace").decode()


def _system_user() -> str:
    """The user of the operating system; with sudo the one who called it."""
    try:
        return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"#{os.getuid()}"


async def _run(
    settings: Settings, arguments: argparse.Namespace, password: str, accounts: AccountService, is_new: bool
) -> int:
    match arguments.command:
        case "create":
            user = await accounts.add(arguments.name, password, arguments.email, admin=arguments.admin)
            role = "an administrator" if user.is_admin else "a user"
            where = f", in the new data folder {settings.data}" if is_new else ""
            print_output(f"{user.username} was created as {role}{where}.")
            return 0
        case "list":
            users = await accounts.all()
            print_output(
                json.dumps([_json(user) for user in users], indent=2) if arguments.json else _text(users)
            )
            return 0
        case "sessions":
            print_output(_sessions_text(await accounts.sessions_of(arguments.name)))
            return 0
        case "reset-password":
            user = await accounts.reset_password(arguments.name, password)
        case command:
            actions = {
                "disable": accounts.disable,
                "enable": accounts.enable,
                "promote": accounts.promote,
                "demote": accounts.demote,
                "end-access": accounts.end_access,
                "reset-second-factor": accounts.reset_second_factor,
            }
            user = await actions[command](arguments.name)
    print_output(_DONE[arguments.command].format(user.username))
    return 0


async def _rotate(store: Store, settings: Settings, revoke: bool) -> int:
    keys = SigningKeys(store, lambda: settings.auth)
    if revoke:
        await keys.revoke_old()
        await store.sessions.remove_all()
        print_output("Tokens are signed with a new key, and all users have to sign in again.")
    else:
        await keys.rotate()
        print_output("Tokens will be signed with a new key in a minute.")
    return 0


def _sessions_text(sessions: list[Session]) -> str:
    if not sessions:
        return "The user is not signed in."
    rows = [
        (
            each.place.address or "-",
            f"{each.created_at:%Y-%m-%d %H:%M}",
            f"{each.last_used_at:%Y-%m-%d %H:%M}" if each.last_used_at else "-",
            f"{each.expires_at:%Y-%m-%d %H:%M}",
            "".join(c for c in each.place.client if c.isprintable()) or "-",
        )
        for each in sessions
    ]
    return format_table(("ADDRESS", "SINCE", "LAST USED", "UNTIL", "CLIENT"), rows)


def _text(users: list[User]) -> str:
    if not users:
        return "There are no users yet; the first will be the administrator."
    return format_table(
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
