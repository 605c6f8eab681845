"""The safetensors format: what is written comes back, and a file's claims are held against the file."""

import json
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vidreid.errors import InputError
from vidreid.networks.weights.safetensors import DTYPES, read_metadata, read_safetensors, write_safetensors

F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def file_of(folder, header, data=b"", length=None):
    """A file of any header, true or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "w.safetensors"
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


@given(
    st.dictionaries(
        st.text(max_size=20).filter(lambda name: name != "__metadata__"),
        st.tuples(st.sampled_from(list(DTYPES.values())), st.lists(st.integers(0, 3), max_size=4)),
        max_size=6,
    ),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)
def test_what_is_written_comes_back(tmp_path_factory, shapes, metadata):
    path = tmp_path_factory.mktemp("any") / "w.safetensors"
    state = {name: torch.randn(shape).mul(9).to(dtype) for name, (dtype, shape) in shapes.items()}
    write_safetensors(path, state, metadata)
    found = read_safetensors(path)
    assert found.keys() == state.keys()
    for name, value in state.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value)
    assert read_metadata(path) == metadata


def test_the_layout_is_the_specification_s(tmp_path):
    path = tmp_path / "w.safetensors"
    write_safetensors(path, {"half": torch.tensor([1.0], dtype=torch.float16), "count": torch.tensor(3)}, {"a": "b"})
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert header == {
        "__metadata__": {"a": "b"},
        "count": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]},
        "half": {"dtype": "F16", "shape": [1], "data_offsets": [8, 10]},
    }
    assert length % 8 == 0
    assert data[8 + length :] == (3).to_bytes(8, "little") + b"\x00\x3c"


def test_the_same_state_gives_the_same_bytes_whatever_its_memory_looks_like(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    square = torch.arange(6.0).view(2, 3)
    write_safetensors(first, {"w": square})
    write_safetensors(second, {"w": square.t().contiguous().t()})
    assert first.read_bytes() == second.read_bytes()


def test_a_file_of_another_writer_is_read(shared):
    found = read_safetensors(shared / "weights" / "backbone" / "resnet50_imagenet_stem_layer1-3_fp16.safetensors")
    assert len(found) == 258
    assert found["conv1.weight"].shape == (64, 3, 7, 7)
    assert found["conv1.weight"].dtype == torch.float16


BAD = {
    "no safetensors file": [(b"{}", b"", 1 << 60)],
    "truncated": [({"w": F32}, b"1234"), (b"{}", b"", 3)],
    "too long": [({"w": F32}, b"123456789")],
    "no JSON": [(b"{,}", b""), (b"\xff\xfe", b""), (b"[" * 100_000, b""), (b'{"a": 1, "a": 1}', b"")],
    "no table": [(b"[]", b"")],
    "overlaps": [({"a": F32, "b": {**F32, "data_offsets": [4, 12]}}, bytes(12)), ({"a": F32, "b": F32}, bytes(8))],
    "leaves a hole": [({"a": F32, "b": {**F32, "data_offsets": [12, 20]}}, bytes(20))],
    "is of type": [({"w": {**F32, "dtype": "F99"}}, bytes(8)), ({"w": {**F32, "dtype": []}}, bytes(8))],
    "does not fill": [
        ({"w": {**F32, "shape": [1 << 39, 1 << 39]}}, bytes(8)),
        ({"w": {**F32, "data_offsets": [8, 0]}}, bytes(8)),
    ],
    "shape or place": [
        ({"w": {**F32, "shape": [-2]}}, bytes(8)),
        ({"w": {**F32, "shape": [2.0]}}, bytes(8)),
        ({"w": {**F32, "shape": [True, 2]}}, bytes(8)),
        ({"w": {**F32, "shape": [0, 1 << 62], "data_offsets": [0, 0]}}, b""),
        ({"w": {**F32, "shape": [1] * 100 + [2]}}, bytes(8)),
        ({"w": {**F32, "data_offsets": [0]}}, bytes(8)),
        ({"w": {**F32, "data_offsets": "08"}}, bytes(8)),
    ],
    "is not described": [({"w": 3}, bytes(8)), ({"w": {"dtype": "F32"}}, bytes(8)), ({"w": {**F32, "x": 1}}, bytes(8))],
}


@pytest.mark.parametrize(("words", "parts"), [(words, parts) for words, cases in BAD.items() for parts in cases])
def test_a_file_that_lies_is_refused_in_one_line(tmp_path, words, parts):
    with pytest.raises(InputError) as refused:
        read_safetensors(file_of(tmp_path, *parts))
    assert refused.value.message.startswith("w.safetensors: ")
    assert words in refused.value.message
    assert "\n" not in refused.value.message


def test_every_truncation_is_noticed(tmp_path):
    path = tmp_path / "w.safetensors"
    write_safetensors(path, {"a": torch.randn(3), "b": torch.tensor(7)})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"^w\.safetensors: "):
            read_safetensors(path)


def test_wide_types_come_first_so_that_all_are_aligned(tmp_path):
    path = tmp_path / "w.safetensors"
    write_safetensors(path, {"h": torch.zeros(3).half(), "f": torch.zeros(3), "i": torch.zeros(3, dtype=torch.int64)})
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    starts = [(header[name]["data_offsets"][0], size) for name, size in (("i", 8), ("f", 4), ("h", 2))]
    assert all(start % size == 0 for start, size in starts)
    assert all(before < after for (before, _), (after, _) in pairwise(starts))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_safetensors(tmp_path / "none.safetensors")


def test_metadata_that_are_no_texts_are_refused(tmp_path):
    with pytest.raises(InputError, match="texts"):
        read_metadata(file_of(tmp_path, {"__metadata__": {"a": 1}}))
