"""`semantik-cleanup`: removes what is past its age, and looks whether the stores and the index agree."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from semantik.commands.cli_common import COULD_NOT, perform, refused, settings_of, store_flags, tell
from semantik.commands.store_connection import open_stores
from semantik.config.settings import Settings
from semantik.core.errors import SemantikError
from semantik.integrity import LEFTOVERS, CheckContext, Issue, check, expired, repair
from semantik.storage.data_folder import InUse, data_lock

_PROG = "semantik-cleanup"
_ROUNDS = 5  # what is mended may show what stood behind it
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
async def _grounds(settings: Settings) -> AsyncIterator[CheckContext]:
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
    async with _grounds(settings) as grounds:
        findings = [finding async for finding in expired(grounds)] + await check(grounds, LEFTOVERS)
        findings = [finding for finding in findings if finding.repair is not None]
        if not dry_run:
            await repair(findings)
    lines = [f"{finding.sentence} {_size(finding.bytes)}" for finding in findings]
    total = sum(finding.bytes for finding in findings)
    if not findings:
        lines = ["There is nothing to remove."]
    else:
        lines.append(f"{'Would be removed' if dry_run else 'Removed'}: {_size(total)}")
    tell("\n".join(lines))
    return 0


async def _check(settings: Settings) -> int:
    async with _grounds(settings) as grounds:
        findings = await check(grounds)
    return _verdict(findings)


async def _repair(settings: Settings) -> int:
    async with _grounds(settings) as grounds:
        for _ in range(_ROUNDS):
            findings = await check(grounds)
            mended = await repair(findings)
            for finding in mended:
                tell(f"Repaired: {finding.sentence} Done: {finding.remedy}.")
            if not mended:
                break
    return _verdict(findings)


def _verdict(findings: Sequence[Issue]) -> int:
    for finding in findings:
        size = f" {_size(finding.bytes)}" if finding.bytes else ""
        tell(f"{'Note: ' if finding.note else ''}{finding.sentence}{size} What is done: {finding.remedy}.")
    wrong = [finding for finding in findings if not finding.note]
    if not wrong:
        tell("Everything agrees.")
        return 0
    ways = "--repair does" if any(finding.repair for finding in wrong) else "--repair cannot do"
    tell(f"Disagreements: {len(wrong)}; {ways} what is said.")
    return COULD_NOT


def _size(count: float) -> str:
    """Bytes as a person reads them."""
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"
