import pytest

from vidreid.world.people import cast


def test_no_two_people_wear_the_same_colours():
    people = cast(seed=0, count=96)

    assert len({(who.top_colour, who.bottom_colour) for who in people}) == 96


def test_each_person_has_a_description_of_their_own():
    people = cast(seed=1, count=40)

    assert len({who.description for who in people}) == 40


@pytest.mark.parametrize("seed", [0, 1])
def test_the_seed_alone_decides_who_comes(seed):
    assert cast(seed, 8) == cast(seed, 8)
    assert cast(seed, 8) != cast(seed + 1, 8)
    assert cast(seed, 4) == cast(seed, 8)[:4]
