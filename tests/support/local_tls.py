"""What servers of the tests need to listen on this machine: a port, and a certificate."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from support.patience import patience


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Certificate:
    """A key and a certificate that signs itself, as two files in `folder`; `name` is an address or a host."""

    def __init__(self, folder: Path, name: str = "127.0.0.1") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.key, self.file = folder / "key.pem", folder / "certificate.pem"
        kind = "IP" if name[0].isdigit() else "DNS"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}"]
        command += ["-keyout", str(self.key), "-out", str(self.file)]
        subprocess.run(command, check=True, capture_output=True, timeout=patience())
