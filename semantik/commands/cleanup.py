"""`semantik-cleanup`: removes expired and orphaned data, and checks and repairs the consistency of stores and index."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from semantik.commands.cli_common import (
    FAILED,
    load_settings,
    print_output,
    report_error,
    run_command,
    store_flags,
)
from semantik.commands.store_connection import open_stores
from semantik.config.settings import Settings
from semantik.core.errors import SemantikError
from semantik.integrity import ORPHAN_CHECKS, CheckContext, Issue, check, repair, retention_checks
from semantik.storage.data_folder import InUse, data_lock

_PROG = "semantik-cleanup"
_ROUNDS = 5  # a repair may reveal another issue
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def main(argv: list[str]) -> int:
    """Clean up, check or repair; returns the exit status: 0 done or consistent, 1 failed or not consistent, 2 usage."""
    arguments = parser().parse_args(argv)
    try:
        settings = load_settings(arguments)
    except SemantikError as error:
        return report_error(_PROG, error)
    if arguments.check:
        return run_command(_PROG, _check(settings, arguments.json))
    if arguments.repair:
        return run_command(_PROG, _repair(settings, arguments.json))
    return run_command(_PROG, _clean(settings, arguments.dry_run, arguments.json))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        description="Remove expired and orphaned data: records of ended operations (operations.keep_s), expired "
        "sessions and API keys, chunks that a REINDEX has replaced, and data without an owner. Servers may run "
        "meanwhile. Exit status 0: done; 1: it failed, or --check or --repair left an inconsistency; 2: usage error.",
        parents=[store_flags()],
    )
    made.add_argument("--json", action="store_true", help="print what was found and done as JSON")
    modes = made.add_mutually_exclusive_group()
    modes.add_argument(
        "--dry-run", action="store_true", help="only show what would be removed, and how many bytes"
    )
    modes.add_argument(
        "--check",
        action="store_true",
        help="only show where the stores and the index disagree; change nothing",
    )
    modes.add_argument(
        "--repair", action="store_true", help="repair the disagreements, and show what was done"
    )
    return made


@asynccontextmanager
async def _check_context(settings: Settings) -> AsyncIterator[CheckContext]:
    async with open_stores(settings) as stores, AsyncExitStack() as stack:
        served = stores.is_served
        own_stores = bool(settings.mongo_url and settings.redis_url)
        if own_stores and not served and (settings.data / "lock").exists():
            # With embedded stores the lock is held already: no server may start while its index is changed.
            try:
                await stack.enter_async_context(data_lock(settings.data, script=True))
            except InUse:
                served = True
        yield CheckContext(stores.store, settings, stores.redis_url, served)


async def _clean(settings: Settings, dry_run: bool, as_json: bool) -> int:
    async with _check_context(settings) as context:
        issues = [issue async for issue in retention_checks(context)] + await check(context, ORPHAN_CHECKS)
        issues = [issue for issue in issues if issue.repair is not None]
        if not dry_run:
            await repair(issues)
    if as_json:
        return _print_json({"dry_run": dry_run, "removed": _objects(issues)})
    lines = [f"{issue.description} {_size(issue.bytes)}" for issue in issues]
    total = sum(issue.bytes for issue in issues)
    if not issues:
        lines = ["There is nothing to remove."]
    else:
        lines.append(f"{'Would be removed' if dry_run else 'Removed'}: {_size(total)}")
    print_output("\n".join(lines))
    return 0


async def _check(settings: Settings, as_json: bool) -> int:
    async with _check_context(settings) as context:
        issues = await check(context)
    return _report_json([], issues) if as_json else _report(issues)


async def _repair(settings: Settings, as_json: bool) -> int:
    done: list[Issue] = []
    async with _check_context(settings) as context:
        for _ in range(_ROUNDS):
            issues = await check(context)
            repaired = await repair(issues)
            done += repaired
            for issue in () if as_json else repaired:
                print_output(f"Repaired: {issue.description} Done: {issue.remedy}.")
            if not repaired:
                break
    return _report_json(done, issues) if as_json else _report(issues)


def _report_json(repaired: Sequence[Issue], issues: Sequence[Issue]) -> int:
    _print_json({"repaired": _objects(repaired), "issues": _objects(issues)})
    return 0 if all(issue.informational for issue in issues) else FAILED


def _objects(issues: Sequence[Issue]) -> list[dict[str, Any]]:
    return [
        {
            "kind": issue.kind,
            "subject": issue.subject,
            "description": issue.description,
            "remedy": issue.remedy,
            "bytes": issue.bytes,
            "informational": issue.informational,
            "repairable": issue.repair is not None,
        }
        for issue in issues
    ]


def _print_json(answer: dict[str, Any]) -> int:
    print_output(json.dumps(answer, indent=2, ensure_ascii=False))
    return 0


def _report(issues: Sequence[Issue]) -> int:
    for issue in issues:
        size = f" {_size(issue.bytes)}" if issue.bytes else ""
        print_output(
            f"{'Note: ' if issue.informational else ''}{issue.description}{size} What is done: {issue.remedy}."
        )
    disagreements = [issue for issue in issues if not issue.informational]
    if not disagreements:
        print_output("Everything agrees.")
        return 0
    hint = "use --repair to fix" if any(issue.repair for issue in disagreements) else "--repair cannot fix"
    print_output(f"Disagreements: {len(disagreements)}; {hint} them.")
    return FAILED


def _size(count: float) -> str:
    """A number of bytes in the unit that fits."""
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"
