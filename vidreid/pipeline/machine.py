"""What this machine can run: processor, GPUs, runtimes, networks found, and how to get what is missing."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import asdict, dataclass

from vidreid import plugins
from vidreid.engines.registry import read_registry
from vidreid.engines.weights import at_hand, first_at_hand, how_to_get, passed_over
from vidreid.pipeline.in_use import InUse, by_default
from vidreid.pipeline.versions import made_by, processor_features
from vidreid.posix import cores
from vidreid.resources import home


@dataclass(frozen=True)
class NetworkFinding:
    """A registered network: whether it is here, whether it is the one taken by default, its terms, how to get it.

    ``passed_over``: what to do with files in its place that are others; empty where there are none.
    """

    name: str
    kind: str
    path: str | None
    default: bool
    licence: str
    terms: str
    get: str
    passed_over: str


@dataclass(frozen=True)
class Findings:
    """What `vidreid doctor` prints. A runtime's value is None where it works, else the reason.

    ``networks`` are all that are known, ``default`` those that a run takes.
    """

    versions: dict[str, str]
    cores: int
    processor: list[str]
    gpus: list[str]
    runtimes: dict[str, str | None]
    home: str
    networks: list[NetworkFinding]
    default: list[InUse]

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return asdict(self)


def examine() -> Findings:
    """Look at this machine; loads no network."""
    runtimes = {name: plugins.load("engines.runtimes", name).available() for name in plugins.names("engines.runtimes")}
    return Findings(
        dict(made_by()), cores(), processor_features(), gpus(), runtimes, str(home()), networks(), by_default()
    )


def gpus() -> list[str]:
    """Names of NVIDIA GPUs as the driver's own tool tells them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    told = subprocess.run(
        [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return [line.strip() for line in told.stdout.splitlines() if line.strip()] if told.returncode == 0 else []


def networks() -> list[NetworkFinding]:
    """All registered networks in the order in which they are taken."""
    registry = read_registry()
    found = []
    for kind, order in registry.order.items():
        default = first_at_hand(kind, registry)
        others = [name for name, entry in registry.models.items() if entry.kind == kind and name not in order]
        for name in [*order, *others]:
            entry = registry.models[name]
            path = at_hand(name, registry)
            where, taken, other = str(path) if path else None, default == (name, path), passed_over(name, registry)
            found.append(NetworkFinding(name, kind, where, taken, entry.licence, entry.terms, how_to_get(entry), other))
    return found
