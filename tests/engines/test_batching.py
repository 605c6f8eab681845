"""Single pictures of many threads, joined into an engine's batches."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.engines.batching import Batched
from vidreid.engines.slots import SlotEngine

SHAPE = (4, 2, 3, 3)  # batches of four pictures


def picture(number):
    return np.full((1, *SHAPE[1:]), number, np.uint8)


class Counting:
    """A slot that says of each picture its first number and its place in the batch; 255 makes the batch fail."""

    def __init__(self):
        self.batches = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, images):
        self.gate.wait(60)
        self.batches.append(images[:, 0, 0, 0].tolist())
        if 255 in self.batches[-1]:
            raise RuntimeError("a bad picture")
        return {"seen": images[:, 0, 0, :1].astype(np.float32), "place": np.arange(len(images))[:, None]}


@pytest.fixture
def counting():
    return Counting()


@pytest.fixture
def engine(counting):
    batched = Batched(SlotEngine([counting], SHAPE, ["seen", "place"]))
    yield batched
    counting.gate.set()
    batched.close()


def test_it_looks_like_an_engine_of_single_pictures(engine):
    assert dict(engine.inputs) == {"images": (1, *SHAPE[1:])}
    assert list(engine.outputs) == ["seen", "place"]
    found = engine.run({"images": picture(7)})
    assert found["seen"].tolist() == [[7]]
    assert found["place"].tolist() == [[0]]


def test_what_waits_goes_together_and_nobody_waits_for_company(engine, counting):
    counting.gate.clear()
    jobs = [engine.submit({"images": picture(number)}) for number in range(8)]
    counting.gate.set()
    assert [job.result(60)["seen"].item() for job in jobs] == list(range(8))
    assert all(len(batch) == SHAPE[0] for batch in counting.batches)
    assert len(counting.batches) < 8
    last = engine.submit({"images": picture(9)})
    assert last.result(60)["seen"].item() == 9
    assert counting.batches[-1] == [9] * 4  # filled up with itself


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 254), min_size=1, max_size=40), st.integers(1, 4))
def test_everybody_gets_their_own_answer(numbers, threads):
    engine = Batched(SlotEngine([Counting(), Counting()], SHAPE, ["seen", "place"]))
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda number: engine.run({"images": picture(number)})["seen"].item(), numbers))
    engine.close()
    assert found == numbers


def test_a_failed_batch_is_the_exception_of_all_in_it_and_the_engine_goes_on(engine):
    for _ in range(5):
        assert isinstance(engine.submit({"images": picture(255)}).exception(60), RuntimeError)
    assert engine.run({"images": picture(1)})["seen"].item() == 1


@pytest.mark.parametrize("wrong", [np.zeros((1, 2, 3, 3)), np.zeros((2, 2, 3, 3), np.uint8)], ids=["float", "two"])
def test_other_arrays_are_refused_before_they_wait(engine, wrong):
    with pytest.raises(ValueError, match="wanted"):
        engine.submit({"images": wrong})


def test_no_more_than_two_batches_wait(engine, counting):
    counting.gate.clear()
    sent = []

    def send():
        for number in range(40):
            sent.append(engine.submit({"images": picture(number)}))

    sender = threading.Thread(target=send)
    sender.start()
    sender.join(0.5)
    assert sender.is_alive()
    # Two batches with the engine, the one that is being joined, and two that wait.
    assert len(sent) <= 5 * SHAPE[0] + 1
    counting.gate.set()
    sender.join(60)
    assert [job.result(60)["seen"].item() for job in sent] == list(range(40))


def test_close_finishes_what_waits(counting):
    engine = Batched(SlotEngine([counting], SHAPE, ["seen", "place"]))
    jobs = [engine.submit({"images": picture(number)}) for number in range(6)]
    engine.close()
    assert [job.result(0)["seen"].item() for job in jobs] == list(range(6))
