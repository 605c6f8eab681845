"""Networks as ONNX graphs: brought into standard form, lowered in precision, quantised, and told what is wrong with
them. Needs the package onnx, without which importing it is a `MissingError`."""

from vidreid.errors import MissingError

try:
    import onnx as _onnx  # noqa: F401
except ImportError as _error:
    raise MissingError(f"onnx is not installed ({_error})", "pip install onnx") from None
