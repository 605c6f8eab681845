"""vidreid: who is who, across the cameras of a site, from raw footage, offline."""

__version__ = "0.1.0"
