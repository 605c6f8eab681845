"""Batches: P people, K clips each, T frames a clip, whatever the tracklets are like."""

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidreid.training.recipe import Data
from vidreid.training.sampler import Sample, Sampler, draw_frames

SAMPLING = st.sampled_from(["chunks", "stride", "random"])


@st.composite
def tracklets(draw) -> list[Sample]:
    """One to four tracklets of one to nine pictures for each of some people; no picture is in two of them."""
    samples, first = [], 0
    for person in range(draw(st.integers(1, 7))):
        for camera in draw(st.lists(st.integers(1, 3), min_size=1, max_size=4)):
            length = draw(st.integers(1, 9))
            samples.append(Sample(np.arange(first, first + length), person, camera))
            first += length
    return samples


def of_picture(samples: list[Sample]) -> dict[int, int]:
    """Which tracklet each picture is of."""
    return {int(number): place for place, sample in enumerate(samples) for number in sample.pictures}


@given(
    samples=tracklets(), people=st.integers(1, 4), clips=st.integers(1, 3), frames=st.integers(1, 5), sampling=SAMPLING
)
def test_a_batch_is_p_people_by_k_clips_by_t_frames_in_order_of_time(samples, people, clips, frames, sampling) -> None:
    data = Data(people=people, clips=clips, frames=frames, sampling=sampling, stride=2)
    batch = Sampler(samples, [], data, seed=0).batch(3)
    assert batch.pictures.shape == (people * clips, frames)
    assert batch.labels.tolist() == np.repeat(batch.labels[::clips].tolist(), clips).tolist()
    tracklet_of = of_picture(samples)
    for row, label in zip(batch.pictures.tolist(), batch.labels.tolist(), strict=True):
        (tracklet,) = {tracklet_of[number] for number in row}
        assert samples[tracklet].person == label
        length = len(samples[tracklet].pictures)
        if length >= frames:
            assert row == sorted(set(row))
        else:
            assert row == [int(samples[tracklet].pictures[place % length]) for place in range(frames)]


@given(samples=tracklets(), people=st.integers(1, 4), ranks=st.integers(1, 2), epoch=st.integers(0, 3))
def test_every_person_comes_once_an_epoch(samples, people, ranks, epoch) -> None:
    data = Data(people=people, clips=1, frames=1)
    samplers = [Sampler(samples, [], data, seed=5, rank=rank, ranks=ranks) for rank in range(ranks)]
    length = samplers[0].epoch
    steps = range(epoch * length, (epoch + 1) * length)
    drawn = [label for step in steps for sampler in samplers for label in sampler.batch(step).labels.tolist()]
    everybody = {sample.person for sample in samples}
    if len(everybody) >= people * ranks:
        assert max(Counter(drawn).values()) == 1
        assert len(everybody) - len(drawn) < people * ranks
    else:
        assert set(drawn) == everybody


@given(cameras=st.lists(st.integers(1, 4), min_size=1, max_size=6), clips=st.integers(1, 5), seed=st.integers(0, 99))
def test_other_cameras_come_before_other_tracklets_of_the_same(cameras, clips, seed) -> None:
    samples = [Sample(np.array([number]), 0, camera) for number, camera in enumerate(cameras)]
    batch = Sampler(samples, [], Data(people=1, clips=clips, frames=1), seed=seed).batch(0)
    drawn = [cameras[number] for number in batch.pictures[:, 0].tolist()]
    assert len(set(drawn)) == min(clips, len(set(cameras)))
    assert len(set(batch.pictures[:, 0].tolist())) == min(clips, len(cameras))


def test_a_person_of_one_tracklet_is_drawn_from_it_each_time() -> None:
    batch = Sampler([Sample(np.arange(8), 0, 1)], [], Data(people=1, clips=3, frames=2), seed=0).batch(0)
    assert batch.labels.tolist() == [0, 0, 0]
    assert len({tuple(row) for row in batch.pictures.tolist()}) > 1


@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5), sampling=SAMPLING)
def test_strangers_follow_the_people_in_clips_of_one_tracklet_and_have_no_labels(lengths, sampling) -> None:
    data = Data(people=2, clips=2, frames=3, strangers=4, sampling=sampling)
    samples = [Sample(np.arange(4), person, 1) for person in range(2)]
    strangers = [np.arange(100 * n, 100 * n + length) for n, length in enumerate(lengths, 1)]
    batch = Sampler(samples, strangers, data, seed=0).batch(0)
    assert batch.pictures.shape == (8, 3)
    assert len(batch.labels) == 4
    assert (batch.pictures[:4] < 100).all()
    for clip in batch.pictures[4:].tolist():
        (tracklet,) = {number // 100 for number in clip}
        length = lengths[tracklet - 1]
        if length < 3:
            assert [number % 100 for number in clip] == [place % length for place in range(3)]
        else:
            assert clip == sorted(set(clip))


def test_a_steps_batch_is_the_same_whenever_it_is_asked_for_and_no_other_steps() -> None:
    samples = [Sample(np.arange(9 * n, 9 * n + 9), n, 1) for n in range(6)]
    data = Data(people=2, clips=2, frames=4, strangers=3)
    strangers = [np.arange(90 + 9 * n, 99 + 9 * n) for n in range(6)]
    sampler = Sampler(samples, strangers, data, seed=1)
    asked = [sampler.batch(step).pictures.tolist() for step in (4, 5, 4)]
    assert asked[0] == asked[2] != asked[1]
    assert Sampler(samples, strangers, data, seed=2).batch(4).pictures.tolist() != asked[0]


@given(length=st.integers(1, 60), frames=st.integers(1, 8), seed=st.integers(0, 99))
def test_chunks_give_one_frame_of_each_equal_part(length, frames, seed) -> None:
    drawn = draw_frames(length, Data(frames=frames, sampling="chunks"), np.random.default_rng(seed))
    if length >= frames:
        edges = [place * length // frames for place in range(frames + 1)]
        assert all(low <= place < high for place, low, high in zip(drawn, edges, edges[1:], strict=False))


@given(length=st.integers(1, 60), frames=st.integers(1, 6), stride=st.integers(1, 8), seed=st.integers(0, 99))
def test_stride_gives_frames_that_far_apart_where_the_tracklet_is_long_enough(length, frames, stride, seed) -> None:
    data = replace(Data(), frames=frames, sampling="stride", stride=stride)
    drawn = draw_frames(length, data, np.random.default_rng(seed))
    assert drawn.max() < length
    if length >= stride * frames:
        assert set(np.diff(drawn)) <= {stride}
    elif length >= frames:
        assert len(set(drawn)) == frames
