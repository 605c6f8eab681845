"""Joins single pictures of many threads into batches of one fixed shape, as GPUs want them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import numpy as np

from vidreid.types import Array, Engine

UNDER_WAY = 2  # batches with the engine: one is computed while the next one is filled


class Batched:
    """An engine of batches as one of single pictures or clips.

    A batch takes what waits when its turn comes and is filled up with what it holds already, so that nobody waits for
    company; what becomes of a picture does not depend on its neighbours, because the shape is always the same.
    """

    def __init__(self, engine: Engine) -> None:
        (self._batch, *rest) = engine.inputs["images"]
        self.inputs: Mapping[str, tuple[int, ...]] = {"images": (1, *rest)}
        self.outputs: Sequence[str] = engine.outputs
        self._engine = engine
        self._waiting: queue.Queue[tuple[Array, Future[dict[str, Array]]] | None] = queue.Queue(2 * self._batch)
        self._places = threading.Semaphore(UNDER_WAY)
        self._thread = threading.Thread(target=self._join, name="batches", daemon=True)
        self._thread.start()

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """One picture, waited for."""
        return self.submit(arrays).result()

    def submit(self, arrays: Mapping[str, Array]) -> Future[dict[str, Array]]:
        """Put a picture into the next batch; blocks while two batches of them wait.

        Images of another type or shape are a ValueError; what fails later is the future's exception.
        """
        images = arrays["images"]
        if images.dtype != np.uint8 or images.shape != self.inputs["images"]:
            raise ValueError(f"uint8 {self.inputs['images']} wanted, {images.dtype} {images.shape} given")
        promise: Future[dict[str, Array]] = Future()
        self._waiting.put((images, promise))
        return promise

    def _join(self) -> None:
        """The thread's life: batches of what waits, as soon as the engine has a place."""
        while (first := self._waiting.get()) is not None:
            self._places.acquire()
            group, ends = [first], False
            while len(group) < self._batch and not self._waiting.empty():
                item = self._waiting.get()
                if item is None:
                    ends = True
                    break
                group.append(item)
            self._compute([images for images, _ in group], [promise for _, promise in group])
            if ends:
                return

    def _compute(self, images: list[Array], promises: list[Future[dict[str, Array]]]) -> None:
        filled = np.concatenate([*images, *[images[-1]] * (self._batch - len(images))])
        try:
            job = self._engine.submit({"images": filled})
        except Exception as error:
            self._places.release()
            for promise in promises:
                promise.set_exception(error)
            return
        job.add_done_callback(lambda job: self._hand_out(job, promises))

    def _hand_out(self, job: Future[dict[str, Array]], promises: list[Future[dict[str, Array]]]) -> None:
        self._places.release()
        error = job.exception()
        for place, promise in enumerate(promises):
            if error is not None:
                promise.set_exception(error)
            else:
                promise.set_result({name: array[place : place + 1] for name, array in job.result().items()})

    def close(self) -> None:
        """Finish what waits, then close the engine; nothing can be submitted afterwards."""
        self._waiting.put(None)
        self._thread.join()
        self._engine.close()
