"""TCLNet (Hou et al., ECCV 2020), and by its settings every system of that paper's tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from vidreid.errors import InputError
from vidreid.networks import Features, VideoNetwork
from vidreid.networks.afa import Scope, vary
from vidreid.networks.backbones import Backbone, Pool, pool
from vidreid.networks.modules.dropblock import DropBlock
from vidreid.networks.modules.erasing import Erasing
from vidreid.networks.modules.non_local import NonLocal
from vidreid.networks.modules.temporal import looks_across, run
from vidreid.networks.modules.tsb import TSB
from vidreid.networks.modules.tse import TSE


@dataclass(frozen=True, slots=True)
class Settings(Erasing):
    """The paper's TCLNet, unless told otherwise. Stages count from 1; the last one is the learners',
    where there are several.

    ``learners`` N, which is also the frames of a segment; 1 is the baseline with temporal average pooling.
    ``single_shot`` makes every frame the N frames of a segment of its own (section 4.3). ``tsb``, ``non_local`` and
    ``dropblock`` name the stages that have one: TSB with temperature ``tau`` after the stage, a non-local block after
    each of its blocks, DropBlock after everything. ``neck``: batch normalisation of each learner's vector, and
    ``after_neck`` whether the embedding is taken after it. ``pool`` makes a vector of a map.
    ``sigma`` puts AFA on each learner, whose frames are one of each segment, with that deviation of its coefficient,
    drawn once a ``delta_scope``; None is TCLNet.
    """

    learners: int = 2
    single_shot: bool = False
    tsb: tuple[int, ...] = (2,)
    tau: float = 5.0
    non_local: tuple[int, ...] = ()
    dropblock: tuple[int, ...] = ()
    pool: Pool = "mean"
    neck: Literal["bn", "none"] = "bn"
    after_neck: bool = True
    sigma: float | None = None
    delta_scope: Scope = "batch"


class TCLNet(VideoNetwork):
    """Clips of T frames, cut in segments of N, to v_1 .. v_N: a learner's mean over the segments (eq. 7)."""

    def __init__(self, backbone: Backbone, settings: Settings) -> None:
        super().__init__(backbone.widths[-1], settings.learners, neck=settings.neck == "bn")
        self.settings = settings
        self.after_neck = settings.after_neck
        self.multiple = 1 if settings.single_shot else settings.learners
        *stages, last = (
            _equipped(stage, number, width, settings)
            for number, (stage, width) in enumerate(zip(backbone.stages, backbone.widths, strict=True), 1)
        )
        self.stem = backbone.stem
        self.stages = nn.ModuleList(stages)
        channels, width = backbone.widths[-2:]
        self.tse = TSE(last, settings.learners, channels, width, settings)
        self.erases = self.tse.erase is not None
        self.framewise = self.multiple == 1 and not looks_across(self)

    def features(self, clips: Tensor) -> Features:
        """v_1 .. v_N, each (B, d), and what they are the means of."""
        frames = clips.shape[1]
        if frames % self.multiple:
            raise InputError(
                f"tclnet: clips of {frames} frames cannot be cut in segments of {self.multiple}",
                f"give clips of {self.multiple}, {2 * self.multiple}, ... frames",
            )
        maps = self.stem(clips.flatten(0, 1))
        for stage in self.stages:
            maps = run(stage, maps, frames)
        segments = self._segments(maps)
        each = frames // self.multiple
        learnt, blocks = self.tse.learn(segments, each)
        seen = tuple(pool(maps, self.settings.pool).unflatten(0, (-1, each)) for maps in learnt)
        rows = None if blocks is None else blocks.unflatten(0, (-1, each))
        vectors = tuple(frames.mean(1) for frames in seen)
        sigma = self.settings.sigma
        if not self.training or sigma is None:
            return Features(vectors, seen, rows=rows)
        scope = self.settings.delta_scope
        varied = tuple(vary(frames, mean, sigma, scope) for frames, mean in zip(seen, vectors, strict=True))
        return Features(vectors, seen, varied, rows)

    def _segments(self, maps: Tensor) -> Tensor:
        """Maps (B * T, D, H, W) as segments (n, N, D, H, W)."""
        if self.settings.single_shot:
            return maps.unsqueeze(1).expand(-1, self.branches, -1, -1, -1)
        return maps.unflatten(0, (-1, self.branches))


def _equipped(stage: nn.Sequential, number: int, width: int, settings: Settings) -> nn.Sequential:
    """``stage`` with the blocks that the settings put into it and after it."""
    blocks: list[nn.Module] = []
    for block in stage:
        blocks += [block, NonLocal(width)] if number in settings.non_local else [block]
    if number in settings.tsb:
        blocks.append(TSB(width, settings.tau))
    if number in settings.dropblock:
        blocks.append(DropBlock())
    return nn.Sequential(*blocks)


def build(backbone: Backbone, settings: Settings) -> VideoNetwork:
    """TCLNet on ``backbone``; an `InputError` where the settings name stages that cannot have a block."""
    # One learner is the last stage itself; several share it but for its last block, which must stay one of its own.
    count = len(backbone.stages) - (settings.learners > 1)
    for name, stages in (("tsb", settings.tsb), ("non_local", settings.non_local), ("dropblock", settings.dropblock)):
        if not set(range(1, count + 1)).issuperset(stages):
            raise InputError(
                f"tclnet: {name} after stages {list(stages)} of a backbone of {len(backbone.stages)}",
                f"name some of the stages 1 to {count}; of several learners, the last one is theirs",
            )
    if settings.learners < 1:
        raise InputError(f"tclnet: {settings.learners} learners", "have one or more")
    return TCLNet(backbone, settings)
