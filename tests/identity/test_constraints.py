"""Who cannot be one person, whatever they look like."""

from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.identity.constraints import Presence, cannot_link

PRESENCES = st.builds(
    lambda camera, first, length: Presence(camera, first, first + length),
    st.sampled_from(["c1", "c2", "c3"]),
    st.integers(0, 20),
    st.integers(0, 8),
)


@settings(deadline=None)
@given(st.lists(PRESENCES, max_size=25))
def test_two_in_one_camera_at_one_time_are_two_people(presences):
    wanted = [
        [
            j
            for j, other in enumerate(presences)
            if j != i and other.camera == one.camera and other.first <= one.last and one.first <= other.last
        ]
        for i, one in enumerate(presences)
    ]
    assert [others.tolist() for others in cannot_link(presences)] == wanted


def test_the_last_frame_counts():
    assert [others.tolist() for others in cannot_link([Presence("c", 0, 5), Presence("c", 5, 9)])] == [[1], [0]]
    assert [others.tolist() for others in cannot_link([Presence("c", 0, 5), Presence("c", 6, 9)])] == [[], []]
