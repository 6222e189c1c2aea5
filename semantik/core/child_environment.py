"""The environment of child processes: what they need, and no secret. Pure.

A child gets the variables that are named here and no others, so a secret of which nobody has thought stays out, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

_NAMES = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_*", "TZ", "TZDIR", "TMPDIR", "VIRTUAL_ENV",
    "PYTHON*", "LD_LIBRARY_PATH", "LD_PRELOAD", "MALLOC_*", "GLIBC_TUNABLES", "XDG_CACHE_HOME",
    # How torch computes, and with which devices.
    "OMP_*", "MKL_*", "OPENBLAS_*", "KMP_*", "GOMP_*", "ONEDNN_*", "DNNL_*", "ATEN_*", "TORCH_*", "PYTORCH_*",
    "CUDA_*", "NVIDIA_*", "HIP_*", "HSA_*", "ROCR_*", "ROCM_*",
    # Where models are. HF_TOKEN is a secret.
    "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_*", "HF_ENDPOINT",
    "SENTENCE_TRANSFORMERS_HOME", "TRANSFORMERS_OFFLINE", "TOKENIZERS_PARALLELISM", "TESSDATA_PREFIX",
    "SSL_CERT_FILE", "SSL_CERT_DIR",
    # For tests: where a write stops.
    "SEMANTIK_INDEX_FAILPOINT",
)  # fmt: skip


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of `environ` that a child process may have."""
    return {name: value for name, value in environ.items() if any(fnmatchcase(name, each) for each in _NAMES)}
