from pathlib import Path

import pytest

from vidreid.world import write_world


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The folder of a small world: four people, three cameras, 20 seconds."""
    return write_world(tmp_path_factory.mktemp("site"), seed=3, seconds=20, people=4).parent
