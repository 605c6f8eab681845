"""The released TCLNet program's network against its slow reference (`released`)."""

import re

import cv2
import numpy as np
import pytest
import torch
from goldens import golden, seeded, seeded_clips
from released import layout, normalised, random_state, reference_boosting, reference_pair, reference_tracklet
from torch import nn
from torch.nn import functional

from vidreid.embedding.pooling import normalize
from vidreid.errors import InputError
from vidreid.networks import average, tclnet_authors
from vidreid.networks.backbones import resnet50, slim
from vidreid.networks.tclnet_authors import (
    Boosting,
    ErasingLearners,
    ReleasedTCLNet,
    Settings,
    away_from,
    block_centres,
    embed_tracklet,
    load,
)
from vidreid.networks.weights.checkpoint import load_into
from vidreid.training.datasets import Dataset, Protocol, Tracklet
from vidreid.training.embeddings import from_network

CLASSES = 625


def people(length, seed=0):
    """Pictures of smooth random colours, uint8 (length, 256, 128, 3)."""
    coarse = torch.rand((length, 3, 16, 8), generator=torch.Generator().manual_seed(seed))
    pictures = functional.interpolate(coarse, size=(256, 128), mode="bilinear")
    return (pictures * 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


@pytest.fixture(scope="module")
def state():
    return random_state(layout(CLASSES))


@pytest.fixture(scope="module")
def checkpoint(state, tmp_path_factory):
    """A file as the released program's train.py writes it."""
    path = tmp_path_factory.mktemp("released") / "checkpoint_ep150.pth.tar"
    torch.save({"state_dict": state, "rank1": np.float32(0.898), "epoch": 149}, path)
    return path


@pytest.fixture(scope="module")
def released(checkpoint):
    return load(checkpoint)


def network():
    return tclnet_authors.build(resnet50.build(resnet50.Settings()), Settings())


@pytest.mark.slow
def test_a_tracklet_has_the_embedding_that_the_description_prescribes(released, state):
    frames = people(5)
    embedding = released.embed(frames)
    assert embedding.shape == (4096,)
    assert embedding.dtype == np.float32
    [expected] = reference_tracklet(state, normalised(frames), [5])
    # The released program itself is to be met within 1e-4.
    np.testing.assert_allclose(embedding, expected, atol=1e-5, rtol=0)


def test_tracklets_of_any_length(released, state):
    lengths = (1, 2, 3, 4, 5, 7, 9)
    pictures = seeded_clips((9, 3, 64, 32))
    for length, expected in zip(lengths, reference_tracklet(state, pictures, lengths), strict=True):
        with torch.no_grad():
            embedding = embed_tracklet(released.network, pictures[:length].split(4))
        np.testing.assert_allclose(embedding, expected, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_views_of_an_array_are_embedded_as_what_they_show(released):
    frames = people(2)
    turned = frames[::-1, :, :, ::-1]
    frames.flags.writeable = False
    np.testing.assert_array_equal(released.embed(turned), released.embed(turned.copy()))
    np.testing.assert_array_equal(released.embed(frames), released.embed(frames.copy()))


@pytest.mark.slow
def test_evaluation_embeds_as_the_api_does(checkpoint, released):
    frames = people(5)
    read = {str(number): cv2.imencode(".png", frame[:, :, ::-1])[1].tobytes() for number, frame in enumerate(frames)}
    source = from_network(checkpoint, "tclnet/authors")
    tracklets = [Tracklet(tuple(read), 1, 1)]
    found = source.vectors(Dataset("one", (), read.__getitem__), tracklets, Protocol(), print)
    # There the whole has length 1, here each half.
    np.testing.assert_allclose(normalize(found, source.branches)[0] * 2**0.5, released.embed(frames), atol=1e-6)


def test_a_long_tracklet_takes_the_memory_of_one_clip():
    class Seen(Exception):
        pass

    class First(nn.Module):
        def features(self, clips):
            raise Seen(clips.shape)

    day = np.broadcast_to(people(1), (2_000_000, 256, 128, 3))  # 180 GiB, had it memory of its own
    with pytest.raises(Seen, match=r"\[1, 4, 3, 256, 128\]"):
        ReleasedTCLNet(First()).embed(day)


def test_the_network_s_tensors_are_the_released_ones_without_the_classifiers():
    ours = {name: tuple(value.shape) for name, value in network().state_dict().items()}
    theirs = {
        name: tuple(size for axis, size in enumerate(shape) if not (len(shape) == 5 and axis == 2))
        for name, shape in layout(CLASSES).items()
        if not name.startswith("classifier.")
    }
    assert ours == theirs
    assert list(ours)[:6] == list(theirs)[:6]
    # The trained network without its classifiers and necks, as counted in the released program.
    counted = sum(value.numel() for name, value in network().named_parameters() if not name.startswith("bn."))
    assert counted == 31_383_104


def test_the_layout_is_the_listed_one(shared):
    listed = {}
    for line in (shared / "papers" / "state_dict_keys.txt").read_text().splitlines():
        name, shape, _ = line.split("\t")
        listed[name] = tuple(int(size) for size in re.findall(r"\d+", shape))
    assert layout(CLASSES) == listed
    assert len(listed) == 365


def test_boosting_of_two_four_and_seven_frames():
    for length in (2, 4, 7):
        boosting = seeded(Boosting(8, length)).eval()
        clips = seeded_clips((2, length, 8, 6, 4))
        with torch.no_grad():
            found = boosting(clips.flatten(0, 1)).unflatten(0, (2, length))
        for clip, boosted in zip(clips, found, strict=True):
            expected = reference_boosting(boosting.state_dict(), "W", list(clip))
            torch.testing.assert_close(boosted, torch.stack(expected), atol=2e-6, rtol=0)


def small_learners():
    stage = nn.Sequential(resnet50.Bottleneck(12, 32), *(resnet50.Bottleneck(32, 32) for _ in range(2)))
    return ErasingLearners(stage, 12, 32)


def test_erasing_learners_wherever_the_block_lies():
    learners = seeded(small_learners()).eval()
    state = {f"TSE_Module.{name}": value for name, value in learners.state_dict().items()}
    firsts, noise = seeded_clips((2, 40, 12, 16, 8))
    # Rows that differ, as those of a person do; with these, each of the 16 places comes up.
    seconds = noise + 3 * seeded_clips((40, 12, 16, 1), seed=10)
    with torch.no_grad():
        *found, rows = learners.learn(firsts, seconds)
        assert all(torch.equal(one, other) for one, other in zip(learners(firsts, seconds), found, strict=True))
    centres = set()
    for first, second, row, *learned in zip(firsts, seconds, rows, *found, strict=True):
        *expected, centre = reference_pair(state, first, second)
        torch.testing.assert_close(torch.stack(learned), torch.stack(expected), atol=1e-4, rtol=1e-4)
        assert row == centre - 1
        centres.add(centre)
    assert centres == set(range(16))


def kept(correlation):
    return away_from(block_centres(correlation), correlation)


@pytest.mark.parametrize("centre", range(16))
def test_a_block_covers_three_rows_and_two_at_the_map_s_edges(centre):
    correlation = torch.zeros(1, 16, 8)
    block = [row for row in (centre - 1, centre, centre + 1) if 0 <= row < 16]
    correlation[0, block] = 1
    # Of the three blocks that hold both rows of one at an edge, only that one has nothing else to gain.
    correlation[0, [row for row in (centre - 2, centre + 2) if 0 <= row < 16]] = -1
    covered = (kept(correlation)[0] == 0).all(1).nonzero().flatten().tolist()
    assert covered == block


def test_of_equal_blocks_the_first_is_erased_and_where_all_is_negative_one_at_the_edge():
    assert kept(torch.zeros(1, 16, 8))[0, :, 0].tolist() == [0, 0] + [1] * 14
    assert kept(torch.full((1, 16, 8), -1.0))[0, :, 0].tolist() == [0, 0] + [1] * 14
    assert kept(torch.full((1, 16, 8), 1.0))[0, :, 0].tolist() == [0, 0, 0] + [1] * 13


def test_a_new_network_changes_nothing_by_boosting_and_fills_nothing_in():
    maps = seeded_clips((4, 8, 6, 4))
    assert torch.equal(Boosting(8, 4).eval()(maps), maps)
    first, second = seeded_clips((2, 3, 12, 16, 8))
    learners = small_learners().eval()
    with torch.no_grad():
        found = learners.branch[0](learners.layer4(first))
        assert torch.equal(learners(first, second)[0], found)


def test_the_second_learner_teaches_the_correlation_and_never_the_first():
    learners = seeded(small_learners()).train()
    first, second = seeded_clips((2, 3, 12, 16, 8))
    learners(first, second)[1].sum().backward()
    assert learners.conv_reduce.weight.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in learners.branch[0].parameters())


def test_longer_clips_are_the_mean_of_their_fours():
    net = seeded(network()).eval()
    clips = seeded_clips((1, 8, 3, 64, 32))
    with torch.no_grad():
        whole = net.features(clips).vectors
        parts = [net.features(four).vectors for four in clips.split(4, 1)]
    for both, one, other in zip(whole, *parts, strict=True):
        mean = (one + other) / 2
        torch.testing.assert_close(both, mean, atol=1e-5 * mean.max().item(), rtol=0)


def test_training_sees_each_place_of_a_frame_by_itself():
    net = network().train()
    net.features(seeded_clips((2, 4, 3, 64, 32)))
    counters = net.state_dict()
    assert counters["TSE_Module.layer4.0.bn1.num_batches_tracked"] == 4
    assert counters["TSE_Module.conv_erase.1.num_batches_tracked"] == 4
    assert counters["TSE_Module.branch.0.bn1.num_batches_tracked"] == 2
    assert counters["layer3.0.bn1.num_batches_tracked"] == 1


def test_clips_that_are_not_of_four_are_refused():
    with pytest.raises(InputError, match="clips of 6 frames"):
        network().features(torch.zeros(1, 6, 3, 64, 32))


@pytest.mark.parametrize(
    "backbone",
    [
        slim.Slim(slim.Settings()),
        resnet50.ResNet50(resnet50.Settings(last_stride=2)),
        resnet50.ResNet50(resnet50.Settings(inflate=True)),
    ],
)
def test_another_backbone_is_refused(backbone):
    with pytest.raises(InputError, match="its backbone is resnet50 of last stride 1"):
        tclnet_authors.build(backbone, Settings())


@pytest.mark.parametrize(
    "frames",
    [np.zeros((0, 256, 128, 3), np.uint8), np.zeros((2, 128, 64, 3), np.uint8), np.zeros((1, 256, 128, 3), np.float32)],
)
def test_a_tracklet_of_another_form_is_refused(frames):
    with pytest.raises(InputError, match="tracklet"):
        ReleasedTCLNet(network()).embed(frames)


def test_weights_of_another_network_are_refused(tmp_path, state):
    torch.save(average.build(resnet50.build(resnet50.Settings()), average.Settings()).state_dict(), tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"^a\.pt: weights of another network: average or afa on resnet50"):
        load(tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"^b\.pt: weights of another network: the released TCLNet program"):
        load_into(average.build(slim.build(slim.Settings()), average.Settings()), state, "b.pt")


def test_golden():
    golden("tclnet-authors", network(), (1, 4, 3, 64, 32))
