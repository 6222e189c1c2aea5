"""`python -m semantik COMMAND …`: the entry point of the scripts in bin/; imports only the requested command."""

from __future__ import annotations

import importlib
import signal
import sys

COMMANDS = {
    "server": "semantik.commands.server",
    "demo": "semantik.commands.demo",
    "user": "semantik.commands.user",
    "components": "semantik.commands.components",
    "audit": "semantik.commands.audit",
    "status": "semantik.commands.status",
    "reindex": "semantik.commands.reindex",
    "cleanup": "semantik.commands.cleanup",
    "backup": "semantik.commands.backup",
    "extract": "semantik.commands.extract",
    "eval": "semantik.commands.eval",
}


def main(argv: list[str]) -> int:
    """Run the command that `argv` names and return its exit status; 2 when there is no such command."""
    if not argv or argv[0] not in COMMANDS:
        sys.stderr.write(f"usage: python -m semantik {{{','.join(COMMANDS)}}} [ARGUMENT ...]\n")
        return 2
    status: int = importlib.import_module(COMMANDS[argv[0]]).main(argv[1:])
    return status


if __name__ == "__main__":
    # Until the command installs its own handler, Ctrl-C ends the process without a traceback while modules load.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise SystemExit(main(sys.argv[1:]))
