"""`semantik completion`: prints what completes commands and flags in a shell."""

from __future__ import annotations

import argparse
import importlib

from semantik.commands import COMMANDS
from semantik.commands.cli_common import EXIT_STATUS, print_output

_PROG = "semantik completion"
_SHELLS = ("bash", "zsh", "fish", "tcsh")


def main(argv: list[str]) -> int:
    """Print the script, and return the exit status: 0, or 2 for a usage error."""
    import shtab

    arguments = parser().parse_args(argv)
    print_output(shtab.complete(_every_command(), arguments.shell))
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        epilog=EXIT_STATUS,
        description='Print the completion script of a shell: put eval "$(semantik completion bash)" into ~/.bashrc, '
        "or for fish `semantik completion fish | source` into its configuration.",
    )
    made.add_argument("shell", choices=_SHELLS)
    return made


def _every_command() -> argparse.ArgumentParser:
    """One parser with all commands below it."""
    whole = argparse.ArgumentParser(prog="semantik")
    below = whole.add_subparsers()
    for name, (module, about) in COMMANDS.items():
        own: argparse.ArgumentParser = importlib.import_module(module).parser()
        below.add_parser(name, help=about, parents=[own], add_help=False)
    return whole
