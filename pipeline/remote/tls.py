"""The certificates of the cluster, and how `distributed` is configured here. Only this package imports it.

Whoever has a certificate of the cluster's authority can have every machine of it run any code. So all connections
are TLS, both sides show a certificate, and the authority signs for this cluster alone.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import dask
from distributed import Security

from semantik.config.settings import PoolSettings
from semantik.core.errors import ConfigError

_CONFIG = {
    "distributed.comm.require-encryption": True,
    "distributed.comm.timeouts.connect": "10s",
    # A connection whose other side has gone without a word ends after this time.
    "distributed.comm.timeouts.tcp": "15s",
    # Files are sent with their tasks, so that another worker can have both.
    "distributed.admin.large-graph-warning-threshold": "1GiB",
    # The pages of a worker are neither encrypted nor protected.
    "distributed.worker.http.routes": [],
}


def security(pool: PoolSettings) -> Security:
    """What connections need, with the files of the settings. Raises ConfigError, in one sentence."""
    dask.config.set(_CONFIG)
    files = {
        "pool.tls_ca_file": pool.tls_ca_file,
        "pool.tls_certificate_file": pool.tls_certificate_file,
        "pool.tls_key_file": pool.tls_key_file,
    }
    for name, path in files.items():
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise ConfigError(f"{name} = {path!r} cannot be read: {error.strerror}.") from error
    ca, certificate, key = files.values()
    try:
        ssl.create_default_context(cafile=ca).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise ConfigError(
            "pool.tls_ca_file, pool.tls_certificate_file and pool.tls_key_file do not fit together: "
            f"{error.reason or error}. All are in PEM, and the key is that of the certificate."
        ) from error
    return Security(
        tls_ca_file=ca,
        tls_client_cert=certificate,
        tls_client_key=key,
        tls_worker_cert=certificate,
        tls_worker_key=key,
        require_encryption=True,
    )


def use_our_log() -> None:
    """What the library has to say goes where our log goes, errors alone: that connections end is said by us."""
    for name in [each for each in logging.root.manager.loggerDict if each.split(".")[0] == "distributed"]:
        log = logging.getLogger(name)
        for handler in list(log.handlers):
            log.removeHandler(handler)
        log.propagate = True
        log.setLevel(logging.CRITICAL if name == "distributed.client" else logging.ERROR)
