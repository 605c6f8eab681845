"""Variables of MATLAB files, with SciPy; those of version 7.3 are HDF5 and need h5py."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np

from vidreid.errors import InputError, MissingError
from vidreid.types import Array


def read_mat(path: Path, name: str) -> Array:
    """The variable ``name`` as MATLAB shows it: (rows, columns)."""
    # Only who opens such a data set needs SciPy.
    try:
        import scipy.io
    except ImportError as error:
        raise MissingError(f"{path}: a MATLAB file, which needs SciPy", "pip install scipy") from error
    try:
        found = scipy.io.loadmat(path, variable_names=[name]).get(name)
    except NotImplementedError:
        found = _read_hdf5(path, name)
    except (ValueError, TypeError, OSError, EOFError) as error:
        raise InputError(f"{path}: not a MATLAB file ({error})", "fetch it again") from error
    if found is None:
        raise InputError(f"{path}: no variable {name!r} in it", "fetch the data set's own file again")
    return np.asarray(found)


def _read_hdf5(path: Path, name: str) -> Array | None:
    try:
        h5py = importlib.import_module("h5py")
    except ImportError as error:
        raise MissingError(f"{path}: a MATLAB 7.3 file, which needs h5py", "pip install h5py") from error
    try:
        with h5py.File(path) as file:
            # HDF5 stores columns first.
            return np.asarray(file[name]).T if name in file else None
    except OSError as error:
        raise InputError(f"{path}: not a MATLAB file ({error})", "fetch it again") from error
