"""What this machine can run: processor, GPUs, runtimes, networks found, and how to get what is missing."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from vidreid import plugins
from vidreid.engines.registry import read_registry
from vidreid.engines.weights import at_hand, places
from vidreid.pipeline.networks import cores
from vidreid.pipeline.versions import made_by, processor_features
from vidreid.resources import home


@dataclass(frozen=True)
class NetworkFinding:
    """A registered network: whether it is here, whether it is the one taken by default, its terms, how to get it."""

    name: str
    kind: str
    path: str | None
    default: bool
    licence: str
    terms: str
    get: str


@dataclass(frozen=True)
class Findings:
    """What `vidreid doctor` prints. A runtime's value is None where it works, else the reason."""

    versions: dict[str, str]
    cores: int
    processor: list[str]
    gpus: list[str]
    runtimes: dict[str, str | None]
    home: str
    networks: list[NetworkFinding]

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return {**self.__dict__, "networks": [dict(network.__dict__) for network in self.networks]}


def examine() -> Findings:
    """Look at this machine; loads no network."""
    runtimes = {name: plugins.load("engines.runtimes", name).available() for name in plugins.names("engines.runtimes")}
    return Findings(made_by(), cores(), processor_features(), gpus(), runtimes, str(home()), networks())


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
        default = next((name for name in order if at_hand(name, registry)), None)
        others = [name for name, entry in registry.models.items() if entry.kind == kind and name not in order]
        for name in [*order, *others]:
            entry = registry.models[name]
            path = at_hand(name, registry)
            how = f"downloaded at first use from {entry.url}" if entry.url else entry.get or "see its makers"
            put = f"{', '.join(entry.files)} into {places(entry)[0]} ({how})"
            found.append(
                NetworkFinding(
                    name, kind, str(path) if path else None, name == default, entry.licence, entry.terms, put
                )
            )
    return found
