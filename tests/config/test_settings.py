"""Settings: precedence of the sources, refusals, and agreement of the file and the docs with the code."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.server import complaints

from semantik.commands.server import main
from semantik.config.loader import RENAMED, Entry, entries, env_name, flag_name, load
from semantik.config.oidc_settings import OidcSettings
from semantik.config.settings import DocumentSettings, Settings
from semantik.core.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "conf" / "semantik.toml"
DOCS = ROOT / "docs" / "reference" / "configuration.md"


def toml(value: Any) -> str:
    """The value of a setting as in a TOML file, large numbers in groups of three digits."""
    if isinstance(value, tuple):
        return json.dumps(list(value))
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (str, Path)):
        return json.dumps(str(value))
    return f"{value:_}" if isinstance(value, int) and value >= 10_000 else str(value)


def names(tree: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The full names of what a TOML file sets."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from names(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def config_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "semantik.toml"
    path.write_text(text)
    return path


def test_without_sources_every_setting_has_its_default():
    assert load(environ={}) == Settings()


def test_later_sources_take_precedence(tmp_path):
    file = config_file(tmp_path, 'port = 1\nhost = "file"\n[log]\nlevel = "debug"\n')
    environ = {"SEMANTIK_PORT": "2", "SEMANTIK_HOST": "environment"}
    settings = load(file, environ, {"port": "3"})
    assert (settings.port, settings.host, settings.log.level) == (3, "environment", "debug")


def test_values_of_every_source_are_converted_to_the_type_of_the_setting(tmp_path):
    environ = {
        "SEMANTIK_DATA": "~/data",
        "SEMANTIK_DOCUMENTS_ROOTS": "/srv/papers, /home/ann",
        "SEMANTIK_DOCUMENTS_FILE_TIMEOUT_S": "2.5",
        "SEMANTIK_DOCUMENTS_MAX_FILES": "1_000",
        "SEMANTIK_DOCUMENTS_HIDDEN_SHEETS": "true",
    }
    settings = load(config_file(tmp_path, '[documents]\nexclude = ["*.tmp"]'), environ)
    assert settings.data == Path.home() / "data"
    assert settings.documents == DocumentSettings(
        roots=("/srv/papers", "/home/ann"),
        exclude=("*.tmp",),
        file_timeout_s=2.5,
        max_files=1000,
        hidden_sheets=True,
    )


def test_a_section_may_be_inside_of_another(tmp_path):
    text = '[auth]\nsession_s = 99\n[auth.oidc]\nissuer = "https://id.example.org"\nscopes = ["openid"]\n'
    environ = {"SEMANTIK_AUTH_OIDC_CLIENT_ID": "semantik"}
    auth = load(config_file(tmp_path, text), environ, {"auth.oidc.timeout_s": "5"}).auth
    assert auth.session_s == 99
    assert auth.oidc == OidcSettings(
        issuer="https://id.example.org", client_id="semantik", scopes=("openid",), timeout_s=5.0
    )


ISSUER = "the https:// address of an issuer, without a query"
INVALID = [
    ("port", "65536", "a number from 0 to 65535"),
    ("port", "http", "a whole number"),
    ("port", True, "a whole number"),
    ("port", 80.5, "a whole number"),
    ("host", "", "a text that is not empty"),
    ("host", 5, "a text"),
    ("data", "", "a path"),
    ("data", "~nobody-of-this-name/data", "a path"),
    ("mongo_url", "postgres://x", "empty, or a mongodb:// URL"),
    ("mongo_database", "a/b", "a name of 1 to 63 letters, digits, hyphens, underscores"),
    ("redis_url", "http://x", "empty, or a redis:// URL"),
    ("auth.registration", "sometimes", "one of closed, open"),
    ("auth.oidc.issuer", "http://id.example.org", f"empty, or {ISSUER}"),
    ("auth.oidc.issuer", "https://ann@id.example.org", f"empty, or {ISSUER}"),
    ("auth.oidc.issuer", "https://id.example.org/?realm=a", f"empty, or {ISSUER}"),
    ("auth.oidc.issuer", "https://", f"empty, or {ISSUER}"),
    ("auth.oidc.issuer", "https://a:b/", f"empty, or {ISSUER}"),
    (
        "auth.oidc.group_map",
        ["=staff"],
        "a list of groups, as claim=group, or a name alone where both are the same",
    ),
    ("auth.oidc.scopes", "openid email", "a list of scopes"),
    ("auth.proxy_user_header", "X User", "empty, or the name of a header"),
    ("auth.oidc.clock_skew_s", "3600", "a number from 0 to 600"),
    ("embedding.precision", "int8", "one of auto, float32, bfloat16"),
    ("documents.hidden_sheets", "yes", "true or false"),
    ("documents.hidden_sheets", 2, "true or false"),
    ("documents.roots", [1], "a list of texts"),
    ("documents.roots", {"a": 1}, "a list of texts"),
    ("documents.roots", "papers", "a list of absolute paths"),
    ("documents.roots", "/srv, ~/papers", "a list of absolute paths"),
    ("documents.roots", ["/srv", ""], "a list of absolute paths"),
    ("documents.roots", "/srv/a\0b", "a list of absolute paths"),
    (
        "documents.exclude",
        "a,[b",
        "globs (The glob '[b' cannot be used: its [ is never closed; write \\[ for the character itself.)",
    ),
    ("documents.file_timeout_s", "soon", "a number"),
    ("documents.file_timeout_s", "nan", "a number"),
    ("documents.file_timeout_s", float("inf"), "a number"),
    ("documents.file_timeout_s", 10**400, "a number"),
    ("documents.file_timeout_s", "0", "a number of at least 0.1"),
    ("index.target_recall", "1.5", "a number from 0.5 to 1"),
]


@pytest.mark.parametrize(("name", "value", "expected"), INVALID)
def test_an_invalid_value_is_refused_with_its_name_and_the_expected_values(name, value, expected):
    with pytest.raises(ConfigError) as refused:
        load(environ={}, overrides={name: value})
    message = str(refused.value)
    assert message.startswith(
        f"{name} = {value!r} (the command line) is not allowed: {expected} is expected."
    )


def test_the_environment_can_name_the_configuration_file(tmp_path):
    environ = {"SEMANTIK_CONFIG": str(config_file(tmp_path, "port = 1"))}
    assert load(environ=environ).port == 1
    assert load(environ=environ | {"SEMANTIK_PORT": "2"}).port == 2
    (tmp_path / "given.toml").write_text("port = 3")
    assert load(tmp_path / "given.toml", environ).port == 3
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read"):
        load(environ={"SEMANTIK_CONFIG": "nowhere.toml"})


def test_a_refusal_names_the_source_of_the_value(tmp_path):
    file = config_file(tmp_path, "port = -1")
    with pytest.raises(ConfigError, match=re.escape(f"port = -1 ({file})")):
        load(file, {})
    with pytest.raises(ConfigError, match="port = 'x' \\(the environment's SEMANTIK_PORT\\)"):
        load(environ={"SEMANTIK_PORT": "x"})


def test_chunks_must_be_longer_than_their_overlap():
    with pytest.raises(
        ConfigError, match=r"embedding.chunk_overlap = 64 must be less than .*chunk_size = 64"
    ):
        load(environ={}, overrides={"embedding.chunk_size": 64, "embedding.chunk_overlap": 64})


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ({"auth.oidc.issuer": "https://id.example.org"}, "auth.oidc.client_id"),
        ({"auth.proxy_user_header": "Remote-User"}, "trusted_proxies"),
        ({"auth.link_accounts": "email", "auth.registration": "open"}, "auth.registration = 'closed'"),
    ],
)
def test_what_another_setting_needs_is_named(given, needed):
    with pytest.raises(ConfigError, match=re.escape(f"needs {needed}")):
        load(environ={}, overrides=given)


@pytest.mark.parametrize(
    "text", ["ports = 1", "[document]\nroots = []", "[index]\ntree = 5", "documents = 3"]
)
def test_an_unknown_name_is_refused(tmp_path, text):
    with pytest.raises(ConfigError, match=r"There is no setting '\w+(\.\w+)?' \(.*semantik.toml\)"):
        load(config_file(tmp_path, text), {})


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_is_refused_with_the_new_one(tmp_path, capsys, old, new):
    section, _, key = old.partition(".")
    sentence = f"The setting {old} ({{}}) is now called {new}: "
    file = config_file(tmp_path, f"[{section}]\n{key} = 100\n")
    with pytest.raises(ConfigError, match=re.escape(sentence.format(file))):
        load(file, {})
    with pytest.raises(ConfigError, match=re.escape(sentence.format(f"the environment's {env_name(old)}"))):
        load(environ={env_name(old): "100"})
    assert main([flag_name(old), "100"]) == 2
    assert sentence.format("the command line") in capsys.readouterr().err
    names = {entry.name for entry in entries()}
    assert old not in names and new in names


def test_a_missing_or_invalid_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"missing.toml cannot be read: No such file or directory"):
        load(tmp_path / "missing.toml", {})
    with pytest.raises(ConfigError, match=r"is not valid TOML: .*line 1"):
        load(config_file(tmp_path, "port = = 3"), {})
    (tmp_path / "latin.toml").write_bytes(b'host = "\xe4"')
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load(tmp_path / "latin.toml", {})


def test_the_server_exits_with_status_2_and_one_sentence(capsys):
    assert main(["--port", "70000"]) == 2
    assert capsys.readouterr().err.startswith("semantik-server: port = '70000' (the command line)")


def test_a_root_that_is_a_file_is_refused_at_startup(tmp_path, capsys):
    file = config_file(tmp_path, "")
    assert main(["--documents-roots", f"{tmp_path},{file}", "--data", str(tmp_path / "data")]) == 2
    assert f"documents.roots = {str(file)!r} is not allowed: a folder is expected" in capsys.readouterr().err


@pytest.mark.noisy
def test_a_missing_root_is_a_warning(start, tmp_path):
    serving = start("--documents-roots", f"{tmp_path},{tmp_path / 'not-mounted'}")
    assert serving.stop() == 0
    (line,) = complaints(serving)
    assert (
        "WARNING" in line
        and f"documents.roots has {tmp_path / 'not-mounted'}, which is not a folder now" in line
    )


def test_the_file_has_every_setting_with_its_default_and_description():
    assert load(FILE, {}) == Settings()
    text = FILE.read_text()
    tree = tomllib.loads(text)
    assert set(names(tree)) == {entry.name for entry in entries()}
    for entry in entries():
        line = f"# {entry.doc}\n{entry.name.rpartition('.')[2]} = {toml(entry.default)}\n"
        assert line in text, f"conf/semantik.toml should have:\n{line}"


def test_the_docs_list_exactly_the_settings():
    def row(entry: Entry) -> str:
        mark = " ↻" if entry.reloadable else ""
        cells = (entry.env, entry.flag, toml(entry.default))
        return f"| `{entry.name}`{mark} " + "".join(f"| `{cell}` " for cell in cells) + f"| {entry.doc} |"

    lines = [line for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    assert lines == [row(entry) for entry in entries()]


def test_an_unknown_environment_variable_is_refused() -> None:
    with pytest.raises(ConfigError, match="SEMANTIK_PROT"):
        load(environ={"SEMANTIK_PROT": "8080"})
    assert load(environ={"SEMANTIK_FAILPOINT": "x", "OTHER": "y"}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("auth.secret", "a-short-secret"),
        ("auth.secret", "changemechangemechangemechangeme"),
        ("auth.secret", "please-change-this-secret-in-production"),
        ("auth.previous_secret", "0123456789abcdef0123456789abcdef"),
        ("auth.setup_code", "too-short"),
        ("mongo_url", "postgres://ann:hidden-word@host/x"),
    ],
)
def test_a_refused_secret_is_not_shown(name, value):
    with pytest.raises(ConfigError, match="is not allowed") as refused:
        load(environ={env_name(name): value})
    assert "***" in str(refused.value)
    assert value not in str(refused.value) and "hidden-word" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("auth.secret", "8c1d0e7fa94b52e6" * 2), ("redis_url", "redis://ann:8c1d0e7fa94b52e6@host/0")],
)
def test_secrets_are_refused_on_the_command_line(name, value):
    with pytest.raises(ConfigError, match=env_name(name)) as refused:
        load(environ={}, overrides={name: value})
    assert "8c1d0e7fa94b52e6" not in str(refused.value)
