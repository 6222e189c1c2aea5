"""Machines of one network on this one: network namespaces, joined by a switch, whose cables can be cut and mended."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import Self

from support.patience import patience

_SWITCH = "switch"
_HERE = 254  # the last part of the address of this process


class CannotBeMade(Exception):
    """This machine allows no network namespaces; the reason follows."""


class Network:
    """`with Network(names)`: a machine of each name, and this process as one more. All can reach all.

    Raises CannotBeMade. What was made goes again on exit; the processes of the machines have to be ended before.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._number = os.getpid()
        self._cut: set[str] = set()

    def address(self, name: str) -> str:
        return self._address(self._names.index(name) + 1)

    def command(self, name: str, argv: Sequence[str]) -> list[str]:
        """`argv` as a process of that machine. The pid is that of the program."""
        return ["ip", "netns", "exec", self._namespace(name), *argv]

    def cut(self, name: str) -> None:
        """Cut the cable at the switch: packets of and to the machine are lost, and it cannot see that."""
        self._run("ip", "-n", self._namespace(_SWITCH), "link", "set", self._port(name), "nomaster")
        self._cut.add(name)

    def mend(self, name: str) -> None:
        if name in self._cut:
            self._plug(name)
            self._cut.discard(name)

    def __enter__(self) -> Self:
        try:
            self._make()
        except (OSError, subprocess.CalledProcessError) as error:
            self.__exit__()
            said = getattr(error, "stderr", b"") or b""
            raise CannotBeMade(f"{error} {said.decode().strip()}".strip()) from error
        return self

    def __exit__(self, *_: object) -> None:
        for name in (_SWITCH, *self._names):
            # A namespace takes its ends of the cables with it, and so their other ends.
            subprocess.run(["ip", "netns", "del", self._namespace(name)], capture_output=True, check=False)

    def _make(self) -> None:
        switch = self._namespace(_SWITCH)
        self._run("ip", "netns", "add", switch)
        self._run("ip", "-n", switch, "link", "add", "bridge", "type", "bridge")
        self._run("ip", "-n", switch, "link", "set", "bridge", "up")
        for number, name in enumerate(self._names, start=1):
            namespace = self._namespace(name)
            self._run("ip", "netns", "add", namespace)
            self._run(
                *("ip", "link", "add", "eth0", "netns", namespace, "type", "veth"),
                *("peer", "name", self._port(name), "netns", switch),
            )
            self._run("ip", "-n", namespace, "link", "set", "lo", "up")
            self._attach(["-n", namespace], "eth0", number)
            self._plug(name)
        here = f"sem{self._number}"
        self._run(
            *("ip", "link", "add", here, "type", "veth", "peer", "name", self._port("here")),
            *("netns", switch),
        )
        self._attach([], here, _HERE)
        self._plug("here")

    def _attach(self, where: Sequence[str], link: str, number: int) -> None:
        self._run("ip", *where, "address", "add", f"{self._address(number)}/24", "dev", link)
        self._run("ip", *where, "link", "set", link, "up")

    def _plug(self, name: str) -> None:
        link = ("ip", "-n", self._namespace(_SWITCH), "link", "set", self._port(name))
        self._run(*link, "master", "bridge")
        self._run(*link, "up")

    def _address(self, number: int) -> str:
        """Of the networks for benchmarks (RFC 2544), which are in use nowhere."""
        return f"198.18.{self._number % 256}.{number}"

    def _namespace(self, name: str) -> str:
        return f"semantik-{self._number}-{name}"

    def _port(self, name: str) -> str:
        return f"to-{name}"  # an interface's name has 15 characters at most

    @staticmethod
    def _run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, timeout=patience())


class Loopback:
    """Machines that are addresses of the loopback network: they need no rights, and have no cables."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._number = os.getpid() % 250 + 1

    def address(self, name: str) -> str:
        return f"127.{self._number}.0.{self._names.index(name) + 1}"

    def command(self, name: str, argv: Sequence[str]) -> list[str]:
        return list(argv)
