"""An engine's card: read as it was written, or refused."""

import json

import pytest
from handmade_engines import engine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidreid.engines.card import CARD, read_card, write_card
from vidreid.errors import InputError

COMMAND = "vidreid engine build tiny --runtime onnxruntime"


@pytest.fixture
def folder(tmp_path):
    return engine(tmp_path)


def rewritten(folder, **changes):
    """The folder with another card, as a text editor would leave it."""
    values = json.loads((folder / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps({**values, **changes}), encoding="utf-8")
    return folder


def test_a_card_is_read_as_it_was_written(folder):
    card = read_card(folder)
    write_card(folder, card)
    assert read_card(folder) == card
    assert card.spec.input.size == (12, 8)
    assert card.spec.sizes == ((12, 8),)
    assert card.spec.identity == card.network.identity == "weights of 0"


def test_another_layout_of_the_same_json_is_the_same_card(folder):
    card = read_card(folder)
    assert read_card(rewritten(folder)) == card


@pytest.mark.parametrize(
    "change",
    [{"batch": [1, 2, 64]}, {"precision": "fp16"}, {"runtime_version": "9"}, {"seal": "0"}, {"seal": None}, {"new": 1}],
    ids=lambda change: next(iter(change)),
)
def test_a_card_that_was_edited_by_hand_is_refused_with_the_command_that_rebuilds(folder, change):
    with pytest.raises(InputError, match="changed by hand") as error:
        read_card(rewritten(folder, **change))
    assert error.value.hint == COMMAND


@pytest.mark.parametrize(
    "command",
    [
        "rm -r home",
        "vidreid engine build x; rm -r home",
        "vidreid engine build $(x)",
        "vidreid engine build x\nrm y",
        3,
    ],
)
def test_a_card_never_has_a_user_paste_another_command(folder, command):
    with pytest.raises(InputError) as error:
        read_card(rewritten(folder, command=command))
    assert error.value.hint == "build the engine again"


def test_a_sealed_card_with_another_command_is_refused_too(folder):
    write_card(folder, read_card(folder).model_copy(update={"command": "rm -r home"}))
    with pytest.raises(InputError, match="command"):
        read_card(folder)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=40))
def test_whatever_stands_in_its_place_is_one_line(folder, data):
    (folder / CARD).write_bytes(data)
    with pytest.raises(InputError, match=r"card\.json: ") as error:
        read_card(folder)
    assert "\n" not in error.value.message
    assert error.value.hint


def test_a_card_of_a_newer_program_says_so(folder):
    with pytest.raises(InputError, match="format 2 is of a newer vidreid"):
        read_card(rewritten(folder, format=2))


def test_a_folder_without_a_card_is_no_engine(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="no engine"):
            read_card(path)
