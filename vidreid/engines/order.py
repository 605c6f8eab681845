"""What a runtime is asked to build, and what it says that it has built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vidreid.engines.card import Target, TensorCard
from vidreid.engines.recipe import Precision
from vidreid.engines.source import Source


@dataclass(frozen=True)
class Order:
    """An engine to be built of ``source``. ``islands``: operators and names of nodes that stay in float32 where the
    ``precision`` is lower; ``batch``: least, usual and most; ``target``: the GPUs, empty on CPUs."""

    source: Source
    precision: Precision
    islands: Sequence[str] = ()
    batch: tuple[int, int, int] = (1, 8, 32)
    target: Target = field(default_factory=Target)


@dataclass(frozen=True)
class Built:
    """What lies in the folder now: ``main`` is the file to load, ``others`` what it needs beside it.

    ``islands``: the nodes that were kept in float32, by name. ``target``: with what only the builder knows.
    """

    main: str
    tensors: Sequence[TensorCard]
    others: Sequence[str] = ()
    islands: Sequence[str] = ()
    target: Target = field(default_factory=Target)


@dataclass(frozen=True)
class Layer:
    """A layer of an engine as its runtime tells it: ``precision`` as the runtime calls it, ``milliseconds`` where it
    was measured."""

    name: str
    kind: str
    precision: str
    milliseconds: float | None = None
