"""An engine's card: read as it was written, or refused."""

import json

import pytest
from handmade_engines import SIZE, engine
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


def test_it_says_what_an_embedders_tensors_mean(folder):
    images, embedding = read_card(folder).tensors
    assert images.meaning == "row, column, RGB from 0 to 255: the person's box, stretched to 12x8"
    assert embedding.meaning == "vector, compared by cosine"


def test_it_says_what_the_tensors_of_a_network_of_clips_mean(tmp_path):
    spec = {"name": "tiny", "kind": "embedder", "family": "reid", "identity": "0", "input": {"size": SIZE}}
    rows = {"name": "rows", "role": "output", "dtype": "int64", "shape": [-1, 2, 1]}
    tensors = [one.model_dump(exclude={"meaning"}) for one in read_card(engine(tmp_path / "a")).tensors]
    clips = engine(tmp_path / "b", network={**spec, "frames": 4, "branches": 2}, tensors=[*tensors, rows])
    images, embedding, rows = (one.meaning for one in read_card(clips).tensors)
    assert images.startswith("4 pictures of one person in order of time, each row, column, RGB")
    assert embedding == "vector in 2 equal parts, each to be normalised by itself, compared by cosine"
    assert rows == "segment, later learner: first row of the block that it erased"


@pytest.mark.parametrize(
    ("shape", "meaning"),
    [
        ([-1, 300, 6], "a row a box: x1, y1, x2, y2 in pixels of the input, score from 0 to 1, class (0: person)"),
        (
            [-1, 84, -1],
            "a column a box: centre x, y, width, height in pixels of the input, scores by class (0: person)",
        ),
    ],
)
def test_it_says_what_a_detectors_tensors_mean(tmp_path, shape, meaning):
    spec = {"name": "tiny", "kind": "detector", "family": "yolo", "identity": "0", "input": {"size": [48, 64]}}
    images = {"name": "images", "role": "input", "dtype": "uint8", "shape": [-1, -1, -1, 3]}
    boxes = {"name": "boxes", "role": "output", "dtype": "float32", "shape": shape}
    sizes = [(48, 64), (36, 64)]
    found = read_card(engine(tmp_path, network=spec, sizes=sizes, tensors=[images, boxes])).tensors
    wanted = "row, column, RGB from 0 to 255: frames fitted into 48x64 or 36x64 undistorted, centred on grey (114)"
    assert [one.meaning for one in found] == [wanted, meaning]


def test_what_a_runtime_says_of_a_tensor_stays(tmp_path):
    images = {"name": "images", "role": "input", "dtype": "uint8", "shape": [-1, 12, 8, 3], "meaning": "beads"}
    assert read_card(engine(tmp_path, tensors=[images])).tensors[0].meaning == "beads"


@pytest.mark.parametrize(
    ("command", "instead"),
    [
        ("vidreid engine build tiny --runtime tensorrt --precision fp16 --portable", "vidreid engine build tiny"),
        (
            "vidreid engine build tiny --runtime openvino --weights 'my own.pt' --calibrate-on 'my run' --batch 1:1:1",
            "vidreid engine build tiny --weights 'my own.pt' --batch 1:1:1",
        ),
        ("", "build the engine again"),
    ],
)
def test_it_says_how_to_build_the_network_where_its_runtime_is_not(tmp_path, command, instead):
    assert read_card(engine(tmp_path, command=command)).instead == instead


def test_a_card_of_a_newer_program_says_so(folder):
    with pytest.raises(InputError, match="format 2 is of a newer vidreid"):
        read_card(rewritten(folder, format=2))


def test_a_folder_without_a_card_is_no_engine(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="no engine"):
            read_card(path)
