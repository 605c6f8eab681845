"""A fingerprint is of what is said, not of how it is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.store.parts import fingerprint

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)
INPUTS = st.dictionaries(st.text(), VALUES, max_size=5)


@given(INPUTS)
def test_it_does_not_depend_on_the_order_of_keys(inputs: dict[str, object]) -> None:
    assert fingerprint(dict(reversed(inputs.items()))) == fingerprint(inputs)


@given(INPUTS)
def test_it_survives_the_header_of_a_part(inputs: dict[str, object]) -> None:
    assert fingerprint(json.loads(json.dumps(inputs))) == fingerprint(inputs)


@given(INPUTS, INPUTS)
def test_it_differs_where_the_inputs_do(first: dict[str, object], second: dict[str, object]) -> None:
    same = json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
    assert (fingerprint(first) == fingerprint(second)) == same


@pytest.mark.parametrize(
    "other", [{"score": 0.2}, {"score": "0.1"}, {"Score": 0.1}, {"score": [0.1]}, {"score": 0.1, "tile": None}, {}]
)
def test_it_tells_values_types_and_keys_apart(other: dict[str, object]) -> None:
    assert fingerprint(other) != fingerprint({"score": 0.1})


def test_it_is_the_same_on_every_machine_and_in_every_version() -> None:
    """If this changes, every part ever made is stale."""
    inputs = {"stage": "track", "segment": [0, 100], "ü": 0.1, "none": None}
    assert fingerprint(inputs) == "4f08892c51f9604d0ab26e754a71bc8b"
