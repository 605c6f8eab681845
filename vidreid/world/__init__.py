"""The synthetic world of ``vidreid demo`` and of the tests: footage of three views of one site, and its truth."""

from vidreid.world.film import write_world

__all__ = ["write_world"]
