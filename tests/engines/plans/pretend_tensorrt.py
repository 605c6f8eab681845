"""TensorRT 10, TensorRT 11 and TensorRT-RTX without a GPU: as much of their Python API as is used, and no more.

Networks are computed by ONNX Runtime. Names are recorded from NVIDIA's documentation of 10.x and 11.x: what 11 removed
is there in 10 and missing in 11, and no object takes an attribute that the real one lacks.
``PRETEND_BUILDER`` makes the builder fail: ``crash``, ``killed``, ``refuses``, ``hangs`` (file ``PRETEND_PID``: who).
"""

import ctypes
import enum
import json
import os
import signal
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pretend_cuda

REMOVED_IN_11 = {
    "BuilderFlag": [
        "FP16",
        "BF16",
        "INT8",
        "FP8",
        "INT4",
        "OBEY_PRECISION_CONSTRAINTS",
        "PREFER_PRECISION_CONSTRAINTS",
    ],
    "NetworkDefinitionCreationFlag": ["EXPLICIT_BATCH"],
    "Builder": ["platform_has_fast_fp16", "platform_has_fast_int8", "platform_has_tf32"],
    "IBuilderConfig": ["int8_calibrator", "set_calibration_profile", "set_quantization_flag", "quantization_flags"],
    "ICudaEngine": ["device_memory_size"],
    "ILayer": ["precision", "set_output_type"],
}
TEN, ELEVEN, RTX = "10.13.3.9", "11.1.0.106", "1.7.1.116"
MAGIC = b"plan"
UNKNOWN_OPERATORS = {"Det", "Unique"}

Severity = enum.IntEnum("Severity", ["INTERNAL_ERROR", "ERROR", "WARNING", "INFO", "VERBOSE"], start=0)
DataType = enum.IntEnum(
    "DataType", ["FLOAT", "HALF", "INT8", "INT32", "BOOL", "UINT8", "FP8", "BF16", "INT64", "INT4"], start=0
)
LayerType = enum.IntEnum("LayerType", ["CONVOLUTION", "CAST", "CONSTANT", "REDUCE", "ACTIVATION", "SHUFFLE"], start=0)
KINDS = {"Conv": "CONVOLUTION", "Cast": "CAST", "ReduceMean": "REDUCE", "Relu": "ACTIVATION"}
TYPES = {
    onnx.TensorProto.FLOAT: DataType.FLOAT,
    onnx.TensorProto.FLOAT16: DataType.HALF,
    onnx.TensorProto.BFLOAT16: DataType.BF16,
    onnx.TensorProto.UINT8: DataType.UINT8,
    onnx.TensorProto.INT64: DataType.INT64,
    onnx.TensorProto.INT8: DataType.INT8,
}
NUMPY = {DataType.FLOAT: np.float32, DataType.HALF: np.float16, DataType.UINT8: np.uint8, DataType.INT64: np.int64}


class Strict:
    """As the real classes: an attribute that they lack cannot be set."""

    def __setattr__(self, name, value):
        if not name.startswith("_") and not hasattr(type(self), name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        super().__setattr__(name, value)


class ILogger(Strict):
    Severity = Severity
    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = Severity


class Logger(ILogger):
    def __init__(self, least):
        self._least = least

    def log(self, severity, message):
        print(message)


class IProgressMonitor(Strict):
    pass


class Tensor(Strict):
    name, dtype, shape = "", None, ()

    def __init__(self, value):
        kind = value.type.tensor_type
        self.name, self.dtype = value.name, TYPES.get(kind.elem_type, DataType.INT32)
        self.shape = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in kind.shape.dim)


class ILayer(Strict):
    name, type, num_outputs = "", None, 1

    def __init__(self, node, output):
        self.name, self._output = node.name, output
        self.type = LayerType[KINDS.get(node.op_type, "SHUFFLE")]

    def get_output(self, place):
        return self._output


class INetworkDefinition(Strict):
    num_inputs = property(lambda self: len(self._model.graph.input))
    num_outputs = property(lambda self: len(self._model.graph.output))
    num_layers = property(lambda self: len(self._layers))

    def get_input(self, place):
        return Tensor(self._model.graph.input[place])

    def get_output(self, place):
        return Tensor(self._model.graph.output[place])

    def get_layer(self, place):
        return self._layers[place]

    def _read(self, model):
        self._model = model
        graph = onnx.shape_inference.infer_shapes(model).graph
        known = {value.name: value for value in (*graph.value_info, *graph.output)}
        self._layers = [
            ILayer(node, Tensor(known[node.output[0]])) for node in graph.node if node.op_type != "Constant"
        ]


class ParserError(Strict):
    def __init__(self, code, description, node=None):
        self._told = code, description, node

    def code(self):
        return self._told[0]

    def desc(self):
        return self._told[1]

    def node_name(self):
        return self._told[2].name if self._told[2] else ""

    def node_operator(self):
        return self._told[2].op_type if self._told[2] else ""


ErrorCode = enum.IntEnum("ErrorCode", ["SUCCESS", "MODEL_DESERIALIZE_FAILED", "UNSUPPORTED_NODE"], start=0)


class OnnxParser(Strict):
    num_errors = property(lambda self: len(self._errors))

    def __init__(self, network, logger):
        self._network, self._errors = network, []

    def parse_from_file(self, path):
        try:
            model = onnx.load(path)
        except Exception:
            self._errors.append(ParserError(ErrorCode.MODEL_DESERIALIZE_FAILED, "Failed to parse the ONNX model."))
            return False
        unknown = [node for node in model.graph.node if node.op_type in UNKNOWN_OPERATORS]
        self._errors += [ParserError(ErrorCode.UNSUPPORTED_NODE, "false", node) for node in unknown]
        if not unknown:
            self._network._read(model)
        return not unknown

    def get_error(self, place):
        return self._errors[place]


class IOptimizationProfile(Strict):
    def set_shape(self, input, min, opt, max):
        self._shapes = [list(min), list(opt), list(max)]


class ITimingCache(Strict):
    def __init__(self, contents):
        self._contents = contents

    def serialize(self):
        return memoryview(self._contents or b"timings")


class IBuilderConfig(Strict):
    progress_monitor = None
    profiling_verbosity = None
    hardware_compatibility_level = 0

    def __init__(self):
        self._flags, self._profiles, self._cache, self._capabilities = {"TF32"}, [], None, []

    def set_flag(self, flag):
        self._flags.add(flag.name)

    def clear_flag(self, flag):
        self._flags.discard(flag.name)

    def add_optimization_profile(self, profile):
        least, usual, most = profile._shapes
        if not all(low <= it <= high for low, it, high in zip(least, usual, most, strict=True)):
            return -1
        self._profiles.append(profile._shapes)
        return len(self._profiles) - 1

    def create_timing_cache(self, contents):
        return None if contents == b"damaged" else ITimingCache(contents)

    def set_timing_cache(self, cache, ignore_mismatch):
        self._cache = cache
        return True

    def get_timing_cache(self):
        return self._cache


class Builder(Strict):
    def __init__(self, logger):
        self._logger = logger

    def create_network(self, flags=0):
        return INetworkDefinition()

    def create_builder_config(self):
        return self._config()

    def create_optimization_profile(self):
        return IOptimizationProfile()

    def build_serialized_network(self, network, config):
        monitor, phase = config.progress_monitor, "Building engine"
        monitor.phase_start(phase, None, 2)
        monitor.phase_start("Timing graph nodes", phase, 4)
        self._misbehave(os.environ.get("PRETEND_BUILDER", ""))
        for step in range(4):
            monitor.step_complete("Timing graph nodes", step)
        monitor.phase_finish("Timing graph nodes")
        monitor.step_complete(phase, 0)
        monitor.phase_finish(phase)
        if os.environ.get("PRETEND_BUILDER") == "refuses":
            self._logger.log(
                Severity.ERROR, "IBuilder::build: Error Code 10 (no kernel for {the_conv} In f at /src/a.cpp:3)"
            )
            return None
        head = {"version": self._version, "profiles": config._profiles, "flags": sorted(config._flags)}
        head |= {"layers": [[one.name, one.type.name, one.get_output(0).dtype.name] for one in network._layers]}
        head |= {"hardware": int(config.hardware_compatibility_level), "capabilities": config._capabilities}
        said, graph = json.dumps(head).encode(), network._model.SerializeToString()
        return MAGIC + b"".join(len(part).to_bytes(8, "little") + part for part in (said, graph))

    def _misbehave(self, how):
        if how == "crash":
            print("Segmentation fault, so they say")
            os.kill(os.getpid(), signal.SIGSEGV)
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "hangs":
            Path(os.environ["PRETEND_PID"]).write_text(str(os.getpid()))
            time.sleep(600)


class Runtime(Strict):
    engine_host_code_allowed = False

    def __init__(self, logger):
        self._logger = logger

    def deserialize_cuda_engine(self, plan):
        parts, rest = [], bytes(plan).removeprefix(MAGIC)
        while rest:
            size, rest = int.from_bytes(rest[:8], "little"), rest[8:]
            parts, rest = [*parts, rest[:size]], rest[size:]
            if len(parts[-1]) < size or len(parts) > 2:
                break
        else:
            if bytes(plan).startswith(MAGIC) and len(parts) == 2:
                return self._checked(json.loads(parts[0]), parts[1])
        return self._refuse("Error Code 1: Serialization (Serialized data is truncated In read at /src/b.cpp:9)")

    def _checked(self, head, graph):
        if "VERSION_COMPATIBLE" in head["flags"] and not self.engine_host_code_allowed:
            return self._refuse("the plan holds host code, which is not allowed")
        if head["version"] != self._version:
            return self._refuse(f"the plan is of version {head['version']}")
        return self._engine(head, graph)

    def _refuse(self, reason):
        self._logger.log(Severity.INTERNAL_ERROR, "Thread context has not been set!")
        self._logger.log(Severity.ERROR, reason)


class EngineInspector(Strict):
    def __init__(self, layers, *, split):
        self._layers, self._split = layers, split

    def get_engine_information(self, format):
        def output(precision):
            return {"DataType": precision, "Format": "Linear"} if self._split else {"Format/Datatype": precision}

        return json.dumps(
            {"Layers": [{"Name": name, "LayerType": kind, "Outputs": [output(it)]} for name, kind, it in self._layers]}
        )


class ICudaEngine(Strict):
    num_io_tensors = property(lambda self: len(self._tensors))
    num_optimization_profiles = property(lambda self: len(self._head["profiles"]))

    def __init__(self, head, graph):
        self._head, self._onnx = head, graph
        model = onnx.load_from_string(graph).graph
        self._tensors = [Tensor(value) for value in (*model.input, *model.output)]

    def get_tensor_name(self, place):
        return self._tensors[place].name

    def get_tensor_dtype(self, name):
        return next(tensor.dtype for tensor in self._tensors if tensor.name == name)

    def get_tensor_profile_shape(self, name, place):
        return [tuple(shape) for shape in self._head["profiles"][place]]

    def create_engine_inspector(self):
        return EngineInspector(self._head["layers"], split=not self._head["version"].startswith("10."))

    def create_execution_context(self, config=None):
        return IExecutionContext(self, config)


class IExecutionContext(Strict):
    def __init__(self, engine, config):
        import onnxruntime

        self._engine, self._config = engine, config
        self._session = onnxruntime.InferenceSession(engine._onnx, providers=["CPUExecutionProvider"])
        self._addresses, self._shape, self._profile = {}, None, None

    def set_optimization_profile_async(self, place, stream):
        self._profile = self._engine.get_tensor_profile_shape("", place)
        return True

    def set_input_shape(self, name, shape):
        least, _, most = self._profile
        assert all(low <= it <= high for low, it, high in zip(least, shape, most, strict=True))
        self._shape = tuple(shape)
        return True

    def get_tensor_shape(self, name):
        (taken,) = self._session.get_inputs()
        found = self._session.run([name], {taken.name: np.zeros(self._shape, np.uint8)})[0]
        return tuple(found.shape)

    def set_tensor_address(self, name, address):
        self._addresses[name] = address
        return True

    def execute_async_v3(self, stream):
        addresses = dict(self._addresses)
        pretend_cuda.driver().put(stream, lambda: self._compute(addresses))
        return True

    def _compute(self, addresses):
        (taken,) = self._session.get_inputs()
        size = int(np.prod(self._shape))
        images = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(addresses[taken.name])).reshape(self._shape)
        names = [output.name for output in self._session.get_outputs()]
        for name, array in zip(names, self._session.run(names, {taken.name: images}), strict=True):
            ctypes.memmove(addresses[name], np.ascontiguousarray(array).ctypes.data, array.nbytes)


class ConfigRTX(IBuilderConfig):
    num_compute_capabilities = 0

    def set_compute_capability(self, capability, place):
        self._capabilities.append(capability.name)
        return True


class IRuntimeCache(Strict):
    def __init__(self):
        self._contents = b""

    def deserialize(self, contents):
        self._contents = contents

    def serialize(self):
        return memoryview(self._contents + b"kernels")


class IRuntimeConfig(Strict):
    dynamic_shapes_kernel_specialization_strategy = None

    def create_runtime_cache(self):
        return IRuntimeCache()

    def set_runtime_cache(self, cache):
        self._cache = cache
        return True

    def get_runtime_cache(self):
        return self._cache


class ContextRTX(IExecutionContext):
    def get_runtime_config(self):
        return self._config

    def is_stream_capturable(self, stream):
        return True


class EngineRTX(ICudaEngine):
    def create_runtime_config(self):
        return IRuntimeConfig()

    def create_execution_context(self, config=None):
        return ContextRTX(self, config)


def module(version, *, rtx=False):
    """The library as a module."""
    found = ModuleType("tensorrt_rtx" if rtx else "tensorrt")
    found.__version__ = version
    config, engine = (ConfigRTX, EngineRTX) if rtx else (IBuilderConfig, ICudaEngine)
    classes = {
        "Builder": type("Builder", (Builder,), {"_version": version, "_config": config}),
        "Runtime": type("Runtime", (Runtime,), {"_version": version, "_engine": engine}),
        "IBuilderConfig": config,
        "ICudaEngine": engine,
        "BuilderFlag": enum.IntEnum("BuilderFlag", ["TF32", "VERSION_COMPATIBLE", "REFIT"], start=0),
        "NetworkDefinitionCreationFlag": enum.IntEnum("NetworkDefinitionCreationFlag", ["STRONGLY_TYPED"], start=0),
        "HardwareCompatibilityLevel": enum.IntEnum("HardwareCompatibilityLevel", ["NONE", "AMPERE_PLUS"], start=0),
        "ProfilingVerbosity": enum.IntEnum("ProfilingVerbosity", ["LAYER_NAMES_ONLY", "NONE", "DETAILED"], start=0),
        "LayerInformationFormat": enum.IntEnum("LayerInformationFormat", ["ONELINE", "JSON"], start=0),
    }
    shared = (
        ILogger,
        Logger,
        IProgressMonitor,
        INetworkDefinition,
        ILayer,
        OnnxParser,
        IExecutionContext,
        DataType,
        ErrorCode,
    )
    for one in shared:
        classes[one.__name__] = one
    if rtx:
        names = ["SM75", "SM80", "SM86", "SM89", "SM120"]
        classes["ComputeCapability"] = enum.IntEnum("ComputeCapability", ["NONE", *names])
        classes["DynamicShapesKernelSpecializationStrategy"] = enum.IntEnum("Strategy", ["LAZY", "EAGER", "NONE"])
    if version.startswith("10."):
        _add_what_11_removed(classes)
    for name, one in classes.items():
        setattr(found, name, one)
    found.nptype = NUMPY.__getitem__
    return found


def _add_what_11_removed(classes):
    for name, removed in REMOVED_IN_11.items():
        one = classes[name]
        if issubclass(one, enum.Enum):
            known = [member.name for member in one]
            classes[name] = enum.IntEnum(name, [*removed, *known], start=0)
        else:
            classes[name] = type(name, (one,), dict.fromkeys(removed))
