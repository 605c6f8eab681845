"""Networks are tested on one thread."""

from threads import one_thread  # noqa: F401 - a fixture for all
