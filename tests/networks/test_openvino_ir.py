"""A network in OpenVINO's format computes in torch what it computes in OpenVINO; a bad file is an error of one line."""

import re
import tarfile
from itertools import islice

import cv2
import numpy as np
import openvino as ov
import openvino.opset8 as ops
import openvino.opset14 as later
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_irs import SIZE, constant, embedder, integers, openvino, save

from vidreid.errors import InputError
from vidreid.networks.weights.openvino_ir import read_ir
from vidreid.networks.weights.openvino_operations import OPERATIONS

OPEN_MODEL_ZOO = ("person-reidentification-retail-0277", "person-reidentification-retail-0288")
SHAPE = (1, 4, 8, 6)


def convolved(strides, pads, dilations):
    return lambda x: ops.convolution(x, constant(5, 4, 3, 2), strides, pads, pads, dilations)


def grouped(strides, pads, dilations):
    return lambda x: ops.group_convolution(x, constant(2, 3, 2, 3, 2), strides, pads, pads, dilations)


def reshaped(x):
    """To (n, a half of the picture, 2), n read off the shape."""
    count = ops.gather(ops.shape_of(x), integers(0), ops.constant(np.int64(0)))
    return ops.reshape(x, ops.concat([count, integers(-1), integers(2)], 0), True)


CASES = {
    "Add": [lambda x: ops.add(x, constant(1, 4, 1, 1)), lambda x: ops.add(constant(6), x), lambda x: ops.add(x, x)],
    "AvgPool": [
        lambda x: ops.avg_pool(x, [2, 2], [0, 0], [0, 0], [2, 2], True),
        lambda x: ops.avg_pool(x, [1, 2], [1, 1], [1, 1], [3, 2], True),
        lambda x: ops.avg_pool(x, [1, 2], [1, 1], [1, 1], [3, 2], False),
    ],
    "Concat": [lambda x: ops.concat([x, ops.relu(x), x], 1), lambda x: ops.concat([x, x], -1)],
    "Convert": [lambda x: ops.add(x, ops.convert(integers(3), "f32"))],
    "Convolution": [convolved([1, 1], [0, 0], [1, 1]), convolved([2, 3], [1, 2], [2, 1])],
    "Gather": [
        lambda x: ops.gather(x, integers(3, 0, -2), integers(1)),
        lambda x: ops.gather(x, ops.constant(np.int64(2)), ops.constant(np.int64(-1))),
        lambda x: ops.gather(x, ops.constant(np.array([[0, 5], [1, 1]])), integers(3)),
    ],
    "GroupConvolution": [grouped([1, 1], [1, 0], [1, 1]), grouped([2, 1], [2, 1], [2, 2])],
    "MVN": [
        lambda x: ops.mvn(x, integers(2, 3), True, 1e-5, "inside_sqrt"),
        lambda x: ops.mvn(x, integers(1, -1), True, 0.5, "inside_sqrt"),
    ],
    "MatMul": [
        lambda x: ops.matmul(x, constant(6, 5), False, False),
        lambda x: ops.matmul(x, constant(5, 8), True, True),
    ],
    "MaxPool": [
        lambda x: ops.max_pool(x, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3], "floor").output(0),
        lambda x: ops.max_pool(x, [1, 3], [1, 1], [0, 1], [0, 1], [2, 3], "floor").output(0),
    ],
    "Multiply": [lambda x: ops.multiply(x, constant(8, 1)), lambda x: ops.multiply(constant(1), x)],
    "PReLU": [
        lambda x, slopes=slopes: ops.prelu(x, constant(*slopes)) for slopes in [(1,), (4,), (1, 1), (1, 4, 1, 1)]
    ],
    "ReLU": [ops.relu],
    "ReduceMean": [
        lambda x: ops.reduce_mean(x, integers(2, 3), True),
        lambda x: ops.reduce_mean(x, integers(-1, 1), False),
    ],
    "Reshape": [
        lambda x: ops.reshape(x, integers(-1, 192), False),
        lambda x: ops.reshape(x, integers(0, -1, 0), True),
    ],
    "ShapeOf": [reshaped],
    "Sigmoid": [ops.sigmoid],
    "Subtract": [lambda x: ops.subtract(x, constant(1, 4, 1, 1)), lambda x: ops.subtract(constant(6), x)],
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A network of all operations. Read only."""
    return save(tmp_path_factory.mktemp("tiny") / "tiny.xml", embedder)


def noise(count=3, shape=SHAPE, scale=2.0, seed=1):
    return scale * torch.randn((count, *shape[1:]), generator=torch.Generator().manual_seed(seed))


def cosines(found, expected):
    return torch.cosine_similarity(found.float(), expected)


def changed(path, folder, *, xml=lambda text: text, data=lambda data: data):
    """A copy of a network with another XML, another .bin, or both."""
    copy = folder / "changed.xml"
    copy.write_text(xml(path.read_text()))
    copy.with_suffix(".bin").write_bytes(data(path.with_suffix(".bin").read_bytes()))
    return copy


def test_every_known_operation_has_a_case_here():
    assert {name for name, _ in OPERATIONS} == set(CASES)


@pytest.mark.parametrize("build", [pytest.param(build, id=name) for name, builds in CASES.items() for build in builds])
def test_an_operation_is_openvinos_for_any_number_of_pictures(build, tmp_path):
    path, pictures = save(tmp_path / "one.xml", build, SHAPE), noise()
    torch.testing.assert_close(read_ir(path)(pictures), openvino(path, pictures), rtol=1e-5, atol=1e-5)


def test_a_network_of_all_operations_is_openvinos(tiny):
    pictures = noise(5, (1, 3, *SIZE))
    torch.testing.assert_close(read_ir(tiny)(pictures), openvino(tiny, pictures), rtol=1e-5, atol=1e-5)


def test_weights_are_frozen_float32_and_each_is_kept_once(tiny):
    weights = list(read_ir(tiny).parameters())
    assert {(weight.dtype, weight.requires_grad) for weight in weights} == {(torch.float32, False)}
    assert sum(weight.numel() for weight in weights) == 3 + 3 + 6 * 3 * 49 + 6 + 6 * 9 + 6 * 8 + 8 * 6 + 1


def test_the_layout_of_memory_changes_nothing(tiny):
    pictures = noise(5, (1, 3, *SIZE))
    rearranged = read_ir(tiny).to(memory_format=torch.channels_last)
    found = rearranged(pictures.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, read_ir(tiny)(pictures), rtol=1e-5, atol=1e-5)


def test_under_autocast_it_computes_in_16_bits(tiny):
    pictures = noise(5, (1, 3, *SIZE))
    with torch.autocast("cpu", torch.bfloat16):
        found = read_ir(tiny)(pictures)
    assert found.dtype == torch.bfloat16
    assert cosines(found, read_ir(tiny)(pictures)).min() > 0.99


@pytest.mark.shared
@pytest.mark.parametrize("name", OPEN_MODEL_ZOO)
def test_open_model_zoos_networks_are_openvinos(shared, name):
    path = shared / "weights" / "reid" / name / "FP16" / f"{name}.xml"
    pictures = torch.cat([real_crops(shared), 255 * torch.rand(2, 3, 256, 128)])
    network, expected = read_ir(path), openvino(path, pictures)
    found = network(pictures)
    assert found.shape == (6, 256)
    # Measured: 5e-6 at values up to 2.4, and 0.999 in 16 bits.
    assert (found - expected).abs().max() < 5e-5
    assert cosines(found, expected).min() > 1 - 1e-6
    with torch.autocast("cpu", torch.bfloat16):
        assert cosines(network(pictures), expected).min() > 0.99


def real_crops(shared, count=4):
    """The first crops of Market-1501's training split, BGR in 0..255."""
    with tarfile.open(shared / "data" / "reid" / "market_train.tar.xz", "r|xz") as archive:
        files = islice((archive.extractfile(member).read() for member in archive if member.isfile()), count)
        crops = [cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR) for file in files]
    resized = np.stack([cv2.resize(crop, (128, 256)) for crop in crops])
    return torch.from_numpy(resized).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (ops.tanh, r"Tanh \(opset1\)"),
        (lambda x: later.max_pool(x, [1, 1], [1, 1], [0, 0], [0, 0], [2, 2]).output(0), r"MaxPool \(opset14\)"),
        (lambda x: ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [3, 3], "ceil").output(0), "rounding_type 'ceil'"),
        (lambda x: ops.max_pool(x, [2, 2], [2, 1], [0, 0], [0, 0], [3, 3]).output(0), "dilations '2, 1'"),
        (lambda x: ops.mvn(x, integers(2), False, 1e-5, "inside_sqrt"), "normalize_variance 'false'"),
        (lambda x: ops.mvn(x, integers(2), True, 1e-5, "outside_sqrt"), "eps_mode 'OUTSIDE_SQRT'"),
        (lambda x: ops.convolution(x, constant(1, 4, 3, 3), [1, 1], [1, 1], [0, 0], [1, 1]), "pads_end '0, 0'"),
        (
            lambda x: ops.convolution(x, constant(1, 4, 3, 3), [1, 1], [0, 0], [0, 0], [1, 1], "same_upper"),
            "auto_pad 'same_upper'",
        ),
    ],
)
def test_what_is_not_known_is_named(build, named, tmp_path):
    with pytest.raises(InputError, match=named):
        read_ir(save(tmp_path / "other.xml", build, SHAPE))


def test_two_inputs_are_refused(tmp_path):
    inputs = [ops.parameter(SHAPE, np.float32) for _ in range(2)]
    ov.save_model(ov.Model([ops.add(*inputs)], inputs, "two"), tmp_path / "two.xml")
    with pytest.raises(InputError, match="2 layers of type Parameter"):
        read_ir(tmp_path / "two.xml")


def test_a_missing_file_is_named(tiny, tmp_path):
    with pytest.raises(InputError, match=r"none\.xml: no such file"):
        read_ir(tmp_path / "none.xml")
    changed(tiny, tmp_path).with_suffix(".bin").unlink()
    with pytest.raises(InputError, match=r"changed\.bin: no such file"):
        read_ir(tmp_path / "changed.xml")


@pytest.mark.parametrize("left", [0, 1, 0.5, -1])
def test_a_truncated_bin_is_refused(tiny, tmp_path, left):
    kept = int(left * tiny.with_suffix(".bin").stat().st_size) if isinstance(left, float) else left
    with pytest.raises(InputError, match="ends at byte"):
        read_ir(changed(tiny, tmp_path, data=lambda data: data[:kept]))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_a_truncated_xml_is_refused(tiny, tmp_path, share):
    with pytest.raises(InputError, match="not an XML"):
        read_ir(changed(tiny, tmp_path, xml=lambda text: text[: int(share * len(text))]))


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "start",
    [
        f'<!DOCTYPE net [<!ENTITY l0 "lol">{LAUGHS}]><net>&l11;',
        '<!DOCTYPE net [<!ENTITY file SYSTEM "file:///etc/passwd">]><net>&file;',
        '<!DOCTYPE net SYSTEM "https://example.org/net.dtd"><net>',
    ],
    ids=["growing entities", "a file as entity", "a remote type"],
)
def test_no_entity_is_ever_expanded(tiny, tmp_path, start):
    with pytest.raises(InputError, match="document type"):
        read_ir(changed(tiny, tmp_path, xml=lambda text: re.sub(r"<net[^>]*>", lambda _: start, text, count=1)))


def test_an_endless_file_is_not_read(tiny, tmp_path):
    with pytest.raises(InputError, match=r"changed\.xml: larger than"):
        read_ir(changed(tiny, tmp_path, xml=lambda text: text + " " * (1 << 24)))


@pytest.mark.parametrize(
    ("stated", "instead", "reason"),
    [
        ('shape="1,3,32,16"', 'shape="1,3,1000000,1000000"', "no picture"),
        ('shape="6, 3, 7, 7" offset="(\\d+)" size="1764"', 'shape="6, 3, 7" offset="\\1" size="1764"', "does not fill"),
        (
            'shape="6, 3, 7, 7" offset="(\\d+)" size="1764"',
            'shape="6, 3, 7, 7000000" offset="\\1" size="1764000000"',
            "more than .* numbers",
        ),
        ('shape="6, 3, 7, 7" offset="', 'shape="6, 3, 7, 7" offset="-', "ends at byte|-"),
        ('element_type="f16"', 'element_type="u1"', "type 'u1'"),
        ('from-layer="0"', 'from-layer="9"', "no layer before"),
        ('strides="2, 2" dil', 'strides="2, 2, 2" dil', "3 numbers, not two"),
        ('pads_begin="3, 3" pads_end="3, 3"', 'pads_begin="9999999, 3" pads_end="9999999, 3"', "gives .* numbers"),
        ('transpose_b="true"', 'transpose_b="false"', "do not fit"),
    ],
)
def test_what_cannot_be_is_refused(tiny, tmp_path, stated, instead, reason):
    with pytest.raises(InputError, match=reason):
        read_ir(changed(tiny, tmp_path, xml=lambda text: re.sub(stated, instead, text, count=1)))


@pytest.mark.parametrize(("start", "times"), [(ops.shape_of, 8), (ops.relu, 24)], ids=["a list", "a picture"])
def test_a_value_that_doubles_again_and_again_takes_no_memory(tmp_path, start, times):
    def grown(x):
        value = start(x)
        for _ in range(times):
            value = ops.concat([value, value], 0)
        return value

    with pytest.raises(InputError, match=r"Concat \(opset1\) in layer \d+ gives \d+ numbers"):
        read_ir(save(tmp_path / "grown.xml", grown, SHAPE))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_the_xml_states_it_is_a_network_or_an_error_of_one_line(tiny, tmp_path, data):
    text = tiny.read_text()
    place = data.draw(st.sampled_from([match.span(1) for match in re.finditer(r'="([^"]*)"', text)]))
    value = data.draw(st.sampled_from(["", "0", "1", "-1", "7", "2, 3", "1e9", "nan", "true", "99999999999999999999"]))
    copy = changed(tiny, tmp_path, xml=lambda text: text[: place[0]] + value + text[place[1] :])
    try:
        outcome = len(read_ir(copy)(noise(2, (1, 3, *SIZE))))
    except InputError as error:
        outcome = error.message
    assert outcome == 2 or re.fullmatch("changed.xml: .+", outcome)
