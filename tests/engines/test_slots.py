"""How an engine shares a fixed number of slots among those who submit."""

import threading

import numpy as np
import pytest

from vidreid.engines.slots import SlotEngine

SHAPE = (1, 2, 2, 3)
IMAGE = {"images": np.zeros(SHAPE, np.uint8)}


class Gate:
    """A slot that computes only when it is let."""

    def __init__(self):
        self.open = threading.Event()

    def __call__(self, images):
        self.open.wait()
        return {"y": images.copy()}


def test_submit_returns_at_once_while_a_slot_is_free():
    gates = Gate(), Gate()
    engine = SlotEngine(gates, SHAPE, ["y"])
    jobs = [engine.submit(IMAGE), engine.submit(IMAGE)]
    assert not any(job.done() for job in jobs)
    for gate in gates:
        gate.open.set()
    assert [job.result()["y"].shape for job in jobs] == [SHAPE, SHAPE]
    engine.close()


def test_submit_waits_while_every_slot_is_busy():
    finished = []

    def slot(images):
        finished.append(1)
        return {"y": images}

    engine = SlotEngine([slot, slot], SHAPE, ["y"])
    for submitted in range(1, 50):
        engine.submit(IMAGE)
        assert submitted - len(finished) <= 2
    engine.close()
    assert len(finished) == 49


def test_a_slot_that_failed_is_free_again():
    answers = iter([ValueError("no"), {"y": np.ones(1)}])

    def slot(images):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    engine = SlotEngine([slot], SHAPE, ["y"])
    with pytest.raises(ValueError, match="no"):
        engine.run(IMAGE)
    assert engine.run(IMAGE) == {"y": np.ones(1)}
    engine.close()


def test_nothing_is_computed_after_close():
    engine = SlotEngine([lambda images: {"y": images}], SHAPE, ["y"])
    engine.close()
    with pytest.raises(RuntimeError):
        engine.submit(IMAGE)
