"""The quality target for tracks of one camera, before any re-identification, on real footage."""

import pytest
from benchmarks.trackers import detect, follow, joined, raw, score


@pytest.mark.shared
@pytest.mark.slow
def test_the_default_tracker_reaches_the_target_on_pets(shared):
    footage = detect(shared, "pets_s2l1", "vtest")
    tracks, _ = follow("bytetrack", footage)
    alone = score(shared, "pets_s2l1", "vtest", raw(tracks))
    reached = score(shared, "pets_s2l1", "vtest", joined(tracks, footage.times))
    assert reached.mota >= 0.81
    assert reached.idf1 >= 0.80
    assert reached.idf1 > alone.idf1
    assert reached.mota > alone.mota
