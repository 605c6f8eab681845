"""Checkpoints from strangers: tensors come out of any usual wrapping, code never runs, misfits are named."""

import contextlib
import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from vidreid.errors import InputError
from vidreid.networks import average, qan, tclnet
from vidreid.networks.backbones import osnet, slim
from vidreid.networks.weights.checkpoint import load_into, read_checkpoint
from vidreid.networks.weights.safetensors import write_safetensors
from vidreid.training.recipe import read_recipe

STATE = {"conv1.weight": torch.randn(4, 3, 3, 3), "bn1.num_batches_tracked": torch.tensor(5)}


def saved(value, **options):
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


def read(folder, data, name="w.pt"):
    (folder / name).write_bytes(data)
    return read_checkpoint(folder / name)


def same(found, state):
    return found.keys() == state.keys() and all(torch.equal(found[name], state[name]) for name in state)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model", "network"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_state_dict_is_found_in_its_wrapping(tmp_path, wrapper, prefix, zipped):
    state = {prefix + name: value for name, value in STATE.items()}
    found = state if wrapper is None else {wrapper: state, "epoch": 3, "optimizer": {"lr": 0.1, "betas": (0.9, 0.999)}}
    assert same(read(tmp_path, saved(found, _use_new_zipfile_serialization=zipped)), STATE)


def test_numpy_s_figures_beside_the_weights_do_not_keep_them_from_being_read(tmp_path):
    # The released TCLNet program stores its rank-1 as a NumPy number, in PyTorch 1.0.1's form.
    figures = {"rank1": np.float32(0.89), "cmc": np.linspace(0, 1, 5), "epoch": 149}
    assert same(read(tmp_path, saved({"state_dict": STATE, **figures})), STATE)
    assert same(read(tmp_path, saved({"state_dict": STATE, **figures}, _use_new_zipfile_serialization=False)), STATE)
    old_names = saved({"state_dict": STATE, **figures}, _use_new_zipfile_serialization=False)
    assert same(read(tmp_path, old_names.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")), STATE)


def test_safetensors_are_known_by_their_suffix(tmp_path):
    write_safetensors(tmp_path / "w.safetensors", {f"module.{name}": value for name, value in STATE.items()})
    assert same(read_checkpoint(tmp_path / "w.safetensors"), STATE)


class Code:
    """A pickle of it writes the sentinel when it is opened."""

    def __init__(self, sentinel):
        self.sentinel = sentinel

    def __reduce__(self):
        return os.mkdir, (str(self.sentinel),)


def test_code_in_a_pickle_does_not_run(tmp_path):
    sentinel = tmp_path / "sentinel"
    trap = {"state_dict": STATE, "extra": Code(sentinel)}
    for data in (
        saved(trap),
        saved(trap, _use_new_zipfile_serialization=False),
        *(pickle.dumps(trap, protocol) for protocol in (2, 4, 5)),
    ):
        with pytest.raises(InputError, match=r"^w\.pt: .*was not opened") as refused:
            read(tmp_path, data)
        assert "torch.save" in refused.value.hint
        assert not sentinel.exists()
    pickle.loads(pickle.dumps(Code(sentinel)))
    assert sentinel.exists()  # the trap is one


def test_a_whole_pickled_module_is_refused(tmp_path):
    with pytest.raises(InputError, match="was not opened"):
        read(tmp_path, saved(nn.Linear(2, 2)))


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_checkpoint_is_named(tmp_path, share, zipped):
    whole = saved({"state_dict": STATE}, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"^w\.pt: .*truncated or damaged"):
        read(tmp_path, whole[: int(share * len(whole))])


@given(st.data())
def test_a_damaged_checkpoint_is_read_or_refused(tmp_path_factory, data):
    whole = bytearray(saved(STATE))
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InputError):
        found = read(tmp_path_factory.mktemp("damaged"), bytes(whole))
        assert all(isinstance(value, torch.Tensor) for value in found.values())


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\xff\xd8\xff\xe0" + bytes(100), b'{"a": 1}'])
def test_what_is_no_checkpoint_is_said_to_be_none(tmp_path, data):
    with pytest.raises(InputError, match=r"^w\.pt: not a checkpoint"):
        read(tmp_path, data)


@pytest.mark.parametrize("value", [{}, [1, 2], {"state_dict": {"a": "b"}}, {"epoch": 3}, torch.zeros(2)])
def test_a_file_without_a_state_dict_is_refused(tmp_path, value):
    with pytest.raises(InputError, match="no state dict"):
        read(tmp_path, saved(value))


def test_an_archive_that_unpacks_to_more_than_it_is_stays_packed(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))
    with pytest.raises(InputError, match="compressed"):
        read(tmp_path, file.getvalue())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_checkpoint(tmp_path / "none.pt")


class Classified(nn.Module):
    """A network with a classifier, as training programs have them."""

    def __init__(self, classes):
        super().__init__()
        self.body = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.classifier = nn.Linear(4, classes)


def refusal(network, state):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(InputError) as refused:
        load_into(network, state, "w.pt")
    assert refused.value.message.startswith("w.pt: ")
    assert "\n" not in refused.value.message
    assert refused.value.hint
    assert same(network.state_dict(), before)
    return refused.value.message


def test_the_hint_is_a_recipe_that_the_command_line_knows():
    with pytest.raises(InputError) as refused:
        load_into(small(average, slim), {"TSE_Module.a": torch.zeros(1)}, "w.pt")
    assert refused.value.message == "w.pt: weights of another network: the released TCLNet program"
    name = refused.value.hint.rpartition("--network ")[2]
    assert read_recipe(name).network.name == "tclnet-authors"


def test_weights_arrive():
    network, other = Classified(5), Classified(5)
    load_into(network, other.state_dict(), "w.pt")
    assert same(network.state_dict(), other.state_dict())


def test_half_precision_becomes_the_network_s():
    network, other = Classified(5), Classified(5)
    load_into(network, {name: value.half() for name, value in other.state_dict().items()}, "w.pt")
    assert network.body.weight.dtype == torch.float32
    assert torch.equal(network.body.weight, other.body.weight.half().float())


def test_another_number_of_classes_is_named():
    assert "a classifier of 625 classes, the network has one of 751" in refusal(
        Classified(751), Classified(625).state_dict()
    )


def test_a_classifier_is_left_out_where_the_network_has_none():
    network, other = Classified(5), Classified(7)
    del network.classifier
    load_into(network, other.state_dict(), "w.pt")
    assert torch.equal(network.body.weight, other.body.weight)


def test_a_classifier_that_the_network_wants_must_be_there():
    state = Classified(5).state_dict()
    del state["classifier.bias"]
    assert "1 tensors missing (first: classifier.bias)" in refusal(Classified(5), state)


def test_counters_of_batch_normalisation_may_be_missing():
    state = Classified(5).state_dict()
    del state["norm.num_batches_tracked"]
    load_into(Classified(5), state, "w.pt")


def test_convolutions_over_one_frame_are_flattened_and_over_more_refused():
    network, other = Classified(5), Classified(5)
    state = other.state_dict()
    load_into(network, state | {"body.weight": state["body.weight"].unsqueeze(2)}, "w.pt")
    assert torch.equal(network.body.weight, other.body.weight)
    inflated = state["body.weight"].unsqueeze(2).expand(-1, -1, 3, -1, -1)
    assert "body.weight (4, 3, 3, 3, 3)" in refusal(network, state | {"body.weight": inflated})


def small(module, backbone, **options):
    return module.build(backbone.build(backbone.Settings()), module.Settings(**options))


def test_weights_of_another_network_are_recognised():
    mean = small(average, slim)
    assert "another network: qan on slim" in refusal(mean, small(qan, slim).state_dict())
    assert "another network: average or afa on osnet" in refusal(mean, small(average, osnet).state_dict())
    assert "another network: tclnet on slim" in refusal(mean, small(tclnet, slim).state_dict())
    assert "another network: torchvision's ResNet" in refusal(mean, {"fc.weight": torch.zeros(1)})
    assert "another network: torchreid's OSNet" in refusal(mean, {"conv2.0.conv2a.conv.weight": torch.zeros(1)})
    assert "another network: the released TCLNet program" in refusal(mean, {"TSE_Module.a": torch.zeros(1)})


def test_weights_of_other_settings_are_told_by_what_is_missing_and_too_many():
    message = refusal(small(tclnet, slim, tsb=(1,)), small(tclnet, slim, tsb=(2,)).state_dict())
    assert "of other settings: " in message
    assert "missing (first: stages.0.1.norm.weight)" in message
    assert "too many (first: stages.1.2.norm.weight)" in message


def test_another_width_is_told_by_its_shapes():
    narrow = average.build(osnet.build(osnet.Settings(width=0.25)), average.Settings())
    wide = average.build(osnet.build(osnet.Settings(width=0.5)), average.Settings())
    assert "tensors of other shapes (first: necks.0.weight (256,), the network has (128,))" in refusal(
        narrow, wide.state_dict()
    )
