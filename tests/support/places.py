"""Two servers that differ in the folders that they read, on stores that they share."""

from __future__ import annotations

from pathlib import Path

from support.server import Serving
from support.two_servers import Two

FLAGS = ("--auth-registration", "open", "--operations-lease-s", "2", "--progress-linger-s", "0.2")


class Places:
    """Two servers: `near` reads one folder and `far`, whose label is archive, another; both read a third one."""

    def __init__(self, two: Two, folder: Path) -> None:
        self.two = two
        self.folders = {name: folder / name for name in ("near", "far", "both")}
        for each in self.folders.values():
            each.mkdir()
        both = str(self.folders["both"])
        self.near = self._start("near", both)
        self.far = self._start("far", both, "--label", "archive")

    def _start(self, name: str, both: str, *flags: str) -> Serving:
        roots = ("--documents-roots", f"{self.folders[name]},{both}")
        serving = self.two.start_one(name, *FLAGS, *roots, *flags)
        self.two.servers.append(serving)
        return serving

    def restart_far(self) -> None:
        self.two.servers.remove(self.far)
        self.far = self._start("far", str(self.folders["both"]), "--label", "archive")

    def write(self, name: str, file: str, text: str = "The lamp of the pier burned all night.") -> None:
        (self.folders[name] / file).write_text(text)
