"""ultralytics' architectures, seen as what is learnt: every place's score and box."""

import hashlib
import shutil

import pytest
import torch

from vidreid.errors import InputError, MissingError
from vidreid.networks.weights.ultralytics import TAPS, Finished, boxes_of, look
from vidreid.training.detector.network import begin, build_detector, open_teacher
from vidreid.training.detector.recipe import DetectorRecipe
from vidreid.training.trained import write_weights


@pytest.fixture
def picture():
    torch.manual_seed(5)
    return torch.rand(2, 3, 64, 96)


def test_every_cell_of_three_grids_is_a_place(detector, picture):
    seen = look(detector().eval(), picture)
    wanted = [
        ((column + 0.5) * stride, (row + 0.5) * stride, stride)
        for stride in (8, 16, 32)
        for row in range(64 // stride)
        for column in range(96 // stride)
    ]
    torch.testing.assert_close(torch.cat([seen.centres, seen.strides[:, None]], 1), torch.tensor(wanted))
    assert seen.logits.shape == (2, len(wanted))
    assert seen.boxes.shape == (2, len(wanted), 4)


def test_scores_and_boxes_are_what_ultralytics_says_of_the_same_network(detector, picture):
    network = detector().eval()
    with torch.inference_mode():
        theirs, ours = network(picture), Finished(network, boxes_of((64, 96)))(picture)
    theirs = theirs[0] if isinstance(theirs, tuple) else theirs
    for mine, other in zip(ours, theirs[:, : ours.shape[1]], strict=True):
        torch.testing.assert_close(mine[:, 4].sort().values, other[:, 4].sort().values)
        best = other[:, 4] > other[:, 4].median()
        for box in other[best]:
            assert (mine - box).abs().sum(1).min() < 1e-2


def test_features_are_those_of_the_backbone_and_the_neck_at_three_strides(detector, picture):
    shapes = [tuple(map_.shape[2:]) for map_ in look(detector().eval(), picture).features]
    assert shapes == [(8, 12), (4, 6), (2, 3)] * 2
    assert len(shapes) == len(TAPS)


def test_a_batch_says_of_each_picture_what_it_would_say_alone(detector, picture):
    network = detector().eval()
    both, alone = look(network, picture), look(network, picture[1:])
    torch.testing.assert_close(both.boxes[1:], alone.boxes, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(both.logits[1:], alone.logits, rtol=1e-4, atol=1e-4)


def test_both_halves_are_learnt(detector, picture):
    """Gradients reach the first convolution: the head without suppression is not cut off, as ultralytics does."""
    network = detector().train()
    seen = look(network, picture)
    (seen.logits.sum() + seen.boxes.sum()).backward()
    assert all(value.grad is not None for value in network.parameters() if value.requires_grad)
    assert next(network.parameters()).grad.abs().sum() > 0


def test_detached_it_leads_no_more_to_its_weights(detector, picture):
    seen = look(detector().train(), picture)
    values = [seen.logits, seen.boxes, *seen.features]
    assert all(value.requires_grad for value in values)
    left = seen.detach()
    assert not any(value.requires_grad for value in (left.logits, left.boxes, *left.features))
    assert all(map(torch.equal, values, (left.logits, left.boxes, *left.features)))


def test_a_seed_repeats_the_weights_and_another_does_not():
    first, again, other = (begin("yolo26n", "", seed, print) for seed in (0, 0, 1))
    name = "model.0.conv.weight"
    assert torch.equal(first.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


def test_it_can_begin_with_weights_of_its_own_kind(detector, tmp_path):
    told = []
    write_weights(tmp_path / "before.safetensors", detector(3), DetectorRecipe())
    network = begin("yolo26n", str(tmp_path / "before.safetensors"), 0, told.append)
    for name, value in detector(3).state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value, rtol=1e-3, atol=1e-3)
    assert told == ["begins with before.safetensors"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("yolo99n", "no architecture 'yolo99n'"),
        ("yolo11n", "no architecture 'yolo11n'"),  # its layers are others
        ("yolo12s", "no architecture 'yolo12s'"),
        ("resnet50", "no architecture 'resnet50'"),
        ("../yolo26n", "no architecture"),
        ("https://example.com/yolo26n", "no architecture"),
        ("ul://user/yolo26n", "no architecture"),
    ],
)
def test_only_architectures_that_ultralytics_carries_are_built(name, said):
    """No path is read and nothing is fetched, whatever a recipe or a file of weights says."""
    with pytest.raises(InputError, match=said):
        build_detector(name)


# Teachers


def test_a_teacher_is_opened_to_look_and_not_to_learn(teacher_file, detector, picture):
    teacher, identity = open_teacher(str(teacher_file), "cpu")
    assert identity == hashlib.sha256(teacher_file.read_bytes()).hexdigest()
    assert not teacher.training
    assert not any(value.requires_grad for value in teacher.parameters())
    torch.testing.assert_close(look(teacher, picture).logits, look(detector(7).eval(), picture).logits)


def test_a_teacher_goes_by_its_registered_name_too(teacher_file, own_home, picture):
    (own_home / "models").mkdir()
    shutil.copy(teacher_file, own_home / "models")
    (named, same), (given, identity) = open_teacher("teacher7", "cpu"), open_teacher(str(teacher_file), "cpu")
    assert same == identity
    assert torch.equal(look(named, picture).logits, look(given, picture).logits)


def test_a_pickle_that_nobody_registered_is_not_opened(teacher_file, own_home):
    (own_home / "models.yaml").unlink()
    with pytest.raises(InputError, match="can run any code and this one is not registered") as error:
        open_teacher(str(teacher_file), "cpu")
    assert "models.yaml" in error.value.hint


def test_a_teacher_that_is_no_torch_network_or_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"gone\.pt: no such file"):
        open_teacher(str(tmp_path / "gone.pt"), "cpu")
    (tmp_path / "export.xml").write_text("")
    with pytest.raises(InputError, match=r"export\.xml: its features cannot be read"):
        open_teacher(str(tmp_path / "export.xml"), "cpu")
    with pytest.raises(MissingError, match="no detector 'nobody'"):
        open_teacher("nobody", "cpu")
