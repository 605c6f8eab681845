"""What differs between TensorRT 10 and 11 and TensorRT-RTX 1.x. Everything else here is the same for all of them.

Only what all versions have is called. 11 removed weak typing with its flags and calibrators, and batches outside of
shapes; types come from the graph in all of them, and INT8 from its Q/DQ operators.
Source: docs.nvidia.com/deeplearning/tensorrt, "Migrating from TensorRT 10.x to 11.x"; .../tensorrt-rtx.
"""

from __future__ import annotations

import importlib
import os
import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from vidreid.engines.card import Target
from vidreid.engines.runtimes._releases import newer
from vidreid.engines.runtimes._tensorrt.cuda import Gpu
from vidreid.errors import InputError, MissingError

_AMPERE = 80


class Library(ABC):
    """A library of the TensorRT family: its name in plain words, as a Python module and as a package."""

    title: str
    module: str
    package: str

    def load(self) -> Any:
        """The module; `ImportError` where it is missing."""
        return importlib.import_module(self.module)

    def version(self) -> str:
        """Of the module that is installed; `ImportError` where it is missing."""
        return str(self.load().__version__)

    @abstractmethod
    def resolve(self, wanted: Target, gpu: Gpu | None) -> Target:
        """The GPUs that a plan will be for, of what is ``wanted``; `VidreidError` where it cannot be built here."""

    @abstractmethod
    def configure(self, config: Any, target: Target) -> None:
        """Tell the builder which GPUs and versions the plan is for."""

    @abstractmethod
    def reads(self, built: str, *, portable: bool) -> bool:
        """Whether the version that is installed reads plans of the version ``built``."""

    @abstractmethod
    def holds_code(self, *, portable: bool) -> bool:
        """Whether its plans hold code that runs on the processor when they are loaded."""

    @abstractmethod
    def knows(self, capability: str) -> bool:
        """Whether it runs on GPUs of that compute capability."""

    @abstractmethod
    def load_timings(self, config: Any, path: Path) -> None:
        """Give the builder what it measured before."""

    @abstractmethod
    def save_timings(self, config: Any, path: Path) -> None:
        """Keep what the builder measured."""

    @abstractmethod
    def contexts(self, engine: Any, count: int, compiled: Path) -> list[Any]:
        """Execution contexts. ``compiled``: where kernels that are compiled on the user's machine are kept."""

    @abstractmethod
    def keep_compiled(self, contexts: list[Any], compiled: Path) -> None:
        """Keep the kernels that were compiled."""

    @abstractmethod
    def can_capture(self, context: Any, stream: int) -> bool:
        """Whether what the context does fits into a CUDA graph, as far as the library knows."""


class TensorRT(Library):
    """TensorRT 10 and 11: built on the GPU that is to run the plan."""

    title, module, package = "TensorRT", "tensorrt", "tensorrt"

    def resolve(self, wanted: Target, gpu: Gpu | None) -> Target:
        elsewhere = "--runtime tensorrt-rtx builds for GPUs that are not here"
        if gpu is None:
            raise MissingError("TensorRT builds on the GPU that is to run the plan, and there is none here", elsewhere)
        if others := ", ".join(sorted({*wanted.capabilities} - {gpu.capability})):
            raise InputError(
                f"TensorRT builds for this machine's {gpu.name} ({gpu.capability}), not for {others}",
                f"build on such a machine; {elsewhere}",
            )
        if wanted.portable and number(gpu.capability) < _AMPERE:
            raise InputError(f"portable plans are for sm80 and newer, {gpu.name} is {gpu.capability}", "no --portable")
        return Target(capabilities=[gpu.capability], portable=wanted.portable, gpu=gpu.name, driver=gpu.driver)

    def configure(self, config: Any, target: Target) -> None:
        if target.portable:
            trt = self.load()
            config.hardware_compatibility_level = trt.HardwareCompatibilityLevel.AMPERE_PLUS
            config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)

    def reads(self, built: str, *, portable: bool) -> bool:
        here = self.version()
        same_major = here.partition(".")[0] == built.partition(".")[0]
        return here == built or (portable and same_major and newer(here, built))

    def holds_code(self, *, portable: bool) -> bool:
        return portable  # the runtime of the version that built it

    def knows(self, capability: str) -> bool:
        return True

    def load_timings(self, config: Any, path: Path) -> None:
        known = path.read_bytes() if path.is_file() else b""
        cache = config.create_timing_cache(known) or config.create_timing_cache(b"")
        config.set_timing_cache(cache, ignore_mismatch=False)

    def save_timings(self, config: Any, path: Path) -> None:
        _keep(path, bytes(config.get_timing_cache().serialize()))

    def contexts(self, engine: Any, count: int, compiled: Path) -> list[Any]:
        return [engine.create_execution_context() for _ in range(count)]

    def keep_compiled(self, contexts: list[Any], compiled: Path) -> None:
        """Its plans hold their kernels."""

    def can_capture(self, context: Any, stream: int) -> bool:
        return True


class TensorRTRTX(Library):
    """TensorRT-RTX 1.x: built anywhere, for named GPUs or for all; the GPU's own kernels are compiled when loaded."""

    title, module, package = "TensorRT-RTX", "tensorrt_rtx", "tensorrt-rtx"

    def resolve(self, wanted: Target, gpu: Gpu | None) -> Target:
        if wanted.portable:
            capabilities = [name for name in self._capabilities() if number(name) >= _AMPERE]
        else:
            capabilities = list(dict.fromkeys(wanted.capabilities)) or ([gpu.capability] if gpu else [])
        if not capabilities:
            raise MissingError("no GPU here to build for", "name GPUs: --target sm86,sm89,sm120; or --portable")
        if unknown := [name for name in capabilities if not self.knows(name)]:
            raise InputError(
                f"TensorRT-RTX {self.version()} has no target {unknown[0]}: it has {', '.join(self._capabilities())}",
                "use --runtime tensorrt, onnxruntime or torch on such GPUs",
            )
        here = gpu or Gpu("", "", "")
        return Target(capabilities=capabilities, portable=wanted.portable, gpu=here.name, driver=here.driver)

    def configure(self, config: Any, target: Target) -> None:
        if target.portable:
            return  # its own choice is every GPU since Ampere, and any that comes
        config.num_compute_capabilities = len(target.capabilities)
        for place, name in enumerate(target.capabilities):
            config.set_compute_capability(getattr(self.load().ComputeCapability, name.upper()), place)

    def reads(self, built: str, *, portable: bool) -> bool:
        return self.version() == built  # no release reads the plans of another

    def holds_code(self, *, portable: bool) -> bool:
        return False

    def knows(self, capability: str) -> bool:
        return capability in self._capabilities()

    def _capabilities(self) -> list[str]:
        names = [name.lower() for name in dir(self.load().ComputeCapability)]
        return sorted((name for name in names if re.fullmatch(r"sm\d+", name)), key=number)

    def load_timings(self, config: Any, path: Path) -> None:
        """It measures nothing while building."""

    def save_timings(self, config: Any, path: Path) -> None:
        """It measures nothing while building."""

    def contexts(self, engine: Any, count: int, compiled: Path) -> list[Any]:
        strategies = self.load().DynamicShapesKernelSpecializationStrategy
        config = engine.create_runtime_config()
        # Else kernels change under way, when the better ones are compiled, and with them the last digits.
        config.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER
        cache = config.create_runtime_cache()
        if compiled.is_file():
            cache.deserialize(compiled.read_bytes())
        config.set_runtime_cache(cache)
        return [engine.create_execution_context(config) for _ in range(count)]

    def keep_compiled(self, contexts: list[Any], compiled: Path) -> None:
        _keep(compiled, bytes(contexts[0].get_runtime_config().get_runtime_cache().serialize()))

    def can_capture(self, context: Any, stream: int) -> bool:
        return bool(context.is_stream_capturable(stream))


LIBRARIES: dict[str, Library] = {library.module: library for library in (TensorRT(), TensorRTRTX())}


def number(capability: str) -> int:
    """89 of sm89."""
    return int(capability.removeprefix("sm"))


def listen(trt: Any, errors: list[str]) -> Any:
    """A logger of the library that collects what it calls an error."""

    class Listener(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                errors.append(message)

    return Listener()


def said(errors: list[str]) -> str:
    """The last error in a line, without the places in the library's source that it names."""
    text = re.sub(r"\bIn \w+ at \S+", "", " ".join((errors or ["it does not say why"])[-1].split()))
    return re.sub(r"[\s(]*\)*$", "", text)[:200]


def _keep(path: Path, contents: bytes) -> None:
    """Write a cache, whole or not at all: other processes read and write it too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_bytes(contents)
    unfinished.replace(path)
