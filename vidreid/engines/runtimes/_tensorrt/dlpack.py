"""Arrays that are on the GPU already (torch, CuPy, JAX), by the DLPack protocol: where they are, without a copy."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_int32, c_int64, c_uint8, c_uint16, c_uint64, c_void_p, py_object
from dataclasses import dataclass
from typing import Any

_CUDA = 2
_UNSIGNED = 1
_NAME = b"dltensor"


class _Tensor(ctypes.Structure):
    """DLTensor of dlpack.h."""

    _fields_ = (
        ("data", c_void_p),
        ("device_type", c_int32),
        ("device_id", c_int32),
        ("ndim", c_int32),
        ("code", c_uint8),
        ("bits", c_uint8),
        ("lanes", c_uint16),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("byte_offset", c_uint64),
    )


@dataclass(frozen=True)
class Resident:
    """Bytes on the GPU at ``address``. They stay there as long as ``owner`` is held."""

    address: int
    shape: tuple[int, ...]
    owner: Any


def is_resident(array: Any) -> bool:
    """Whether it is an array in the memory of an NVIDIA GPU."""
    device = getattr(array, "__dlpack_device__", None)
    return device is not None and device()[0] == _CUDA


def resident(array: Any, stream: int) -> Resident:
    """Where a uint8 array in row-major order is; ``stream`` waits for what its owner still computes of it.

    Arrays of other types or with gaps between rows are a ValueError.
    """
    capsule = array.__dlpack__(stream=stream)
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = c_void_p, (py_object, ctypes.c_char_p)
    tensor = _Tensor.from_address(pointer(capsule, _NAME))
    shape = tuple(tensor.shape[: tensor.ndim])
    if (tensor.code, tensor.bits, tensor.lanes) != (_UNSIGNED, 8, 1):
        raise ValueError(f"uint8 wanted, an array of {tensor.bits} bits of another kind given")
    if tensor.strides and not _row_major(shape, tensor.strides[: tensor.ndim]):
        raise ValueError("an array in row-major order without gaps wanted: contiguous()")
    # The capsule is not renamed: it stays the owner, and frees the array when it goes.
    return Resident((tensor.data or 0) + tensor.byte_offset, shape, capsule)


def _row_major(shape: tuple[int, ...], strides: list[int]) -> bool:
    step = 1
    for length, stride in zip(reversed(shape), reversed(strides), strict=True):
        if length != 1 and stride != step:
            return False
        step *= length
    return True
