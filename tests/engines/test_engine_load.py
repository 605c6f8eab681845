"""Opening engines: card, files and machine are compared before anything is loaded."""

import pytest
from built_engines import Plain, build, source
from handmade_engines import EMBEDDING, INPUT, answers, engine, pictures

from vidreid.engines.card import CARD, GOLDEN, WeightsCard, read_card, write_card
from vidreid.engines.load import load_engine, open_engine, refuse_random
from vidreid.errors import InputError, MissingError

COMMAND = "vidreid engine build tiny --runtime onnxruntime"


@pytest.fixture
def runtime():
    from handmade_engines import onnxruntime

    return Plain(release=onnxruntime.__version__)


@pytest.fixture
def folder(tmp_path):
    return engine(tmp_path / "engines")


def stated(folder, **changes):
    """The folder with another card, sealed: what a forger or another program wrote."""
    write_card(folder, read_card(folder).model_copy(update=changes))
    return folder


def test_a_whole_engine_is_opened_and_computes_what_it_was_built_to(folder, runtime, tmp_path):
    model = open_engine(folder, runtime)
    assert (model.spec.name, model.path, model.precision, model.warning) == ("tiny", folder / "model.onnx", "fp32", "")
    loaded = load_engine(model, runtime, streams=1, batch=4)
    found = loaded.run({INPUT: pictures(4)})[EMBEDDING]
    loaded.close()
    assert (found == answers(source(tmp_path).onnx, pictures(4))).all()


@pytest.mark.parametrize("name", ["model.onnx", GOLDEN])
def test_a_truncated_file_is_named_with_the_command_that_rebuilds(folder, runtime, name):
    (folder / name).write_bytes((folder / name).read_bytes()[:-1])
    with pytest.raises(InputError, match=f"{name} is damaged") as error:
        open_engine(folder, runtime)
    assert error.value.hint == COMMAND


def test_a_missing_file_is_named_with_the_command_that_rebuilds(folder, runtime):
    (folder / "model.onnx").unlink()
    with pytest.raises(InputError, match=r"model\.onnx is missing") as error:
        open_engine(folder, runtime)
    assert error.value.hint == COMMAND


def test_a_card_edited_by_hand_is_refused(folder, runtime):
    text = (folder / CARD).read_text()
    (folder / CARD).write_text(text.replace('"fp32"', '"int8"'))
    with pytest.raises(InputError, match="changed by hand"):
        open_engine(folder, runtime)


def test_an_engine_of_another_runtime_version_is_refused_with_the_command_that_rebuilds(folder):
    with pytest.raises(MissingError, match="tiny-fp32-onnxruntime-1a2b: built by ") as error:
        open_engine(folder, Plain(release="0.1"))
    assert error.value.hint == COMMAND


def test_where_its_runtime_is_missing_the_command_builds_for_another(folder, runtime):
    runtime.reason = "no GPU"
    runtime.available = lambda: runtime.reason
    with pytest.raises(MissingError, match="tiny-fp32-onnxruntime-1a2b: no GPU") as error:
        open_engine(folder, runtime)
    assert error.value.hint == "vidreid engine build tiny"


@pytest.mark.parametrize("name", ["../model.onnx", "/model.onnx", "a/../../b", "..\\model.onnx"])
def test_a_card_cannot_name_files_outside_of_its_folder(folder, runtime, name):
    with pytest.raises(InputError, match="names a file outside of it"):
        open_engine(stated(folder, files={name: "0"}), runtime)


@pytest.mark.parametrize("batch", [5, 0])
def test_a_batch_outside_of_the_profile_is_refused(folder, runtime, batch):
    with pytest.raises(InputError, match=f"a batch of {batch}, where it takes 1 to 4") as error:
        load_engine(open_engine(folder, runtime), runtime, streams=1, batch=batch)
    assert "--batch" in error.value.hint


def test_an_engine_with_other_tensors_than_its_card_says_is_refused(folder, runtime):
    tensors = [tensor.model_copy(update={"name": tensor.name + "s"}) for tensor in read_card(folder).tensors]
    with pytest.raises(InputError, match="gives embedding, its card says embeddings"):
        load_engine(open_engine(stated(folder, tensors=tensors), runtime), runtime, streams=1)


def test_random_weights_are_for_measuring_and_nothing_else(folder, runtime):
    refuse_random(read_card(folder))
    random = stated(folder, weights=WeightsCard(kind="random", sha256="0"))
    with pytest.raises(InputError, match="weights are random") as error:
        refuse_random(open_engine(random, runtime).card)
    assert error.value.hint == "vidreid engine build tiny --weights FILE"


def test_what_may_be_worse_here_is_a_warning(folder, runtime):
    runtime.warns = lambda card: "another GPU"
    assert open_engine(folder, runtime).warning == "another GPU"


def test_what_build_wrote_is_what_load_takes(tmp_path):
    model = open_engine(build(tmp_path), Plain())
    assert model.card.measured is not None
    assert model.path.is_file()
