"""Encryption of the secrets that the database holds for others: of second factors, sources, webhooks.

Runs on the loop.

The keys are not in the database, so a back-up of it alone reveals no secret. Each is a setting
(`auth.second_factor_key`, `connectors.secrets_key`, `webhooks.secrets_key`), or
a file of the data folder that is made when it is first needed.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from semantik.core.errors import Conflict

KEY_FILE = "second-factor.key"  # in the data folder
SECOND_FACTORS = (
    KEY_FILE,
    "This server does not have the key that the secret of the second factor was encrypted with; use a "
    "recovery code, or have the administrator restore the key or reset the second factor.",
)
SOURCES = (
    "connectors.key",
    "This server does not have the key that the password of this source was encrypted with: give the source its "
    "password again, or have the administrator restore the key (connectors.secrets_key).",
)

WEBHOOKS = (
    "webhooks.key",
    "This server does not have the key that the secret of this webhook was encrypted with: give it a new secret, "
    "or have the administrator restore the key (webhooks.secrets_key).",
)


class Sealer:
    """Seals and unseals texts. `given` is the configured key, or empty: then a file of the data folder has it.

    `purpose` is the name of that file, and the sentence for a secret that another key has sealed.
    """

    def __init__(self, data: Path, given: str, purpose: tuple[str, str] = SECOND_FACTORS) -> None:
        file, self._other_key = purpose
        self._path = data / file
        self._given = given
        self._fernet: Fernet | None = None

    def seal(self, text: str) -> str:
        return self._cipher(create=True).encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Raises Conflict when another key has sealed it."""
        try:
            return self._cipher(create=False).decrypt(sealed.encode()).decode()
        except (InvalidToken, FileNotFoundError) as error:
            raise Conflict(self._other_key) from error

    def _cipher(self, create: bool) -> Fernet:
        if self._fernet is None:
            self._fernet = Fernet(_fernet_key(self._given or self._stored(create)))
        return self._fernet

    def _stored(self, create: bool) -> str:
        if create and not self._path.exists():
            fresh = self._path.with_suffix(".new")
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123
                file.write(Fernet.generate_key().decode() + "\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        return self._path.read_text(encoding="ascii").strip()


def _fernet_key(secret: str) -> bytes:
    """Fernet takes 32 bytes in base64; a configured secret may be any text."""
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest())
