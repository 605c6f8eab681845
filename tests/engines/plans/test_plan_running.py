"""Plans on TensorRT 10, 11 and TensorRT-RTX, with a driver and libraries that only pretend to have a GPU."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pretend_cuda
import pretend_tensorrt
import pytest
import torch
from pretend_tensorrt import RTX
from standard_networks import DIM, SIZE, embedded, order

from vidreid.engines.runtimes._tensorrt import dlpack
from vidreid.errors import InputError, MissingError
from vidreid.types import InputSpec

BATCH = 3
WIDE = (16, 28)


def quiet(words, share):
    """A progress that nobody reads."""


def pictures(count=BATCH, size=SIZE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *size, 3), np.uint8)


@pytest.fixture(scope="module")
def plans():
    """What was built by which version: every test begins with the same plan."""
    return {}


@pytest.fixture
def built(machine, version, tmp_path, folder, plans):
    """A plan and the runtime that built it, as ``load`` is given it."""
    runtime, wanted = machine(version), order(tmp_path / "tiny.onnx", sizes=(SIZE, WIDE))
    if version not in plans:
        made = runtime.build(wanted, folder, quiet)
        plans[version] = (folder / made.main).read_bytes()
    path = folder / "engine.plan"
    path.write_bytes(plans[version])
    return runtime, SimpleNamespace(spec=wanted.source.spec, path=path, precision="fp32")


@pytest.fixture
def opened(built):
    runtime, model = built
    engine = runtime.load(model, streams=1, batch=BATCH)
    yield engine
    engine.close()


def test_the_network_is_computed(opened):
    images = pictures()
    found = opened.run({"images": images})
    assert dict(opened.inputs) == {"images": (BATCH, *SIZE, 3)}
    assert list(opened.outputs) == ["embedding"]
    assert found["embedding"].dtype == np.float32
    np.testing.assert_allclose(found["embedding"], embedded(images), rtol=1e-4)


def test_every_size_of_the_order_has_its_profile(built):
    runtime, model = built
    model.spec = replace(model.spec, input=InputSpec(WIDE))
    engine = runtime.load(model, streams=1, batch=2)
    images = pictures(2, WIDE)
    np.testing.assert_allclose(engine.run({"images": images})["embedding"], embedded(images), rtol=1e-4)
    engine.close()


def test_results_of_a_batch_are_not_those_of_the_next(opened):
    jobs = [opened.submit({"images": pictures(seed=seed)}) for seed in range(6)]
    for seed, job in enumerate(jobs):
        np.testing.assert_allclose(job.result()["embedding"], embedded(pictures(seed=seed)), rtol=1e-4)


def test_contexts_serve_several_threads_at_once(built):
    runtime, model = built
    engine = runtime.load(model, streams=2, batch=BATCH)
    found = {}

    def stream(seeds):
        for seed in seeds:
            found[seed] = engine.run({"images": pictures(seed=seed)})["embedding"]

    threads = [threading.Thread(target=stream, args=(range(first, 12, 3),)) for first in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.close()
    for seed, embedding in found.items():
        np.testing.assert_allclose(embedding, embedded(pictures(seed=seed)), rtol=1e-4)
    assert len(found) == 12


def test_a_batch_is_one_launch_of_a_graph(opened):
    before = pretend_cuda.driver().launched
    opened.run({"images": pictures()})
    assert pretend_cuda.driver().launched == before + 1


def test_work_that_no_graph_can_hold_is_done_all_the_same(built, monkeypatch):
    def fails(self, executable, graph, flags):
        return pretend_cuda.INVALID

    monkeypatch.setattr(pretend_cuda.Driver, "cuGraphInstantiateWithFlags", fails)
    runtime, model = built
    engine = runtime.load(model, streams=1, batch=BATCH)
    np.testing.assert_allclose(engine.run({"images": pictures()})["embedding"], embedded(pictures()), rtol=1e-4)
    assert pretend_cuda.driver().launched == 0
    engine.close()
    assert pretend_cuda.driver().held == 0


def test_close_gives_everything_back(built):
    runtime, model = built
    engine = runtime.load(model, streams=2, batch=BATCH)
    jobs = [engine.submit({"images": pictures()}) for _ in range(4)]
    assert pretend_cuda.driver().held > 0
    engine.close()
    assert all(job.done() and job.exception() is None for job in jobs)
    assert pretend_cuda.driver().held == 0
    engine.close()


def test_a_gpu_that_is_too_small_is_said_so_and_nothing_is_left_on_it(built):
    runtime, model = built
    pretend_cuda.driver().room = 3 * int(np.prod((BATCH, *SIZE, 3)))
    with pytest.raises(MissingError, match=r"engine\.plan: it does not start on the GPU: cuMem\w+: out of memory"):
        runtime.load(model, streams=1, batch=BATCH)
    assert pretend_cuda.driver().held == 0


@pytest.mark.parametrize(
    ("kinds", "name", "answer", "words"),
    [
        (["ICudaEngine", "EngineRTX"], "create_execution_context", None, "no room for what it computes with"),
        (["IExecutionContext"], "execute_async_v3", False, "TensorRT could not start the batch"),
    ],
    ids=["no context", "not started"],
)
def test_a_context_that_does_not_start_is_an_error_line(built, monkeypatch, kinds, name, answer, words):
    runtime, model = built
    for kind in kinds:
        monkeypatch.setattr(getattr(pretend_tensorrt, kind), name, lambda self, *given: answer)
    with pytest.raises(MissingError, match=rf"^engine\.plan: it does not start on the GPU: {words}$"):
        runtime.load(model, streams=1, batch=BATCH)
    assert pretend_cuda.driver().held == 0


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((BATCH, *SIZE, 3), np.float32), np.zeros((2, *SIZE, 3), np.uint8), np.zeros((BATCH, 3, *SIZE), np.uint8)],
    ids=["float", "batch", "channels first"],
)
def test_other_arrays_are_refused(opened, wrong):
    with pytest.raises(ValueError, match="wanted"):
        opened.submit({"images": wrong})
    assert opened.run({"images": pictures()})["embedding"].shape == (BATCH, DIM)


def test_a_batch_of_none_is_refused(built):
    runtime, model = built
    with pytest.raises(InputError, match="tiny: a batch of 0"):
        runtime.load(model, streams=1, batch=0)


def test_a_batch_outside_of_the_profile_is_named_with_it(built):
    runtime, model = built
    with pytest.raises(InputError, match=r"engine\.plan: a batch of 5, where it takes 1 to 4") as error:
        runtime.load(model, streams=1, batch=5)
    assert "--batch" in error.value.hint


def test_a_size_that_no_profile_has_is_named_with_those_that_have_one(built):
    runtime, model = built
    model.spec = replace(model.spec, input=InputSpec((20, 20)))
    with pytest.raises(InputError, match="takes pictures of 12x20, 16x28, not of 20x20"):
        runtime.load(model, streams=1)


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_a_truncated_plan_is_an_error_that_names_it(built, share):
    runtime, model = built
    whole = model.path.read_bytes()
    model.path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"engine\.plan: TensorRT.* cannot load it: .*truncated"):
        runtime.load(model, streams=1)


class OnGpu:
    """An array as torch shows those on a GPU, in memory where the pretended GPU finds it."""

    def __init__(self, array):
        self.tensor, self.asked = torch.from_numpy(array), []
        self.shape, self.dtype = self.tensor.shape, self.tensor.dtype

    def __dlpack_device__(self):
        return (2, 0)

    def __dlpack__(self, *, stream):
        self.asked.append(stream)
        return self.tensor.__dlpack__()


def test_pictures_on_the_gpu_are_read_where_they_are(opened):
    images = pictures()
    array = OnGpu(images)
    found = dlpack.resident(array, 1)
    assert (found.address, found.shape) == (array.tensor.data_ptr(), images.shape)
    job = opened.submit({"images": array})
    np.testing.assert_allclose(job.result()["embedding"], embedded(images), rtol=1e-4)
    assert array.asked[-1] in pretend_cuda.driver()._streams, "its owner has to know who waits"
    # And the next pictures of the processor are taken from their own place again.
    np.testing.assert_allclose(
        opened.run({"images": pictures(seed=1)})["embedding"], embedded(pictures(seed=1)), rtol=1e-4
    )


@pytest.mark.parametrize(
    "wrong",
    [pictures().astype(np.float32), pictures(2), pictures(size=(SIZE[0], 2 * SIZE[1]))[:, :, ::2]],
    ids=["float", "batch", "gaps"],
)
def test_other_arrays_on_the_gpu_are_refused(opened, wrong):
    for _ in range(4):  # more often than the engine has contexts
        with pytest.raises(ValueError, match="wanted"):
            opened.submit({"images": OnGpu(wrong)})
    assert opened.run({"images": pictures()})["embedding"].shape == (BATCH, DIM)


def test_only_arrays_on_the_gpu_are_resident():
    assert not dlpack.is_resident(pictures())
    assert not dlpack.is_resident(torch.zeros(1))
    assert dlpack.is_resident(OnGpu(pictures()))


def test_kernels_that_rtx_compiled_are_kept_for_the_next_start(machine, tmp_path, folder, own_home):
    runtime = machine(RTX)
    wanted = order(tmp_path / "tiny.onnx")
    made = runtime.build(wanted, folder, quiet)
    model = SimpleNamespace(spec=wanted.source.spec, path=folder / made.main)
    for starts in (1, 2):
        runtime.load(model, streams=1).close()
        (kept,) = (own_home / "compiled").iterdir()
        assert kept.read_bytes() == starts * b"kernels"
