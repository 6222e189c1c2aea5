"""`semantik-cleanup`: removes what is past its age, and looks whether the stores and the index agree."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from semantik.commands.cli_common import COULD_NOT, perform, refused, settings_of, store_flags, tell
from semantik.commands.store_connection import open_stores
from semantik.config.settings import Settings
from semantik.core.errors import SemantikError
from semantik.integrity import ORPHAN_CHECKS, CheckContext, Issue, check, repair, retention_checks
from semantik.storage.data_folder import InUse, data_lock

_PROG = "semantik-cleanup"
_ROUNDS = 5  # what is repaired may show what stood behind it
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def main(argv: list[str]) -> int:
    """Do it, and return the exit status: 0 done, or all agrees; 1 could not, or something disagrees; 2 misuse."""
    arguments = _parser().parse_args(argv)
    try:
        settings = settings_of(arguments)
    except SemantikError as error:
        return refused(_PROG, error)
    if arguments.check:
        return perform(_PROG, _check(settings))
    if arguments.repair:
        return perform(_PROG, _repair(settings))
    return perform(_PROG, _clean(settings, arguments.dry_run))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROG,
        description="Remove what is past its age: records of ended operations (operations.keep_s), expired sessions "
        "and API keys, what a REINDEX has replaced, and whatever belongs to nothing any more. All of it may be done "
        "while servers run. Exit status 0: done; 1: it could not be done, or something still disagrees after --check "
        "or --repair; 2: misuse.",
        parents=[store_flags()],
    )
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--dry-run", action="store_true", help="only say what would go, and how many bytes")
    ways.add_argument(
        "--check",
        action="store_true",
        help="only say where the stores and the index disagree, and remove nothing",
    )
    ways.add_argument("--repair", action="store_true", help="make them agree, and say what was done")
    return parser


@asynccontextmanager
async def _context(settings: Settings) -> AsyncIterator[CheckContext]:
    async with open_stores(settings) as stores, AsyncExitStack() as stack:
        served = stores.running
        own_stores = bool(settings.mongo_url and settings.redis_url)
        if own_stores and not served and (settings.data / "lock").exists():
            # With embedded stores it is held already: no server may begin while its index is changed.
            try:
                await stack.enter_async_context(data_lock(settings.data, script=True))
            except InUse:
                served = True
        yield CheckContext(stores.store, settings, stores.redis_url, served)


async def _clean(settings: Settings, dry_run: bool) -> int:
    async with _context(settings) as context:
        issues = [issue async for issue in retention_checks(context)] + await check(context, ORPHAN_CHECKS)
        issues = [issue for issue in issues if issue.repair is not None]
        if not dry_run:
            await repair(issues)
    lines = [f"{issue.description} {_size(issue.bytes)}" for issue in issues]
    total = sum(issue.bytes for issue in issues)
    if not issues:
        lines = ["There is nothing to remove."]
    else:
        lines.append(f"{'Would be removed' if dry_run else 'Removed'}: {_size(total)}")
    tell("\n".join(lines))
    return 0


async def _check(settings: Settings) -> int:
    async with _context(settings) as context:
        issues = await check(context)
    return _verdict(issues)


async def _repair(settings: Settings) -> int:
    async with _context(settings) as context:
        for _ in range(_ROUNDS):
            issues = await check(context)
            repaired = await repair(issues)
            for issue in repaired:
                tell(f"Repaired: {issue.description} Done: {issue.remedy}.")
            if not repaired:
                break
    return _verdict(issues)


def _verdict(issues: Sequence[Issue]) -> int:
    for issue in issues:
        size = f" {_size(issue.bytes)}" if issue.bytes else ""
        tell(
            f"{'Note: ' if issue.informational else ''}{issue.description}{size} What is done: {issue.remedy}."
        )
    wrong = [issue for issue in issues if not issue.informational]
    if not wrong:
        tell("Everything agrees.")
        return 0
    ways = "--repair does" if any(issue.repair for issue in wrong) else "--repair cannot do"
    tell(f"Disagreements: {len(wrong)}; {ways} what is said.")
    return COULD_NOT


def _size(count: float) -> str:
    """Bytes as a person reads them."""
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"
