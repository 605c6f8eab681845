"""Temporal saliency erasing: equations 1 and 2, the order of learners and what they share."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from goldens import seeded
from references import Learner, tse
from small import block
from torch import Tensor, nn

from vidreid.networks.modules.erasing import Erasing
from vidreid.networks.modules.tse import TSE

SIZE = (6, 4)


def module(learners: int, **erasing: object) -> TSE:
    stage = nn.Sequential(block(5, 7), block(7, 7))
    return seeded(TSE(stage, learners, 5, 7, Erasing(**{"block_height": 1, **erasing}))).eval()


def maps(segments: int, learners: int, seed: int = 0) -> Tensor:
    return torch.randn((segments, learners, 5, *SIZE), generator=torch.Generator().manual_seed(seed))


def as_reference(module: TSE, number: int) -> Learner:
    def learner(erased: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            one = torch.from_numpy(erased).float()[None]
            return module.learners[number](module.shared(one))[0].double().numpy()

    return learner


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("learners", [2, 3, 4])
def test_vectors_are_equations_1_and_2(learners: int, scale: bool) -> None:
    ours = module(learners, scale=scale)
    segments = maps(3, learners)
    with torch.no_grad():
        found = [answer.mean((2, 3)).numpy() for answer in ours(segments)]
    w = ours.erase.projection.weight.detach().T.double().numpy()
    references = [as_reference(ours, n) for n in range(learners)]
    for s, segment in enumerate(segments.double().numpy()):
        expected = tse(list(segment), references, w, (1, SIZE[1]), scale=5**-0.5 if scale else 1.0)
        for n in range(learners):
            np.testing.assert_allclose(found[n][s], expected[n], atol=1e-4)


def test_one_learner_is_the_stage_itself_and_has_no_projection() -> None:
    ours = module(1)
    segments = maps(3, 1)
    expected = ours.learners[0](ours.shared(segments[:, 0]))
    assert torch.equal(ours(segments)[0], expected)
    assert not [name for name, _ in ours.named_parameters() if "projection" in name]


def test_without_erasing_each_learner_sees_its_frame_alone() -> None:
    ours = module(3, erase="none")
    segments = maps(2, 3)
    for n, found in enumerate(ours(segments)):
        assert torch.equal(found, ours.learners[n](ours.shared(segments[:, n])))


def test_learners_share_all_blocks_but_the_last_and_start_alike() -> None:
    stage = nn.Sequential(block(5, 7), block(7, 7), block(7, 7))
    ours = TSE(stage, 3, 5, 7, Erasing())
    assert [id(part) for part in ours.shared] == [id(part) for part in stage[:-1]]
    for one, other in pairwise(ours.learners):
        for first, second in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.equal(first, second)
            assert first is not second


def test_segments_of_a_batch_do_not_see_each_other() -> None:
    ours, segments = module(3), maps(4, 3)
    for together, alone in zip(ours(segments), ours(segments[2:3]), strict=True):
        torch.testing.assert_close(together[2:3], alone)


def test_later_learners_follow_earlier_frames_and_never_the_other_way() -> None:
    ours, segments = module(3), maps(1, 3)
    changed = segments.clone()
    changed[:, 1] = maps(1, 1, seed=9)[:, 0]
    first, _, last = ours(segments)
    first_after, _, last_after = ours(changed)
    assert torch.equal(first, first_after)
    assert not torch.equal(last, last_after)


def test_what_was_erased_is_told_of_each_learner_but_the_first() -> None:
    ours, segments = module(3), maps(4, 3)
    found, blocks = ours.learn(segments)
    assert all(torch.equal(one, other) for one, other in zip(found, ours(segments), strict=True))
    assert (blocks.shape, blocks.dtype) == ((4, 2), torch.int64)
    for one in (module(1), module(2, erase="none")):
        assert one.learn(maps(4, len(one.learners)))[1] is None


def test_loss_of_the_last_learner_trains_the_projection() -> None:
    ours = module(2)
    ours(maps(2, 2))[1].square().sum().backward()
    assert ours.erase.projection.weight.grad.abs().max() > 1e-6
