"""TCLNet and the systems of its paper's tables: segments, averages, places of its modules."""

from pathlib import Path

import numpy as np
import pytest
import torch
from goldens import golden, seeded
from references import tse, video_vectors
from small import Small, small_clips

from vidreid.errors import InputError
from vidreid.networks import VideoNetwork, tclnet
from vidreid.networks.backbones import Backbone, resnet50
from vidreid.networks.modules.temporal import run
from vidreid.networks.modules.tsb import TSB
from vidreid.networks.tclnet import Settings

SYSTEMS = {
    "base": Settings(learners=1, tsb=()),
    "tse-wo-seo": Settings(tsb=(), erase="none"),
    "tse": Settings(tsb=()),
    "tsb": Settings(learners=1),
    "tclnet": Settings(),
    "tclnet-stage1": Settings(tsb=(1,)),
    "tclnet-stage3": Settings(tsb=(3,)),
    "tclnet-stage23": Settings(tsb=(2, 3)),
    "tse-4-learners": Settings(tsb=(), learners=4, block_height=1),
    "tse-block-of-2": Settings(tsb=(), block_height=2, block_width=1, strides=(2, 1)),
    "dropblock": Settings(learners=1, tsb=(), dropblock=(3,)),
    "non-local": Settings(learners=1, tsb=(), non_local=(2,)),
    "tse-non-local": Settings(tsb=(), non_local=(2,)),
    "single-shot": Settings(tsb=(), single_shot=True),
    "residual-context": Settings(erase="residual-context", gate_mask="before", pool="max"),
    "raw": Settings(neck="none", detach=False, scale=False, pool="both"),
}


def network(settings: Settings, backbone: Backbone | None = None) -> VideoNetwork:
    return seeded(tclnet.build(backbone or Small(), settings)).eval()


@pytest.mark.parametrize("name", SYSTEMS)
def test_golden_of_each_system(name: str) -> None:
    golden(f"tclnet-{name}", network(SYSTEMS[name]), (2, 4, 3, 64, 32))


@pytest.mark.parametrize("inflate", [False, True], ids=["2d", "3d"])
def test_golden_of_resnet50(inflate: bool) -> None:
    settings = Settings(learners=1, tsb=()) if inflate else Settings()
    backbone = resnet50.build(resnet50.Settings(inflate=inflate))
    golden(f"tclnet-resnet50-{'3d' if inflate else '2d'}", tclnet.build(backbone, settings), (1, 4, 3, 64, 32))


@pytest.mark.parametrize("learners", [2, 3])
def test_video_vectors_are_equation_7(learners: int) -> None:
    ours = network(Settings(learners=learners, block_height=1, neck="none"))
    clips = small_clips(2, 2 * learners)
    with torch.no_grad():
        maps = ours.stem(clips.flatten(0, 1))
        for stage in ours.stages:
            maps = run(stage, maps, 2 * learners)
        output = ours(clips).numpy()
    w = ours.tse.erase.projection.weight.detach().T.double().numpy()

    def segment(frames: list[np.ndarray]) -> list[np.ndarray]:
        return tse(frames, [learner(n) for n in range(learners)], w, (1, 2), scale=0.25)

    def learner(number: int):
        def answer(erased: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                shared = ours.tse.shared(torch.from_numpy(erased).float()[None])
                return ours.tse.learners[number](shared)[0].double().numpy()

        return answer

    for clip, embedding in zip(maps.double().unflatten(0, (2, -1)).numpy(), output, strict=True):
        np.testing.assert_allclose(
            embedding, np.concatenate(video_vectors(list(clip), learners, segment)), rtol=0, atol=1e-4
        )


def test_baseline_is_the_mean_of_its_frames() -> None:
    backbone = Small()
    ours, clips = network(SYSTEMS["base"], backbone), small_clips()
    # The learner is a copy of the backbone's last block.
    backbone.stages[-1][-1] = ours.tse.learners[0]
    frames = backbone.eval()(clips.flatten(0, 1)).mean((2, 3)).unflatten(0, (2, 4))
    features = ours.features(clips)
    torch.testing.assert_close(features.frames, (frames,))
    torch.testing.assert_close(features.vectors[0], frames.mean(1))


@pytest.mark.parametrize("name", ["base", "tclnet", "non-local", "single-shot"])
def test_clips_of_a_batch_do_not_see_each_other(name: str) -> None:
    ours, clips = network(SYSTEMS[name]), small_clips(3)
    torch.testing.assert_close(ours(clips)[1:2], ours(clips[1:2]))


def test_single_shot_is_the_picture_repeated() -> None:
    single, double = network(SYSTEMS["single-shot"]), network(SYSTEMS["tse"])
    pictures = small_clips(3, 1)
    torch.testing.assert_close(single(pictures), double(pictures.expand(-1, 2, -1, -1, -1)))


def test_single_shot_takes_any_number_of_pictures_and_averages() -> None:
    single, clips = network(SYSTEMS["single-shot"]), small_clips(2, 3)
    each = torch.stack([single(clips[:, t : t + 1]) for t in range(3)])
    torch.testing.assert_close(single(clips), each.mean(0))


def test_systems_that_see_each_frame_alone_say_so() -> None:
    alone = {name for name, settings in SYSTEMS.items() if tclnet.build(Small(), settings).framewise}
    assert alone == {"base", "dropblock", "single-shot"}
    inflated = resnet50.build(resnet50.Settings(inflate=True))
    assert not tclnet.build(inflated, SYSTEMS["base"]).framewise


def test_afa_varies_the_frames_of_each_learner_while_training() -> None:
    plain, ours, clips = network(Settings()), network(Settings(sigma=0.5)), small_clips()
    assert torch.equal(ours(clips), plain(clips))
    assert ours.features(clips).varied == ()
    features = ours.train().features(clips)
    assert len(features.varied) == 2
    for vector, frames, varied in zip(features.vectors, features.frames, features.varied, strict=True):
        assert frames.shape == (2, 2, ours.width)
        torch.testing.assert_close(varied.mean(1), vector)
        # One coefficient a learner scales what differs from the mean.
        scale = (varied - vector[:, None]) / (frames - vector[:, None])
        torch.testing.assert_close(scale, scale.median().expand_as(scale), rtol=1e-2, atol=1e-2)
        assert not torch.allclose(varied, frames)


def test_embedding_is_taken_after_the_neck_or_before() -> None:
    clips = small_clips()
    after, before = network(Settings()), network(Settings(after_neck=False))
    vectors = after.features(clips).vectors
    torch.testing.assert_close(before(clips), torch.cat(vectors, 1))
    necked = [neck(vector) for neck, vector in zip(after.necks, vectors, strict=True)]
    torch.testing.assert_close(after(clips), torch.cat(necked, 1))
    assert not torch.allclose(after(clips), before(clips))


def test_tsb_stands_after_the_stages_named() -> None:
    ours = tclnet.build(Small(), Settings(tsb=(1, 3)))
    assert [isinstance(stage[-1], TSB) for stage in ours.stages] == [True, False, True]


def test_one_learner_may_have_its_tsb_after_the_last_stage() -> None:
    ours, clips = network(Settings(learners=1, tsb=(4,))), small_clips()
    maps = ours.stem(clips.flatten(0, 1))
    for stage in (*ours.stages, ours.tse.shared):
        maps = stage(maps)
    [boosting] = ours.tse.learners
    assert isinstance(boosting, TSB)
    boosted = boosting(maps, 4)
    assert not torch.allclose(boosted, maps, atol=1e-3)
    torch.testing.assert_close(ours.features(clips).frames[0], boosted.mean((2, 3)).unflatten(0, (2, 4)))
    assert not ours.framewise


def test_new_tsbs_change_nothing() -> None:
    plain = tclnet.build(Small(), SYSTEMS["base"]).eval()
    boosted = tclnet.build(Small(), Settings(learners=1, tsb=(1, 2, 3))).eval()
    assert not boosted.load_state_dict(plain.state_dict(), strict=False).unexpected_keys
    torch.testing.assert_close(boosted(small_clips()), plain(small_clips()))


def test_dropblock_acts_in_training_alone() -> None:
    ours, base = network(SYSTEMS["dropblock"]), network(SYSTEMS["base"])
    assert torch.equal(ours(small_clips()), base(small_clips()))


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_parameter_is_trained(name: str) -> None:
    torch.manual_seed(0)
    ours = network(SYSTEMS[name]).train()
    (ours(small_clips(4)) * torch.randn(4, ours.branches * ours.width)).sum().backward()
    still = [name for name, value in ours.named_parameters() if value.grad is None or not value.grad.any()]
    # The map's mean is the same whatever W_e's bias and its normalisation takes out.
    assert [name for name in still if not name.endswith("context.conv.bias")] == []


@pytest.mark.parametrize("name", ["tclnet", "residual-context", "tse-4-learners", "tse-non-local"])
def test_mixed_precision_gives_finite_single_precision(name: str) -> None:
    ours = network(SYSTEMS[name]).train()
    with torch.autocast("cpu", torch.bfloat16):
        vectors = ours.features(small_clips()).vectors
    assert {vector.dtype for vector in vectors} == {torch.float32}
    sum(vector.square().sum() for vector in vectors).backward()
    assert all(value.grad.isfinite().all() for value in ours.parameters() if value.grad is not None)


def test_clips_that_cannot_be_cut_in_segments_are_refused() -> None:
    with pytest.raises(InputError, match="clips of 3 frames cannot be cut in segments of 2"):
        network(Settings())(small_clips(1, 3))


@pytest.mark.parametrize("settings", [Settings(tsb=(4,)), Settings(non_local=(0,)), Settings(dropblock=(9,))])
def test_modules_after_stages_that_are_not_there_are_refused(settings: Settings) -> None:
    with pytest.raises(InputError, match="of a backbone of 4"):
        tclnet.build(Small(), settings)


def test_no_learners_are_refused() -> None:
    with pytest.raises(InputError, match="0 learners"):
        tclnet.build(Small(), Settings(learners=0))


@pytest.mark.parametrize("name", ["tclnet", "tse-4-learners", "residual-context", "tse-non-local", "single-shot"])
def test_onnx_answers_as_torch_does_for_any_batch(name: str, tmp_path: Path) -> None:
    from vidreid.engines.runtimes.openvino import shared_core
    from vidreid.networks import MEAN, STD
    from vidreid.networks.weights.onnx import export_onnx

    ours = network(SYSTEMS[name])
    export_onnx(ours, tmp_path / "network.onnx", 4, (64, 32))
    compiled = shared_core().compile_model(tmp_path / "network.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for batch in (1, 3):
        pictures = np.random.default_rng(batch).integers(0, 256, (batch, 4, 64, 32, 3), np.uint8)
        scaled = (pictures / 255 - np.array(MEAN)) / np.array(STD)
        with torch.no_grad():
            expected = ours(torch.from_numpy(scaled.astype(np.float32)).permute(0, 1, 4, 2, 3)).numpy()
        answer = compiled(pictures)[0]
        np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
