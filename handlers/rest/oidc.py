"""`/api/v2/auth/oidc/…`: sign-in through an OpenID Connect provider.

```
browser → GET /auth/oidc/login      302 to the provider, with a cookie of the sign-in
browser ← the provider              signs the user in, 302 to /auth/oidc/callback?code=…&state=…
browser → GET /auth/oidc/callback   302 to the page, with the session's cookie
```

A person sees these addresses, so an error that goes to a browser is a page of a sentence; programs get a problem.
"""

from __future__ import annotations

import html
from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol

from handlers.client_address import request_id
from handlers.problems import describe, status_of
from handlers.rest.auth import SignInHandler
from handlers.rest.page import WEB
from semantik.auth.oidc.attempt import ATTEMPT_S
from semantik.core.errors import Unavailable

_COOKIE = "semantik_oidc"
_PATH = "/api/v2/auth/oidc"
_LOGIN = vol.Schema({vol.Optional("return_to"): str})
_CALLBACK = vol.Schema(  # the provider may add parameters of its own
    {
        vol.Optional("code"): str,
        vol.Optional("state"): str,
        vol.Optional("iss"): str,
        vol.Optional("error"): str,
    },
    extra=vol.ALLOW_EXTRA,
)


class _BrowserHandler(SignInHandler):
    """Its errors are pages for people."""

    public = True

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        if "text/html" not in self.request.headers.get("Accept", ""):
            super().write_error(status_code, **kwargs)
            return
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        status = status_of(error, status_code)
        self.set_status(status)
        if isinstance(error, Unavailable):
            self.set_header("Retry-After", str(error.retry_after_s))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        page = (WEB / "sign-in-error.html").read_text("utf-8")
        sentence = html.escape(describe(status, error))
        self.finish(page.replace("{sentence}", sentence).replace("{request_id}", request_id(self.request)))


class OidcLoginHandler(_BrowserHandler):
    async def get(self) -> None:
        callback = f"{self.request.protocol}://{self.request.host}{_PATH}/callback"
        begun = await self.services.oidc.begin(callback, self.query(_LOGIN).get("return_to", ""))
        # Not Strict: the browser is to send it when the provider's page leads back here.
        self.set_cookie(
            _COOKIE,
            begun.cookie,
            max_age=ATTEMPT_S,
            path=_PATH,
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
        )
        self.redirect(begun.url)


class OidcCallbackHandler(_BrowserHandler):
    audit: ClassVar = {"GET": "session.sign_in"}

    async def get(self) -> None:
        answer = self.query(_CALLBACK)
        self.note_audit({"issuer": self.services.settings.auth.oidc.issuer})
        attempt = self.get_cookie(_COOKIE, "") or ""
        self.clear_cookie(_COOKIE, path=_PATH, httponly=True, samesite="Lax")
        completed = await self.services.oidc.complete(answer, attempt, self.place)
        self.note_audit(user=completed.login.user)
        self.keep_signed_in(completed.login)
        self.set_status(HTTPStatus.FOUND)
        self.set_header("Location", f"/{completed.return_to}")
        await self.finish()
