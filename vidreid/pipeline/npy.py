"""Plain ``.npy`` files of two axes: every reader of the format reads them, and we read nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np


def npy_header(shape: tuple[int, int], kind: type[np.floating[Any]]) -> bytes:
    """The header of a little-endian array in C order (NEP 1, version 1.0).

    The shape is known from elsewhere when such a file is read, so that its header is compared and never parsed.

    >>> len(npy_header((1_000_000, 512), np.float16))
    128
    """
    about = f"{{'descr': '{np.dtype(kind).newbyteorder('<').str}', 'fortran_order': False, 'shape': {shape}, }}"
    line = about.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(line).to_bytes(2, "little") + line
