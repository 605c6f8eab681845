"""The saliency erasing operation: equations 3 to 5, and what is left of a map."""

import numpy as np
import pytest
import torch
from goldens import seeded
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from references import (
    binary_mask,
    correlation,
    erased_by_gate,
    fused_mask,
    gate_map,
    mean_over_positions,
    places,
)

from vidreid.errors import InputError
from vidreid.networks.modules import erasing
from vidreid.networks.modules.erasing import Blocks, Erasing, SaliencyErasing, correlate

SIZE = (6, 4)
random_maps = st.integers(0, 2**32 - 1).map(
    lambda seed: torch.randn((3, 5, *SIZE), generator=torch.Generator().manual_seed(seed))
)
# Whole numbers are summed without error, so that ties are ties.
whole_maps = arrays.arrays(np.int8, SIZE, elements=st.integers(-3, 3))
blocks = st.tuples(st.integers(1, SIZE[0]), st.integers(1, SIZE[1]))
steps = st.tuples(st.integers(1, 3), st.integers(1, 3))


def mask_of(relevance: np.ndarray, block: tuple[int, int], strides: tuple[int, int] = (1, 1)) -> np.ndarray:
    return best_mask(torch.from_numpy(relevance.astype(np.float32))[None, None], block, strides)[0, 0].numpy()


def best_mask(correlations: torch.Tensor, block: tuple[int, int], strides: tuple[int, int]) -> torch.Tensor:
    blocks = Blocks(tuple(correlations.shape[2:]), block, strides)
    return blocks.mask(blocks.best(correlations))


@given(random_maps)
def test_correlation_is_equation_3(maps: torch.Tensor) -> None:
    operation = seeded(SaliencyErasing(5, 7, Erasing()))
    found = torch.randn(3, 7)
    ours = correlate(maps, operation.project(found)[:, None])[:, 0].detach().numpy()
    w = operation.projection.weight.detach().T.double().numpy()
    for n in range(3):
        expected = correlation(maps[n].double().numpy(), found[n].double().numpy(), w)
        np.testing.assert_allclose(ours[n], expected, atol=1e-4)


@given(whole_maps, blocks, steps)
def test_mask_covers_the_best_block_and_the_first_wins_a_tie(
    relevance: np.ndarray, block: tuple[int, int], strides: tuple[int, int]
) -> None:
    np.testing.assert_array_equal(mask_of(relevance, block, strides), binary_mask(relevance, block, strides))


@given(blocks, steps)
def test_places_are_numbered_in_reading_order(block: tuple[int, int], strides: tuple[int, int]) -> None:
    blocks, wanted = Blocks(SIZE, block, strides), list(places(SIZE, block, strides))
    assert blocks.count == len(wanted)
    masks = blocks.mask(torch.arange(blocks.count)[None])[0].numpy()
    for mask, (top, left) in zip(masks, wanted, strict=True):
        expected = np.ones(SIZE)
        expected[top : top + block[0], left : left + block[1]] = 0
        np.testing.assert_array_equal(mask, expected)


@given(random_maps, st.integers(1, 3))
def test_the_blocks_of_several_templates_are_told_by_one_number(maps: torch.Tensor, others: int) -> None:
    operation = seeded(SaliencyErasing(5, 7, Erasing(block_height=2, scale=False))).eval()
    templates = list(torch.randn(others, 3, 5, generator=torch.Generator().manual_seed(others)))
    with torch.no_grad():
        found, number = operation.search(maps, templates)
        assert torch.equal(found, operation(maps, templates))
        blocks = Blocks(SIZE, (2, SIZE[1]), (1, 1))
        tops = blocks.best(correlate(maps, torch.stack(templates, 1))).tolist()
    assert number.tolist() == [int("".join(map(str, digits)), blocks.count) for digits in tops]


@given(blocks, steps, st.data())
def test_every_place_inside_the_map_can_win_and_no_other(
    block: tuple[int, int], strides: tuple[int, int], data: st.DataObject
) -> None:
    all_places = places(SIZE, block, strides)
    (h, w), (s_h, s_w) = block, strides
    assert len(all_places) == ((SIZE[0] - h) // s_h + 1) * ((SIZE[1] - w) // s_w + 1)
    top, left = data.draw(st.sampled_from(all_places))
    relevance = np.zeros(SIZE)
    relevance[top : top + h, left : left + w] = 1
    np.testing.assert_array_equal(mask_of(relevance, block, strides), 1 - relevance)


def test_paper_has_fourteen_places() -> None:
    assert len(places((16, 8), (3, 8), (1, 1))) == 14


def test_negative_relevance_does_not_favour_the_border() -> None:
    """The released program pads with zeros there; the paper's blocks are whole."""
    relevance = -np.ones((16, 8))
    relevance[6:9] = -0.5
    assert mask_of(relevance, (3, 8)).sum(1).tolist() == [8] * 6 + [0] * 3 + [8] * 7


def test_block_larger_than_the_map_is_refused() -> None:
    with pytest.raises(InputError, match=r"no room for a block of \(7, 4\)"):
        mask_of(np.zeros(SIZE), (7, 4))


@given(random_maps, st.sampled_from(["after", "before"]), st.integers(1, 3))
def test_gate_is_equation_5(maps: torch.Tensor, when: str, others: int) -> None:
    relevances = maps[:, :others]
    kept = best_mask(relevances, (2, 4), (1, 1)).prod(1)
    ours = erasing.gate_map(relevances.prod(1), kept, when).numpy()
    for n in range(3):
        several = list(relevances[n].double().numpy())
        expected = gate_map(several, kept[n].numpy(), before=when == "before")
        np.testing.assert_allclose(ours[n], expected, atol=1e-6)


@given(random_maps)
def test_gate_of_a_softmax_over_what_is_kept_sums_to_one(maps: torch.Tensor) -> None:
    kept = best_mask(maps[:, :1], (2, 4), (1, 1)).prod(1)
    torch.testing.assert_close(erasing.gate_map(maps[:, 0], kept, "before").sum((1, 2)), torch.ones(3))


def test_gate_where_nothing_is_kept_is_zero() -> None:
    nothing = torch.zeros(1, *SIZE)
    assert erasing.gate_map(torch.randn(1, *SIZE), nothing, "before").eq(0).all()


@given(random_maps, st.integers(0, 3), st.booleans(), blocks)
def test_erased_map_is_gated_and_has_a_hole(maps: torch.Tensor, others: int, scale: bool, block: tuple) -> None:
    settings = Erasing(block_height=block[0], block_width=block[1], scale=scale)
    operation = seeded(SaliencyErasing(5, 7, settings)).eval()
    found = torch.randn(others, 3, 7, generator=torch.Generator().manual_seed(others))
    with torch.no_grad():
        ours = operation(maps, [operation.project(vectors) for vectors in found]).numpy()
    w = operation.projection.weight.detach().T.double().numpy()
    for n, one in enumerate(maps.double().numpy()):
        factor = 5**-0.5 if scale else 1.0
        relevances = [correlation(one, vectors[n].double().numpy(), w, factor) for vectors in found]
        assume(all(_clear(relevance, block) for relevance in relevances))
        mask = fused_mask([binary_mask(relevance, block, (1, 1)) for relevance in relevances], SIZE)
        np.testing.assert_allclose(ours[n], erased_by_gate(one, mask, gate_map(relevances, mask)), atol=1e-4)
        assert (ours[n][:, mask == 0] == 0).all()


def _clear(relevance: np.ndarray, block: tuple[int, int]) -> bool:
    """Whether the best block is best by more than single precision can mistake."""
    sums = [relevance[i : i + block[0], j : j + block[1]].sum() for i, j in places(SIZE, block, (1, 1))]
    return len(sums) == 1 or np.diff(np.sort(sums)[-2:])[0] > 1e-4


def test_first_frame_is_scaled_by_a_gate_of_equal_shares() -> None:
    maps = torch.randn(2, 5, *SIZE)
    torch.testing.assert_close(SaliencyErasing(5, 7, Erasing())(maps, []), maps * (1 + 1 / 24))


def test_residual_context_adds_what_the_gate_looks_at_everywhere() -> None:
    settings = Erasing(erase="residual-context", gate_mask="before", block_height=2)
    operation = seeded(SaliencyErasing(5, 7, settings)).eval()
    maps, found = torch.randn(1, 5, *SIZE), torch.randn(1, 7)
    with torch.no_grad():
        ours = operation(maps, [operation.project(found)])[0].double().numpy()
    w = operation.projection.weight.detach().T.double().numpy()
    one = maps[0].double().numpy()
    relevance = correlation(one, found[0].double().numpy(), w, 5**-0.5)
    mask = binary_mask(relevance, (2, SIZE[1]), (1, 1))
    seen = mean_over_positions(one * gate_map([relevance], mask, before=True)) * 24
    state = {name: value.double().numpy() for name, value in operation.context.state_dict().items()}
    answer = state["conv.weight"][:, :, 0, 0] @ seen + state["conv.bias"]
    spread = (answer - state["norm.running_mean"]) / np.sqrt(state["norm.running_var"] + 1e-5)
    context = spread * state["norm.weight"] + state["norm.bias"]
    np.testing.assert_allclose(ours, one * mask + context[:, None, None], atol=1e-4)


def test_new_residual_context_adds_nothing() -> None:
    operation = SaliencyErasing(5, 7, Erasing(erase="residual-context"))
    maps = torch.randn(2, 5, *SIZE)
    assert torch.equal(operation(maps, []), maps)


@pytest.mark.parametrize("when", ["after", "before"])
def test_gradient_reaches_the_projection_and_is_cut_from_the_learner_where_asked(when: str) -> None:
    for detach in (True, False):
        operation = SaliencyErasing(5, 7, Erasing(gate_mask=when, detach=detach))
        found = torch.randn(2, 7, requires_grad=True)
        operation(torch.randn(2, 5, *SIZE), [operation.project(found)]).square().sum().backward()
        assert operation.projection.weight.grad.abs().max() > 1e-6
        assert (found.grad is None) == detach
