"""An NVIDIA driver without a GPU: the functions of libcuda that are used, on the processor's memory.

What is put into a stream is done when the stream is waited for, as late as a GPU may do it.
"""

import ctypes
import os

CDLL = ctypes.CDLL
LIBRARIES = ("libcuda.so.1", "nvcuda.dll")
INVALID, OUT_OF_MEMORY = 1, 2
MAJOR, MINOR = 75, 76


class Driver:
    """``PRETEND_GPU``: name, compute capability and newest CUDA, as ``NVIDIA RTX A4000;8;6;13000``."""

    def __init__(self):
        self._name, *numbers = os.environ["PRETEND_GPU"].split(";")
        self._major, self._minor, self._version = map(int, numbers)
        self._memory, self._streams, self._graphs = {}, {}, {}
        self._capturing = set()
        self.launched = 0
        self.room = 1 << 30

    @property
    def held(self):
        """How many blocks of memory, streams and graphs nobody gave back."""
        return len(self._memory) + len(self._streams) + len(self._graphs)

    def put(self, stream, work):
        self._streams[stream].append(work)
        return 0

    def capturing(self, stream):
        return stream in self._capturing

    def cuInit(self, flags):
        return 0

    def cuGetErrorString(self, code, words):
        words._obj.value = {INVALID: b"invalid argument", OUT_OF_MEMORY: b"out of memory"}[code]
        return 0

    def cuDriverGetVersion(self, version):
        version._obj.value = self._version
        return 0

    def cuDeviceGet(self, device, number):
        device._obj.value = number.value
        return 0

    def cuDeviceGetName(self, name, length, device):
        name.value = self._name.encode()
        return 0

    def cuDeviceGetAttribute(self, value, which, device):
        value._obj.value = {MAJOR: self._major, MINOR: self._minor}[which.value]
        return 0

    def cuDevicePrimaryCtxRetain(self, context, device):
        context._obj.value = 7
        return 0

    def cuCtxSetCurrent(self, context):
        return 0 if context.value == 7 else INVALID

    def _allocate(self, pointer, size):
        if size.value > self.room:
            return OUT_OF_MEMORY
        self.room -= size.value
        block = (ctypes.c_uint8 * size.value)(*[0xCD] * min(size.value, 64))
        pointer._obj.value = ctypes.addressof(block)
        self._memory[pointer._obj.value] = block
        return 0

    def cuMemAlloc_v2(self, pointer, size):
        return self._allocate(pointer, size)

    def cuMemHostAlloc(self, pointer, size, flags):
        return self._allocate(pointer, size)

    def cuMemFree_v2(self, pointer):
        self.room += len(self._memory.pop(pointer.value))
        return 0

    cuMemFreeHost = cuMemFree_v2

    def cuMemcpyHtoDAsync_v2(self, to, source, size, stream):
        return self.put(stream.value, lambda: ctypes.memmove(to.value, source.value, size.value))

    cuMemcpyDtoHAsync_v2 = cuMemcpyHtoDAsync_v2

    def cuStreamCreate(self, stream, flags):
        stream._obj.value = 1 + max(self._streams, default=0)
        self._streams[stream._obj.value] = []
        return 0

    def cuStreamDestroy_v2(self, stream):
        del self._streams[stream.value]
        return 0

    def cuStreamSynchronize(self, stream):
        if self.capturing(stream.value):
            return INVALID
        work, self._streams[stream.value] = self._streams[stream.value], []
        for step in work:
            step()
        return 0

    def cuStreamBeginCapture_v2(self, stream, mode):
        self._capturing.add(stream.value)
        return 0

    def cuStreamEndCapture(self, stream, graph):
        self._capturing.remove(stream.value)
        graph._obj.value = 1 + max(self._graphs, default=0)
        self._graphs[graph._obj.value], self._streams[stream.value] = self._streams[stream.value], []
        return 0

    def cuGraphInstantiateWithFlags(self, executable, graph, flags):
        executable._obj.value = 1 + max(self._graphs)
        self._graphs[executable._obj.value] = self._graphs[graph.value]
        return 0

    def cuGraphDestroy(self, graph):
        del self._graphs[graph.value]
        return 0

    cuGraphExecDestroy = cuGraphDestroy

    def cuGraphLaunch(self, executable, stream):
        self.launched += 1
        self._streams[stream.value] += self._graphs[executable.value]
        return 0


def library(name, *arguments, **options):
    """What ``ctypes.CDLL`` opens on a machine with this driver."""
    return driver() if name in LIBRARIES else CDLL(name, *arguments, **options)


def driver(*, anew=False):
    """The process's driver."""
    global _driver  # noqa: PLW0603
    if anew or _driver is None:
        _driver = Driver()
    return _driver


_driver = None
