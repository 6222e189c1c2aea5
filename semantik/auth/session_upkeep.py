"""What sessions need while the server runs: current signing keys, and the times of their last use. Runs on the loop."""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn

from semantik.auth.sessions import SessionService
from semantik.auth.signing_keys import SigningKeys
from semantik.core.errors import Unavailable

log = logging.getLogger("semantik.auth")

_EVERY_S = 5.0


async def keep_sessions(keys: SigningKeys, sessions: SessionService) -> NoReturn:
    """Run for ever; what fails while MongoDB does not answer is done later."""
    while True:
        await asyncio.sleep(_EVERY_S)
        try:
            await keys.maintain()
            await sessions.save_uses()
        except Unavailable as error:
            log.debug("Signing keys and sessions are looked after later: %s", error)
