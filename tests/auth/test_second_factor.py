"""The second factor over REST: set up, asked for, used once, recovered from, removed; and its secret at rest."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from support.api import PASSWORD, new_user, refusal_of
from support.api_keys import make_key
from support.embedded_stores import store
from support.fake_operation import server_stores
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient

from semantik.auth.sealing import KEY_FILE, Sealer
from semantik.auth.second_factor import SecondFactorService
from semantik.client.api import Client
from semantik.core.errors import Conflict, SecondFactorRequired, Unauthorized
from semantik.core.models import User, new_id, now

pytestmark = pytest.mark.gen_test


def _code(secret: str, offset: int = 0) -> str:
    """The code of now, or of the step that is `offset` away."""
    return pyotp.TOTP(secret).generate_otp(int(time.time()) // 30 + offset)


async def _set_up(client: Client) -> tuple[str, list[str]]:
    """Returns the secret and the recovery codes."""
    made = await client.call("POST", "auth/second-factor", {"password": PASSWORD})
    confirmed = await client.call("POST", "auth/second-factor/confirm", {"code": _code(made["secret"])})
    return made["secret"], confirmed["recovery_codes"]


async def _log_in(serving: Serving, name: str, **more: Any) -> tuple[int, dict[str, Any]]:
    body = json.dumps({"username": name, "password": PASSWORD, **more})
    answer = await AsyncHTTPClient().fetch(
        f"{serving.url}/api/v2/auth/login", method="POST", body=body, raise_error=False
    )
    return answer.code, json.loads(answer.body)


async def _name(client: Client) -> str:
    return str((await client.call("GET", "auth/me"))["username"])


async def test_a_second_factor_is_set_up_and_then_asked_for(shared: Serving) -> None:
    client = await new_user(shared)
    name = await _name(client)
    assert (await client.call("GET", "auth/me"))["second_factor"] is False
    made = await client.call("POST", "auth/second-factor", {"password": PASSWORD})
    uri = urlsplit(made["otpauth_uri"])
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", f"/Semantik:{name}")
    assert parse_qs(uri.query)["secret"] == [made["secret"]]
    assert made["qr_svg"].startswith("<svg viewBox=") and made["qr_svg"].endswith("</svg>")
    assert (await _log_in(shared, name))[0] == 200, "nothing is asked for before it is confirmed"

    wrong = await refusal_of(client, "POST", "auth/second-factor/confirm", {"code": "000000x"})
    assert wrong.status == 422 and "clock" in str(wrong)
    answer = await client.call("POST", "auth/second-factor/confirm", {"code": _code(made["secret"])})
    assert len(set(answer["recovery_codes"])) == 10
    assert await client.call("GET", "auth/second-factor") == {"enabled": True, "recovery_codes_left": 10}
    assert (await client.call("GET", "auth/me"))["second_factor"] is True

    status, problem = await _log_in(shared, name)
    assert (status, problem["type"]) == (401, "second_factor_required")
    status, problem = await _log_in(shared, name, code="")
    assert (status, problem["type"]) == (401, "second_factor_required")
    status, problem = await _log_in(shared, name, code="123")
    assert (status, problem["type"]) == (401, "about:blank") and "code is wrong" in problem["detail"]
    status, problem = await _log_in(shared, name, password="wrong password", code=_code(made["secret"], 1))
    assert status == 401 and "user name or the password" in problem["detail"]
    status, _ = await _log_in(shared, name, code=_code(made["secret"], 1))
    assert status == 200


async def test_a_code_is_taken_once_also_of_parallel_sign_ins(shared: Serving) -> None:
    client = await new_user(shared)
    name = await _name(client)
    secret, _ = await _set_up(client)
    code = _code(secret, 1)
    answers = await asyncio.gather(*(_log_in(shared, name, code=f"{code[:3]} {code[3:]}") for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 401, 401, 401]
    assert (await _log_in(shared, name, code=_code(secret)))[0] == 401, "an earlier code is refused after it"


async def test_a_recovery_code_is_taken_once(shared: Serving) -> None:
    client = await new_user(shared)
    name = await _name(client)
    _, recovery = await _set_up(client)
    spoken = recovery[3].upper().replace("-", " ")
    assert (await _log_in(shared, name, code=spoken))[0] == 200
    assert (await _log_in(shared, name, code=recovery[3]))[0] == 401
    assert await client.call("GET", "auth/second-factor") == {"enabled": True, "recovery_codes_left": 9}


async def test_setting_up_and_removing_take_the_password(shared: Serving) -> None:
    client = await new_user(shared)
    name = await _name(client)
    refused = await refusal_of(client, "POST", "auth/second-factor", {"password": "not this one"})
    assert refused.status == 403 and "current password" in str(refused)
    assert (await refusal_of(client, "POST", "auth/second-factor/confirm", {"code": "123456"})).status == 409
    assert (await refusal_of(client, "DELETE", "auth/second-factor", {"password": PASSWORD})).status == 404
    secret, _ = await _set_up(client)
    again = await refusal_of(client, "POST", "auth/second-factor", {"password": PASSWORD})
    assert again.status == 409 and "remove it first" in str(again)
    assert (await refusal_of(client, "DELETE", "auth/second-factor", {"password": "wrong one"})).status == 403
    _, program = await make_key(client, scopes=["write"])
    assert (await refusal_of(program, "DELETE", "auth/second-factor", {"password": PASSWORD})).status == 403
    await client.call("DELETE", "auth/second-factor", {"password": PASSWORD})
    assert (await _log_in(shared, name))[0] == 200
    assert (await _set_up(client))[0] != secret


async def test_the_secret_is_encrypted_and_the_key_is_not_in_the_database(shared: Serving) -> None:
    client = await new_user(shared)
    secret, recovery = await _set_up(client)
    user_id = (await client.call("GET", "auth/me"))["id"]
    async with server_stores(shared) as (mongo, _):
        row = await mongo.second_factors._table.find_one({"_id": user_id})
    key = (shared.data / KEY_FILE).read_text().strip()
    assert (shared.data / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert Sealer(shared.data, "").unseal(row["sealed_secret"]) == secret
    assert secret not in str(row) and recovery[0] not in str(row) and key not in str(row)
    assert all(word not in shared.log.read_text() for word in (secret, recovery[0], key))


async def test_without_the_key_a_recovery_code_signs_in(tmp_path: Path) -> None:
    user = User(new_id(), "bob", None, "hash", False, False, now())
    data, elsewhere = tmp_path / "one", tmp_path / "other"
    data.mkdir()
    elsewhere.mkdir()
    async with store(tmp_path) as mongo:
        factors = SecondFactorService(mongo, Sealer(data, ""))
        secret = (await factors.enrol(user)).secret
        recovery = await factors.confirm(user, _code(secret))
        for other in (Sealer(elsewhere, ""), Sealer(elsewhere, "k" * 40)):
            bereft = SecondFactorService(mongo, other)
            with pytest.raises(Conflict, match="does not have the key"):
                await bereft.require(user, _code(secret, 1))
            await bereft.require(user, recovery.pop())
        assert not (elsewhere / KEY_FILE).exists(), "a key that would open nothing is not made"
        await factors.require(user, _code(secret, 1))


async def test_codes_around_the_present_one_are_taken_in_order(tmp_path: Path) -> None:
    user = User(new_id(), "bob", None, "hash", False, False, now())
    async with store(tmp_path) as mongo:
        moment = 1_800_000_000.0
        factors = SecondFactorService(mongo, Sealer(tmp_path, "k" * 40), lambda: moment)
        secret = (await factors.enrol(user)).secret
        totp = pyotp.TOTP(secret)
        codes = {offset: totp.generate_otp(int(moment) // 30 + offset) for offset in range(-3, 4)}
        await factors.confirm(user, codes[-1])
        for offset in (-3, -2, -1, 2, 3):
            with pytest.raises(Unauthorized, match="wrong"):
                await factors.require(user, codes[offset])
        await factors.require(user, codes[0])
        await factors.require(user, codes[1])
        with pytest.raises(Unauthorized):
            await factors.require(user, codes[0])
        with pytest.raises(SecondFactorRequired):
            await factors.require(user, None)
