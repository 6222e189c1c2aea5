"""Reads the settings: conf/semantik.toml < environment < command line. Anything wrong is refused with its name.

Runs before the loop, and in a thread for a reload.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import voluptuous as vol

from semantik.config.settings import Settings
from semantik.core.errors import ConfigError

_FILE = "SEMANTIK_CONFIG"  # the configuration file, for the server and every script
# Not settings: variables of the tests and of the scripts.
_NOT_SETTINGS = (
    "SEMANTIK_TEST_",
    "SEMANTIK_URL",
    "SEMANTIK_API_KEY",
    "SEMANTIK_FAILPOINT",
    "SEMANTIK_INDEX_FAILPOINT",
)
_EXPECTED = {int: "a whole number", float: "a number", Path: "a path", str: "a text", bool: "true or false"}
_CREDENTIALS = re.compile(r"//[^/@\s]*:[^/@\s]*@")
_TRUTH: Mapping[object, bool] = {True: True, False: False, "true": True, "false": False}
# Old names of settings: each is refused, and the error names the new one.
RENAMED = {
    "sockets.inbox_frames": "sockets.send_queue_messages",
    "sockets.inbox_bytes": "sockets.send_queue_bytes",
    "progress.history_frames": "progress.history_messages",
    "search.cache_questions": "search.cache_queries",
}


def env_name(setting: str) -> str:
    return "SEMANTIK_" + setting.replace(".", "_").upper()


def flag_name(setting: str) -> str:
    return "--" + setting.replace(".", "-").replace("_", "-")


@dataclass(frozen=True)
class Entry:
    """One setting with its full name, as `documents.roots`; `default` has the setting's `type`."""

    name: str
    type: Any
    default: Any
    check: Any
    doc: str
    reloadable: bool

    @property
    def env(self) -> str:
        return env_name(self.name)

    @property
    def flag(self) -> str:
        return flag_name(self.name)


def entries(cls: type = Settings, prefix: str = "") -> list[Entry]:
    """Every setting, in the order of `settings.py`."""
    hints = get_type_hints(cls)
    found: list[Entry] = []
    for field in dataclasses.fields(cls):
        if field.name == "config_file":
            continue
        kind = hints[field.name]
        if dataclasses.is_dataclass(kind):
            assert isinstance(kind, type)
            found += entries(kind, f"{prefix}{field.name}.")
            continue
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        found.append(
            Entry(
                prefix + field.name,
                kind,
                default,
                field.metadata["check"],
                field.metadata["doc"],
                field.metadata["reloadable"],
            )
        )
    return found


def load(
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the file, then the environment, then `overrides` (names as in `Entry.name`); later ones win.

    Without `config` the file is the one that SEMANTIK_CONFIG names in the environment, if any.
    Raises ConfigError, which names the setting, its value, its source and what is allowed.
    """
    values: dict[str, tuple[Any, str]] = {}
    environ = os.environ if environ is None else environ
    if config is None and environ.get(_FILE):
        config = Path(environ[_FILE])
    if config is not None:
        values.update(_from_file(config))
    values.update(_from_environment(environ))
    for name, value in (overrides or {}).items():
        _refuse_secret(name, value)
        values[name] = (value, "the command line")
    return dataclasses.replace(_build(values), config_file=config)


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    names = {env_name(name): name for name in (*RENAMED, *(entry.name for entry in entries()))}
    found: dict[str, tuple[Any, str]] = {}
    for variable, value in environ.items():
        if variable in names:
            found[names[variable]] = (value, f"the environment's {variable}")
        elif variable.startswith("SEMANTIK_") and not (
            variable == _FILE or variable.startswith(_NOT_SETTINGS)
        ):
            raise ConfigError(
                f"There is no setting for the environment's {variable}; docs/reference/configuration.md lists them all."
            )
    return found


def _from_file(path: Path) -> dict[str, tuple[Any, str]]:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"The configuration file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {path} is not valid TOML: {error}.") from error
    return {name: (value, str(path)) for name, value in _flat(tree)}


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a table and of those inside it, by their full names."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _build(values: Mapping[str, tuple[Any, str]]) -> Settings:
    known = {entry.name: entry for entry in entries()}
    settings = Settings()
    for name, (raw, source) in values.items():
        if name in RENAMED:
            new = RENAMED[name]
            raise ConfigError(
                f"The setting {name} ({source}) is now called {new}: "
                f"{new} in a file, {env_name(new)} in the environment, {flag_name(new)} on the command line."
            )
        if name not in known:
            raise ConfigError(
                f"There is no setting {name!r} ({source}); docs/reference/configuration.md lists them all."
            )
        settings = replaced(settings, name.split("."), _checked(known[name], raw, source))
    if settings.embedding.chunk_overlap >= settings.embedding.chunk_size:
        raise ConfigError(
            f"embedding.chunk_overlap = {settings.embedding.chunk_overlap} must be less than "
            f"embedding.chunk_size = {settings.embedding.chunk_size}."
        )
    pool = settings.pool
    if pool.scheduler and not (pool.tls_ca_file and pool.tls_certificate_file and pool.tls_key_file):
        raise ConfigError(
            "pool.scheduler needs pool.tls_ca_file, pool.tls_certificate_file and pool.tls_key_file: server, scheduler "
            "and workers identify themselves to each other by certificates (docs/how-to/remote-workers.md)."
        )
    _check_milvus(settings)
    if settings.auth.oidc.issuer and not settings.auth.oidc.client_id:
        raise ConfigError(
            "auth.oidc.issuer needs auth.oidc.client_id, the name under which the provider knows this server."
        )
    if settings.auth.proxy_user_header and not settings.trusted_proxies:
        raise ConfigError("auth.proxy_user_header needs trusted_proxies: the addresses whose word it is.")
    if settings.auth.link_accounts != "none" and settings.auth.registration == "open":
        raise ConfigError(
            f"auth.link_accounts = {settings.auth.link_accounts!r} needs auth.registration = 'closed': "
            "who may register could take the name or the address of a person who signs in later."
        )
    return settings


def _check_milvus(settings: Settings) -> None:
    given = settings.milvus
    if settings.index.engine != "milvus":
        return
    if not given.url:
        raise ConfigError('index.engine = "milvus" needs milvus.url, the address of Milvus.')
    if bool(given.certificate_file) != bool(given.key_file):
        raise ConfigError("milvus.certificate_file and milvus.key_file belong together: set both or none.")
    if given.certificate_file and not given.ca_file:
        raise ConfigError("milvus.certificate_file needs milvus.ca_file: the authority of both certificates.")
    files = (given.ca_file, given.certificate_file, given.key_file)
    if any(files) and not given.url.startswith("https://"):
        raise ConfigError(
            f"milvus.url = {given.url!r} must begin with https:// where certificates are given."
        )
    for path in files:
        if path and not os.access(path, os.R_OK):
            raise ConfigError(f"{path}, which milvus.* names, cannot be read.")


def replaced(section: Any, path: list[str], value: Any) -> Any:
    """A copy of the settings, or of a section, with the value at `path` replaced."""
    name, *rest = path
    return dataclasses.replace(
        section, **{name: replaced(getattr(section, name), rest, value) if rest else value}
    )


def _checked(entry: Entry, raw: Any, source: str) -> Any:
    try:
        return vol.Schema(entry.check)(_parsed(entry.type, raw))
    except vol.Invalid as error:
        allowed = str(error.errors[0].msg if isinstance(error, vol.MultipleInvalid) else error.msg)
    except (
        TypeError,
        ValueError,
        LookupError,
        OverflowError,
        RuntimeError,
    ):  # RuntimeError: ~user of an unknown user
        allowed = _EXPECTED.get(entry.type, "a list of texts")
    raise ConfigError(
        f"{entry.name} = {_shown(entry.name, raw)} ({source}) is not allowed: {allowed} is expected. {entry.doc}"
    )


def is_secret(setting: str) -> bool:
    """Whether a setting's value is a secret, which is never shown."""
    return setting.rpartition(".")[2].endswith(("secret", "_key", "setup_code", "password", "token"))


def _shown(setting: str, raw: Any) -> str:
    """A value for an error message: secrets are ***, whole or as the credentials in an address."""
    return "***" if is_secret(setting) else _CREDENTIALS.sub("//***@", repr(raw))


def _refuse_secret(setting: str, value: Any) -> None:
    """Raises ConfigError for a secret on the command line, which every user of the machine can read (ps)."""
    if value and (is_secret(setting) or _CREDENTIALS.search(str(value))):
        raise ConfigError(
            f"{setting} = *** is a secret, and every user of this machine can see the command line: set it in the "
            f"configuration file or in the environment's {env_name(setting)} instead."
        )


def _parsed(kind: Any, raw: Any) -> Any:
    """Parse `raw`, a TOML value or a string of the environment or command line, as the setting's type."""
    if kind is bool:
        return _TRUTH[raw.lower() if isinstance(raw, str) else raw]
    if isinstance(raw, bool):
        raise TypeError("only a switch is true or false")
    if kind is Path and isinstance(raw, (str, os.PathLike)) and str(raw):
        return Path(raw).expanduser()
    if kind is int and isinstance(raw, (str, int)):
        return int(raw)
    if kind is float and isinstance(raw, (str, int, float)) and math.isfinite(float(raw)):
        return float(raw)
    if kind is str and isinstance(raw, str):
        return raw
    if kind == tuple[str, ...] and isinstance(raw, (str, list, tuple)):
        items = [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else raw
        if all(isinstance(item, str) for item in items):
            return tuple(items)
    raise TypeError(f"{raw!r} is of the wrong kind")
