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


class Authority:
    """An authority with a certificate of its own, which issues others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate, self._key = folder / "ca.pem", folder / "ca.key"
        command = ["req", "-x509", *_NEW_KEY, "-days", "2", "-subj", "/CN=An authority of the tests"]
        _openssl(*command, "-keyout", str(self._key), "-out", str(self.certificate))

    def issue(self, name: str) -> tuple[Path, Path]:
        """A certificate and its key."""
        certificate, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        request = self._folder / f"{name}.csr"
        _openssl("req", *_NEW_KEY, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request))
        signing = [
            "x509",
            "-req",
            "-in",
            str(request),
            "-CA",
            str(self.certificate),
            "-CAkey",
            str(self._key),
        ]
        _openssl(*signing, "-CAcreateserial", "-days", "2", "-out", str(certificate))
        return certificate, key


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=patience())
