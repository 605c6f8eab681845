"""A detector as a folder that runs take."""

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
import yaml
from drawn_scenes import draw

from vidreid.detection.yolo import Yolo
from vidreid.digests import file_sha256
from vidreid.engines.registry import Registry, describe, network_file
from vidreid.engines.runtimes import openvino
from vidreid.engines.weights import FileModel
from vidreid.errors import InputError, UsageError
from vidreid.networks.weights.checkpoint import read_checkpoint
from vidreid.networks.weights.ultralytics import MOST, Finished, boxes_of
from vidreid.training.detector.packing import GOLDEN, pack_detector
from vidreid.training.detector.recipe import DetectorRecipe
from vidreid.training.trained import open_detector, write_weights
from vidreid.types import Frame, InputSpec

SIZE = (96, 128)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A detector as a training leaves it, who says something else of every picture."""
    torch.manual_seed(1)
    from vidreid.training.detector.network import build_detector

    network = build_detector("yolo26n").train()
    with torch.no_grad():
        for _ in range(20):  # so that its statistics are those of pictures
            network.model[0:11](torch.rand(2, 3, 64, 64))
    path = tmp_path_factory.mktemp("trained") / "weights.safetensors"
    write_weights(path, network, DetectorRecipe())
    return path


@pytest.fixture
def network(weights):
    return open_detector(weights)[0]


@pytest.fixture(scope="module")
def packed(weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed") / "small"
    pack_detector(open_detector(weights)[0], folder, SIZE)
    return folder


def test_the_yaml_beside_the_file_states_all_that_a_run_needs(packed):
    spec = describe(network_file(packed), Registry())
    assert (spec.name, spec.kind, spec.family) == ("small", "detector", "yolo")
    assert spec.identity == file_sha256(packed / "small.onnx")
    assert spec.input == InputSpec(SIZE, scale=255.0)
    assert spec.score is None  # somebody has to measure it


def test_onnx_runtime_says_what_torch_says(packed, network):
    with np.load(packed / GOLDEN) as stored:
        images, boxes = stored["images"], stored["boxes"]
    assert (images.shape, images.dtype) == ((1, *SIZE, 3), np.uint8)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        np.testing.assert_allclose(Finished(network, boxes_of(SIZE))(pixels), boxes, atol=1e-3)
    session = onnxruntime.InferenceSession(packed / "small.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": pixels.numpy()})
    assert found.shape == boxes.shape == (1, 252, 6)
    np.testing.assert_allclose(found[..., 4], boxes[..., 4], atol=1e-5)
    # Of equal scores either may come first.
    for box in boxes[0]:
        assert np.abs(found[0] - box).max(1).min() < 1e-3


@pytest.mark.parametrize(("count", "size"), [(1, (128, 96)), (3, (96, 160)), (2, (160, 160))])
def test_it_takes_any_number_of_pictures_of_other_sizes(packed, network, count, size):
    pictures = np.random.default_rng(3).random((count, 3, *size), np.float32)
    with torch.inference_mode():
        wanted = Finished(network, boxes_of(SIZE))(torch.from_numpy(pictures)).numpy()
    session = onnxruntime.InferenceSession(packed / "small.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": pictures})
    np.testing.assert_allclose(found[..., 4], wanted[..., 4], atol=1e-5)
    for ours, theirs in zip(found, wanted, strict=True):
        # Of equal scores either may come first, or be the last one that is said.
        sure = ours[ours[:, 4] > 1.1 * ours[-1, 4]]
        assert len(sure) > 20
        assert all(np.abs(theirs - box).max(1).min() < 1e-2 for box in sure)


def test_large_pictures_have_no_more_than_300_boxes():
    assert [boxes_of(size) for size in ((64, 64), SIZE, (480, 640))] == [84, 252, MOST]


def test_best_scores_come_first_and_all_are_persons(packed):
    with np.load(packed / GOLDEN) as stored:
        boxes = stored["boxes"][0]
    assert (np.diff(boxes[:, 4]) <= 0).all()
    assert ((boxes[:, 4] > 0) & (boxes[:, 4] < 1)).all()
    assert not boxes[:, 5].any()


def test_an_engine_of_it_finds_what_torch_finds_in_a_frame(packed, network):
    """Scaled and framed as runs do it; some processors compute with eight bits of mantissa."""
    image = cv2.resize(draw([(10, 5, 28, 60), (60, 8, 78, 62)]), (SIZE[1], SIZE[0]))
    with torch.inference_mode():
        said = Finished(network, boxes_of(SIZE))(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255)[
            0
        ].numpy()
    said[:, :4] = np.clip(said[:, :4], 0, [SIZE[1], SIZE[0]] * 2)
    said = said[((said[:, 2:4] - said[:, :2]) > 1).all(1)]
    least = float(said[:20, 4].min()) * 0.98
    path = packed / "small.onnx"
    engine = openvino.load(FileModel(describe(path, Registry()), path), streams=1)
    ((_, found),) = Yolo(lambda size: engine, score=least).detect([Frame("c", 0, 0, 0, 0.0, image)])
    engine.close()
    assert len(found) >= 20
    for box in said[:20]:
        away = np.abs(found.boxes - box[:4]).max(1)
        assert away.min() < 0.6
        assert found.scores[away.argmin()] == pytest.approx(box[4], rel=0.05)


def test_it_is_small_and_its_kernels_have_16_bits(packed, network):
    assert (packed / "small.onnx").stat().st_size <= 6_000_000
    stored, wanted = read_checkpoint(packed / "small.onnx"), network.state_dict()
    name = "model.0.conv.weight"
    assert stored[name].dtype == torch.float16
    torch.testing.assert_close(stored[name].float(), wanted[name], rtol=0, atol=0)


def test_the_same_weights_give_the_same_file(packed, network, tmp_path):
    pack_detector(network, tmp_path / "small", SIZE)
    for name in ("small.onnx", GOLDEN, "small.yaml"):
        assert (tmp_path / "small" / name).read_bytes() == (packed / name).read_bytes()


def test_the_network_is_left_as_it_was(network, tmp_path):
    pack_detector(network.train(), tmp_path / "small", (64, 64))
    assert network.training


def test_terms_and_score_stay_when_it_is_packed_anew(packed, network, tmp_path):
    (tmp_path / "small").mkdir()
    card = yaml.safe_load((packed / "small.yaml").read_text())
    (tmp_path / "small/small.yaml").write_text(yaml.safe_dump(card | {"score": 0.3, "licence": "mine"}))
    entry = pack_detector(network, tmp_path / "small", (64, 64))
    assert (entry.score, entry.licence, entry.input.size) == (0.3, "mine", (64, 64))
    assert entry.files["small.onnx"] == file_sha256(tmp_path / "small/small.onnx") != card["files"]["small.onnx"]


@pytest.mark.parametrize("size", [(100, 128), (96, 100), (0, 64)])
def test_sizes_that_the_grids_do_not_fit_are_refused(network, tmp_path, size):
    with pytest.raises(UsageError, match=f"pictures of {size[0]} x {size[1]}"):
        pack_detector(network, tmp_path / "small", size)
    assert not (tmp_path / "small").exists()


# By the command


def test_the_command_writes_it_and_says_what_to_type_next(say, weights, tmp_path):
    folder = tmp_path / "mine"
    answer = say("pack", weights, "--output", folder, "--size", "64x96")
    assert answer.status == 0, answer.err
    size = (folder / "mine.onnx").stat().st_size / 1e6
    assert answer.out.splitlines() == [
        f"{folder / 'mine.onnx'}: {size:.2f} MB, SHA-256 {file_sha256(folder / 'mine.onnx')}",
        "pictures of 64 x 96 to boxes of persons",
        f"score: not stated; measure: vidreid evaluate detection --data ROOT --detector {folder}",
        "",
        f"next: vidreid run c0=FILE c1=FILE --output runs/site --detector {folder}",
    ]
    assert describe(folder / "mine.onnx", Registry()).input.size == (64, 96)


def test_weights_that_do_not_say_how_they_were_made_need_their_recipe(say, network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "plain.pt")
    words = ("pack", tmp_path / "plain.pt", "--output", tmp_path / "mine", "--size", "64x64")
    assert say(*words).err.splitlines()[-1] == "hint: name its recipe: --network RECIPE"
    assert say(*words, "--network", "detector-yolo26n").status == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--frames", "4"], "error: a detector sees single pictures"),
        (["--size", "100x100"], "error: pictures of 100 x 100"),
        (["--size", "640"], "'640' is not HEIGHTxWIDTH"),
        (["--size", "0x64"], "'0x64' is not HEIGHTxWIDTH"),
        (["--network", "slim-afa"], "weights of another network"),
    ],
)
def test_what_cannot_be_packed_is_told_and_writes_nothing(say, weights, tmp_path, words, line):
    answer = say("pack", weights, "--output", tmp_path / "mine", *words)
    assert answer.status in {2, 3}
    assert line in answer.err
    assert not (tmp_path / "mine").exists()


def test_a_file_that_names_a_foreign_architecture_is_refused(network, tmp_path):
    """What a file of weights says is a stranger's word: no path of it is read, no address fetched."""
    write_weights(tmp_path / "weights.safetensors", network, DetectorRecipe(architecture="https://example.com/yolo26n"))
    with pytest.raises(InputError, match="no architecture"):
        open_detector(tmp_path / "weights.safetensors")
