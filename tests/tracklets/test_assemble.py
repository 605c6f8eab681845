"""From tracks of segments to tracklets."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.tracklets.assemble import SegmentTracks, assemble, in_order, split
from vidreid.types import Segment

LENGTH, OVERLAP = 20, 6


def seconds(frames):
    return frames / 10


def segments(count):
    """Neighbours that read ``OVERLAP`` frames beyond their end; each owns half of them."""
    bounds = [0, *(LENGTH * i + OVERLAP // 2 for i in range(1, count)), LENGTH * count]
    return [
        Segment("c1", i, 0, LENGTH * i, min(LENGTH * (i + 1) + OVERLAP, LENGTH * count), *own)
        for i, own in enumerate(pairwise(bounds))
    ]


def tracked(segment, people, numbers):
    """The boxes of ``people`` {who: {frame: box}} that a segment reads, under its own ``numbers`` of them."""
    flat = [
        (frame, numbers[who], *box, 0.5)
        for who, boxes in people.items()
        for frame, box in boxes.items()
        if segment.first <= frame < segment.stop
    ]
    table = np.array(sorted(flat), float).reshape(-1, 7)
    return SegmentTracks(
        segment,
        table[:, 0].astype(np.int64),
        table[:, 1].astype(np.int64),
        table[:, 2:6].astype(np.float32),
        table[:, 6].astype(np.float32),
    )


@st.composite
def scenes(draw):
    """People in lanes of their own, each seen from one frame to another but for some."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 4))
    people = {}
    for who in range(draw(st.integers(0, 5))):
        first, last = sorted(rng.integers(0, LENGTH * count, 2).tolist())
        x, speed = rng.uniform(0, 100), rng.uniform(-2, 2)
        people[who] = {
            frame: (x + speed * frame, 100 * who, x + speed * frame + 20, 100 * who + 60)
            for frame in range(first, last + 1)
            if rng.random() < draw(st.sampled_from([1.0, 0.7]))
        }
    numbers = [dict(enumerate(rng.permutation(50)[:5].tolist())) for _ in range(count)]
    return people, [tracked(s, people, n) for s, n in zip(segments(count), numbers, strict=True)]


def rows(ways):
    """(frame, box) of ways or of what segments own, with how often each is there."""
    return Counter(
        (frame, *box) for way in ways for frame, box in zip(way.frames.tolist(), way.boxes.tolist(), strict=True)
    )


@settings(deadline=None)
@given(scenes(), st.sampled_from([0.0, 0.5, 2.0]))
def test_every_owned_box_is_in_exactly_one_tracklet(scene, join_seconds):
    _, parts = scene
    owned = Counter(
        (frame, *box)
        for part in parts
        for frame, box in zip(part.frames.tolist(), part.boxes.tolist(), strict=True)
        if part.segment.own_first <= frame < part.segment.own_stop
    )
    ways = assemble(parts, seconds, join_seconds=join_seconds)
    assert rows(ways) == owned
    assert ways == sorted(ways, key=in_order)
    for way in ways:
        assert (np.diff(way.frames) > 0).all()
        assert len(way.frames) == len(way.boxes) == len(way.scores) > 0


@settings(deadline=None)
@given(scenes())
def test_pieces_say_where_each_box_came_from(scene):
    _, parts = scene
    for way in assemble(parts, seconds, join_seconds=2.0):
        frames = []
        for piece in way.pieces:
            part = parts[piece.segment]
            mine = part.frames[
                (part.tracks == piece.track) & (part.frames >= piece.first) & (part.frames <= piece.last)
            ]
            assert (mine[0], mine[-1]) == (piece.first, piece.last)
            assert part.segment.own_first <= piece.first <= piece.last < part.segment.own_stop
            frames += mine.tolist()
        assert frames == way.frames.tolist()


@settings(deadline=None)
@given(scenes())
def test_whoever_is_seen_all_the_time_is_one_tracklet(scene):
    people, parts = scene
    whole = [boxes for boxes in people.values() if boxes and max(boxes) - min(boxes) + 1 == len(boxes)]
    found = {tuple(way.frames.tolist()) for way in assemble(parts, seconds, join_seconds=2.0)}
    assert {tuple(sorted(boxes)) for boxes in whole} <= found


STANDING = {0: dict.fromkeys(range(60), (0, 0, 20, 60))}


def test_a_missing_segment_breaks_the_way():
    first, _, last = [tracked(segment, STANDING, {0: 1}) for segment in segments(3)]
    assert [way.pieces[0].segment for way in assemble([first, last], seconds, join_seconds=0)] == [0, 2]


def test_a_short_gap_is_joined_where_that_is_wanted():
    people = {0: {frame: box for frame, box in STANDING[0].items() if not 8 <= frame < 15}}
    (whole,) = segments(1)
    part = tracked(whole, people, {0: 1})
    renamed = SegmentTracks(whole, part.frames, np.where(part.frames < 10, 1, 2), part.boxes, part.scores)
    assert len(assemble([renamed], seconds, join_seconds=0)) == 2
    assert len(assemble([renamed], seconds, join_seconds=0.5)) == 2
    assert len(assemble([renamed], seconds, join_seconds=2)) == 1


def test_nobody_no_tracklets():
    assert assemble([], seconds, join_seconds=2) == []
    assert assemble([tracked(segments(1)[0], {}, {})], seconds, join_seconds=2) == []


@settings(deadline=None)
@given(scenes(), st.randoms(use_true_random=False))
def test_the_parts_of_a_split_way_are_the_way(scene, random):
    _, parts = scene
    for way in assemble(parts, seconds, join_seconds=2.0):
        frames = way.frames.tolist()
        starts = sorted(random.sample(frames[1:], min(3, len(frames) - 1)))
        pieces = split(way, starts)
        assert [int(part.frames[0]) for part in pieces] == [frames[0], *starts]
        np.testing.assert_array_equal(np.concatenate([part.frames for part in pieces]), way.frames)
        np.testing.assert_array_equal(np.concatenate([part.boxes for part in pieces]), way.boxes)
        for part in pieces:
            for piece in part.pieces:
                assert {piece.first, piece.last} <= set(part.frames.tolist())
            assert sum(((part.frames >= p.first) & (part.frames <= p.last)).sum() for p in part.pieces) == len(
                part.frames
            )


@pytest.mark.parametrize("start", [17, 20, 23])
def test_a_split_within_a_gap_leaves_no_empty_part(start):
    people = {0: dict.fromkeys([*range(15), *range(25, 40)], (0, 0, 20, 60))}
    parts = [tracked(segment, people, {0: 1}) for segment in segments(2)]
    (way,) = assemble(parts, seconds, join_seconds=2.0)
    assert [part.frames.tolist() for part in split(way, [start])] == [list(range(15)), list(range(25, 40))]
    assert [part.frames.tolist() for part in split(way, [start, start + 1])] == [list(range(15)), list(range(25, 40))]
