"""A teacher's vectors are the same by either way to compute them, and need no more than the machine has."""

import hashlib
import subprocess
import sys
import tarfile
from itertools import islice

import cv2
import numpy as np
import pytest
import torch
import yaml
from tiny_irs import DIM, SIZE, embedder, openvino, save

from vidreid.errors import InputError, MissingError
from vidreid.training import teacher
from vidreid.training.teacher import open_teacher

STATED = {
    "size": list(SIZE),
    "color": "bgr",
    "scale": 255.0,
    "mean": [0.48, 0.45, 0.4],
    "std": [0.22, 0.23, 0.24],
}


@pytest.fixture
def tiny(tmp_path, own_home, monkeypatch):
    """A network that models.yaml knows: the user's for OpenVINO's way, which reads both, the package's for torch's."""
    path = save(tmp_path / "tiny.xml", embedder)
    digest = hashlib.sha256(path.with_suffix(".bin").read_bytes()).hexdigest()
    entry = {"kind": "embedder", "family": "reid", "files": {"tiny.bin": digest}, "dim": DIM, "input": STATED}
    (own_home / "models.yaml").write_text(yaml.safe_dump({"models": {"tiny": entry}}))
    monkeypatch.setattr(teacher, "MODELS", own_home / "models.yaml")
    return path


def without_openvino(wanted):
    """The teacher on a machine that has no OpenVINO."""
    with pytest.MonkeyPatch.context() as machine:
        machine.setitem(sys.modules, "openvino", None)
        return open_teacher(wanted, "cpu")


def views(count, size, seed=0):
    return torch.rand((count, 3, *size), generator=torch.Generator().manual_seed(seed))


def prepared(view):
    """A view as the tiny network wants it: resized by OpenCV, channels turned round, values as stated."""
    height, width = SIZE
    picture = cv2.resize(view.permute(1, 2, 0).numpy(), (width, height))[..., ::-1]
    picture = (picture * 255 / STATED["scale"] - np.float32(STATED["mean"])) / np.float32(STATED["std"])
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)


@pytest.mark.parametrize("size", [SIZE, (64, 32), (16, 20), (48, 16)])
def test_in_torch_views_are_prepared_as_stated(tiny, size):
    seen = views(5, size)
    expected = openvino(tiny, torch.stack([prepared(view) for view in seen]))
    torch.testing.assert_close(without_openvino(str(tiny))(seen), expected, rtol=1e-4, atol=1e-4)


def test_both_ways_agree_but_for_rounding(tiny):
    seen = views(5, SIZE)
    found, expected = without_openvino(str(tiny))(seen), open_teacher(str(tiny), "cpu")(seen)
    assert found.shape == expected.shape == (5, DIM)
    # OpenVINO computes in 16 bits where the processor can.
    assert torch.cosine_similarity(found, expected).min() > 0.99
    assert torch.cosine_similarity(found.roll(1, 0), expected).max() < 0.99


def test_vectors_need_no_gradient_but_may_be_learnt_from(tiny):
    student = torch.zeros(2, DIM, requires_grad=True)
    vectors = without_openvino(str(tiny))(views(2, SIZE))
    assert not vectors.requires_grad
    (student * vectors).sum().backward()
    assert torch.equal(student.grad, vectors)


def test_a_network_whose_input_is_not_stated_is_refused(tmp_path):
    path = save(tmp_path / "stranger.xml", embedder)
    with pytest.raises(InputError, match=r"stranger\.xml: nothing states this network's input"):
        without_openvino(str(path))


@pytest.mark.parametrize("opened", [without_openvino, lambda wanted: open_teacher(wanted, "cpu")])
def test_a_network_of_clips_is_refused(tiny, own_home, opened):
    models = yaml.safe_load((own_home / "models.yaml").read_text())
    models["models"]["tiny"]["frames"] = 4
    (own_home / "models.yaml").write_text(yaml.safe_dump(models))
    with pytest.raises(InputError, match=r"tiny\.xml: a network of clips, as a teacher") as refused:
        opened(str(tiny))
    assert refused.value.hint == "give an embedder of single pictures"


def test_a_registered_name_needs_openvino_and_says_so():
    with pytest.raises(MissingError, match=r"runtime openvino: not installed .*pip install openvino"):
        without_openvino("person-reidentification-retail-0277")


BARE = """
import sys
for missing in ("openvino", "pydantic", "platformdirs", "click", "scipy", "rich", "av", "onnx", "ultralytics"):
    sys.modules[missing] = None
from pathlib import Path
import torch
from vidreid.training import teacher
teacher.MODELS = Path(sys.argv[2])
print(*teacher.open_teacher(sys.argv[1], "cpu")(torch.ones(3, 3, 40, 20)).shape)
"""


def test_torch_numpy_opencv_and_yaml_are_enough(tiny, own_home):
    words = [sys.executable, "-c", BARE, str(tiny), str(own_home / "models.yaml")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout.strip(), done.stderr) == (f"3 {DIM}", "")


@pytest.mark.shared
def test_both_ways_agree_on_real_people(shared):
    name = "person-reidentification-retail-0277"
    path = str(shared / "weights" / "reid" / name / "FP16" / f"{name}.xml")
    with tarfile.open(shared / "data" / "reid" / "market_train.tar.xz", "r|xz") as archive:
        files = islice((archive.extractfile(member).read() for member in archive if member.isfile()), 4)
        crops = [cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR_RGB) for file in files]
    seen = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2) / 255
    found, expected = without_openvino(path)(seen), open_teacher(path, "cpu")(seen)
    assert torch.cosine_similarity(found, expected).min() > 0.999
