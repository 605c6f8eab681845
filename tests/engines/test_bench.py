"""Timing engines: what is counted, who takes turns, what fails alone. No test here says how long anything may take."""

import threading
import time
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from handmade_engines import DIM, SIZE, graph, pictures

from vidreid.engines.bench import Benchmark, Contender, Layout, Report, Timing, layouts, measure
from vidreid.engines.matmul import MatmulRate, matmul_rate
from vidreid.engines.slots import SlotEngine
from vidreid.errors import InputError


@pytest.fixture
def tiny(tmp_path):
    """The tiny network by ONNX Runtime."""
    path = str(graph(tmp_path / "tiny.onnx"))

    def load(layout):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = layout.threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

        def slot(images):
            return {"embedding": session.run(["embedding"], {"images": images})[0]}

        return SlotEngine([slot] * layout.streams, (layout.batch, *SIZE, 3), ["embedding"])

    return Contender("tiny", load)


class Recorder:
    """An engine that answers at once, and remembers what it was asked."""

    def __init__(self, name, log, fails=False):
        self.name, self.log, self.fails = name, log, fails
        self.under_way, self.most, self.lock = 0, 0, threading.Lock()
        self.closed = False

    def slot(self, images):
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.log.append((self.name, len(images)))
        time.sleep(0.001)
        with self.lock:
            self.under_way -= 1
        if self.fails:
            raise InputError(f"{self.name}: out of memory")
        return {"embedding": np.zeros((len(images), DIM), np.float32)}

    def load(self, layout):
        self.engine = SlotEngine([self.slot] * 8, (layout.batch, *SIZE, 3), ["embedding"])
        close = self.engine.close

        def closed():
            self.closed = True
            close()

        self.engine.close = closed
        return self.engine


def recorded(*names):
    log = []
    recorders = [Recorder(name, log) for name in names]
    return recorders, [Contender(one.name, one.load) for one in recorders], log


# Layouts


def test_threads_work_on_one_batch_together_or_on_one_each():
    assert layouts([1, 8], [1, 4]) == [
        Layout(1, 1, 1), Layout(1, 1, 4), Layout(1, 4, 1), Layout(8, 1, 1), Layout(8, 1, 4), Layout(8, 4, 1)
    ]  # fmt: skip


# What is counted


def test_a_real_engine_is_timed_in_every_layout(tiny):
    found = measure([tiny], layouts([1, 4], [1, 2]), pictures(3), 0.03)
    assert [one.layout for one in found.timings] == layouts([1, 4], [1, 2])
    assert found.failures == ()
    for one in found.timings:
        assert one.contender == "tiny"
        assert 0 < one.p50_ms <= one.p90_ms <= one.p99_ms
        assert one.runs >= 3 * one.layout.streams
        assert one.throughput > 0


def test_throughput_counts_inputs_and_latency_batches():
    (one,) = measure(recorded("a")[1], [Layout(8)], pictures(3), 0.1).timings
    assert one.p50_ms >= 1  # what a batch takes at the least
    assert one.throughput <= 8 / 0.001


@pytest.mark.parametrize("streams", [1, 3])
def test_as_many_batches_are_under_way_as_there_are_streams(streams):
    (recorder,), contenders, _ = recorded("a")
    measure(contenders, [Layout(2, streams)], pictures(3), 0.1)
    assert recorder.most == streams


def test_batches_larger_than_the_pictures_repeat_them():
    _, contenders, log = recorded("a")
    measure(contenders, [Layout(16)], pictures(3), 0.01)
    assert {count for _, count in log} == {16}


def test_contenders_take_turns():
    _, contenders, log = recorded("a", "b")
    measure(contenders, [Layout(1)], pictures(1), 0.03)
    turns = [name for number, (name, _) in enumerate(log) if not number or log[number - 1][0] != name]
    assert turns == ["a", "b"] * 4  # warming up, then three rounds


# What fails


def test_one_that_fails_leaves_the_others_their_figures_and_nothing_open():
    log = []
    good, bad = Recorder("good", log), Recorder("bad", log, fails=True)
    found = measure([Contender(one.name, one.load) for one in (good, bad)], [Layout(4)], pictures(1), 0.01)
    assert [one.contender for one in found.timings] == ["good"]
    assert found.failures == ("bad, batch 4, 1 x 1: bad: out of memory",)
    assert good.closed
    assert bad.closed


def test_a_fault_is_not_hidden_and_nothing_stays_open():
    log = []
    good, bad = Recorder("good", log), Recorder("bad", log)

    def faulty(images):
        raise ZeroDivisionError

    bad.slot = faulty
    with pytest.raises(ZeroDivisionError):
        measure([Contender(one.name, one.load) for one in (good, bad)], [Layout(1)], pictures(1), 0.01)
    assert good.closed
    assert bad.closed


# What the machine can do


def test_the_machine_s_rate_is_measured_in_turn_with_the_contenders():
    _, contenders, log = recorded("a")
    rates = iter([3.0, 1.0, 2.0])

    def rate(layout):
        log.append(("rate", 0))
        return MatmulRate(next(rates), "fp32")

    found = measure(contenders, [Layout(1)], pictures(1), 0.03, rate=rate)
    turns = [name for number, (name, _) in enumerate(log) if not number or log[number - 1][0] != name]
    assert turns == ["a", "rate"] * 3
    assert found.rates == {Layout(1): MatmulRate(2.0, "fp32")}


def test_a_share_is_throughput_times_operations_of_the_machine_s_rate():
    layout = Layout(4, 1, 2)
    timing = Timing("a", layout, 0, 0, 9, 1, 1, 1, throughput=50.0)
    report = Report("a", ["a"], SIZE, 10**7, Benchmark((timing,), (), {layout: MatmulRate(2e9, "bf16")}))
    assert report.share(timing) == 50 * 10**7 / 2e9
    assert replace(report, flops=None).share(timing) is None
    assert report.as_dict()["timings"][0] == {
        "contender": "a", "batch": 4, "streams": 1, "threads": 2, "load_s": 0, "first_ms": 0, "runs": 9,
        "p50_ms": 1, "p90_ms": 1, "p99_ms": 1, "throughput": 50.0, "share": 0.25, "times": None,
    }  # fmt: skip


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_the_rate_of_matrix_products_is_measured_on_that_many_threads(precision):
    before = torch.get_num_threads()
    found = matmul_rate(precision, 1)
    assert found.flops > 1e8
    assert found.precision in {"fp32", "bf16"}
    assert torch.get_num_threads() == before
