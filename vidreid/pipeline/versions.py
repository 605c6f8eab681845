"""The packages and processor features that shape a part's bytes."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
from collections.abc import Mapping

from vidreid import __version__
from vidreid.posix import processor_flags

PACKAGES = ("av", "boxmot", "numpy", "opencv-python", "openvino", "pyarrow", "scipy", "torch")
FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")


@functools.cache
def made_by() -> Mapping[str, str]:
    """Versions and processor features, as every part records them; they are those of the process."""
    versions = {"vidreid": __version__, "processor": " ".join([platform.machine(), *processor_features()])}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def processor_features() -> list[str]:
    """Those of `FEATURES` that this processor has; empty where the system does not tell."""
    flags = processor_flags()
    return [feature for feature in FEATURES if feature in flags]
