"""`semantik COMMAND …`: the entry point of the scripts in bin/; imports only the requested command."""

from __future__ import annotations

import importlib
import signal
import sys

from semantik.commands import COMMANDS

_USAGE_ERROR = 2
_HELP = """\
usage: semantik COMMAND [ARGUMENT ...]

Commands; `semantik COMMAND --help` explains each:
{commands}

Exit status: 0 done; 1 failed; 2 usage error; 130 ended by Ctrl-C. Commands that say more do so in their --help.

Environment: SEMANTIK_URL and SEMANTIK_API_KEY for a running server; SEMANTIK_CONFIG and one variable for each
setting (docs/reference/configuration.md) for commands that use the stores; NO_COLOR for output without colours.
"""


def main(argv: list[str]) -> int:
    """Run the command that `argv` names and return its exit status; 2 when there is no such command."""
    if argv and argv[0] in COMMANDS:
        status: int = importlib.import_module(COMMANDS[argv[0]][0]).main(argv[1:])
        return status
    if argv and argv[0] == "--version":
        from semantik import __version__

        sys.stdout.write(f"semantik {__version__}\n")
        return 0
    text = _HELP.format(commands="\n".join(f"  {name:<12}{about}" for name, (_, about) in COMMANDS.items()))
    if argv and argv[0] in ("--help", "-h", "help"):
        sys.stdout.write(text)
        return 0
    known = f"semantik: there is no command {argv[0]!r}.\n\n" if argv else ""
    sys.stderr.write(known + text)
    return _USAGE_ERROR


if __name__ == "__main__":
    # Until the command installs its own handler, Ctrl-C ends the process without a traceback while modules load.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise SystemExit(main(sys.argv[1:]))
