"""The released TCLNet program's network, slow and obvious, written from its description: plain functions over a state
dict in the program's layout, one clip and one frame at a time."""

from functools import cache

import numpy as np
import torch
from torch.nn import functional


def layout(classes):
    """Names and shapes of the released program's 365 tensors."""

    def norm(name, channels):
        vectors = {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}
        return vectors | {f"{name}.num_batches_tracked": ()}

    def block(name, channels, inner, axes, shortcut):
        """Three convolutions; in stages 1 to 3 they are written over one frame."""
        one, three = (*axes, 1, 1), (*axes, 3, 3)
        shapes = {f"{name}.conv1.weight": (inner, channels, *one)} | norm(f"{name}.bn1", inner)
        shapes |= {f"{name}.conv2.weight": (inner, inner, *three)} | norm(f"{name}.bn2", inner)
        shapes |= {f"{name}.conv3.weight": (4 * inner, inner, *one)} | norm(f"{name}.bn3", 4 * inner)
        if shortcut:
            shapes |= {f"{name}.downsample.0.weight": (4 * inner, channels, *one)}
            shapes |= norm(f"{name}.downsample.1", 4 * inner)
        return shapes

    def mixing(name, channels):
        shapes = {f"{name}.0.weight": (channels, channels, 1, 1), f"{name}.0.bias": (channels,)}
        return shapes | norm(f"{name}.1", channels)

    shapes = {"conv1.weight": (64, 3, 1, 7, 7)} | norm("bn1", 64)
    for stage, blocks, inner, before in ((1, 3, 64, 64), (2, 4, 128, 256), (3, 6, 256, 512)):
        for b in range(blocks):
            channels = before if b == 0 else 4 * inner
            shapes |= block(f"layer{stage}.{b}", channels, inner, (1,), b == 0)
    shapes |= mixing("layer2.4.W", 512)
    shapes |= block("TSE_Module.layer4.0", 1024, 512, (), True) | block("TSE_Module.layer4.1", 2048, 512, (), False)
    for learner in range(2):
        shapes |= block(f"TSE_Module.branch.{learner}", 2048, 512, (), False) | norm(f"bn.{learner}", 2048)
        shapes |= {f"classifier.{learner}.weight": (classes, 2048), f"classifier.{learner}.bias": (classes,)}
    shapes |= {"TSE_Module.conv_reduce.weight": (1024, 2048, 1, 1)}
    return shapes | mixing("TSE_Module.conv_erase", 1024)


def random_state(shapes, seed=0):
    """Weights and running statistics of no special form; no normalisation starts at zero."""
    generator = torch.Generator().manual_seed(seed)

    def values(name, shape):
        if name.endswith("num_batches_tracked"):
            return torch.tensor(1000)
        if len(shape) > 1:
            return torch.randn(shape, generator=generator) * (2 / np.prod(shape[1:])) ** 0.5
        if name.endswith(("running_var", "weight")):
            return 0.4 + 0.6 * torch.rand(shape, generator=generator)
        return 0.1 * torch.randn(shape, generator=generator)

    return {name: values(name, shape) for name, shape in shapes.items()}


def reference_norm(state, name, maps):
    weight, bias, mean, var = (
        state[f"{name}.{part}"].view(-1, *[1] * (maps.ndim - 1))
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (maps - mean) / torch.sqrt(var + 1e-5) * weight + bias


def reference_block(state, name, maps, stride=1):
    """One frame's maps (C, H, W) through a bottleneck, whose 3 x 3 convolution and shortcut carry the stride."""

    def convolved(name, maps, **options):
        weight = state[f"{name}.weight"]
        return functional.conv2d(maps[None], weight.reshape(*weight.shape[:2], *weight.shape[-2:]), **options)[0]

    inner = reference_norm(state, f"{name}.bn1", convolved(f"{name}.conv1", maps)).clamp(min=0)
    inner = convolved(f"{name}.conv2", inner, stride=stride, padding=1)
    inner = reference_norm(state, f"{name}.bn2", inner).clamp(min=0)
    inner = reference_norm(state, f"{name}.bn3", convolved(f"{name}.conv3", inner))
    if f"{name}.downsample.0.weight" in state:
        maps = reference_norm(state, f"{name}.downsample.1", convolved(f"{name}.downsample.0", maps, stride=stride))
    return (inner + maps).clamp(min=0)


def reference_stage(state, name, blocks, maps, stride):
    for b in range(blocks):
        maps = reference_block(state, f"{name}.{b}", maps, stride if b == 0 else 1)
    return maps


def mixed(state, name, vector):
    """1 x 1 convolution with bias and normalisation of one vector."""
    weight, bias = state[f"{name}.0.weight"][:, :, 0, 0], state[f"{name}.0.bias"]
    return reference_norm(state, f"{name}.1", weight @ vector + bias)


def smoothed(maps):
    """Each position's mean with those above and left of it; what is outside counts as zero."""
    keys = torch.zeros_like(maps)
    for i in range(maps.shape[1]):
        for j in range(maps.shape[2]):
            for a, b in ((i, j), (i - 1, j), (i, j - 1), (i - 1, j - 1)):
                if a >= 0 and b >= 0:
                    keys[:, i, j] += maps[:, a, b] / 4
    return keys


def reference_boosting(state, name, frames):
    """TSB of one clip: a list of maps to a list of maps."""
    keys = [functional.normalize(smoothed(maps).flatten(1), dim=0) for maps in frames]
    boosted = []
    for t, maps in enumerate(frames):
        query = functional.normalize(maps.mean((1, 2)), dim=0)
        others = [other for other in range(len(frames)) if other != t]
        attention = torch.softmax(5 * torch.cat([query @ keys[other] for other in others]), 0)
        answer = torch.cat([frames[other].flatten(1) for other in others], 1) @ attention
        boosted.append(maps + mixed(state, name, answer)[:, None, None])
    return boosted


def reference_erase(state, maps, keep, score):
    """``keep`` (H, W) of booleans; the softmax runs over what is kept."""
    gate = torch.zeros_like(score)
    gate[keep] = torch.softmax(score[keep], 0)
    context = (maps * gate).sum((1, 2))
    return torch.where(keep, maps, 0.0) + mixed(state, "TSE_Module.conv_erase", context)[:, None, None]


def reference_centre(correlation):
    """The row around which three rows sum to most; rows beyond the map count as zero."""
    means = [0.0, *correlation.mean(1).tolist(), 0.0]
    sums = [means[i] + means[i + 1] + means[i + 2] for i in range(len(means) - 2)]
    return sums.index(max(sums))


def reference_pair(state, first, second):
    """TSE of two frames' maps: both learners' maps, and the centre of the erased block."""

    def learn(n, maps):
        maps = reference_stage(state, "TSE_Module.layer4", 2, maps, 1)
        return reference_block(state, f"TSE_Module.branch.{n}", maps)

    height, width = first.shape[1:]
    everything = torch.ones(height, width, dtype=torch.bool)
    found = learn(0, reference_erase(state, first, everything, torch.ones(height, width)))
    reduced = state["TSE_Module.conv_reduce.weight"][:, :, 0, 0] @ found.mean((1, 2))
    correlation = torch.einsum("c,chw->hw", reduced, second) / len(reduced) ** 0.5
    centre = reference_centre(correlation)
    keep = everything.clone()
    keep[max(centre - 1, 0) : centre + 2] = False
    return found, learn(1, reference_erase(state, second, keep, correlation)), centre


def reference_clip(state, clip):
    """Both halves (2048,) of one clip of four normalised frames (4, 3, H, W), before the necks."""
    frames = []
    for frame in clip:
        maps = functional.conv2d(frame[None], state["conv1.weight"][:, :, 0], stride=2, padding=3)[0]
        maps = functional.max_pool2d(reference_norm(state, "bn1", maps).clamp(min=0), 3, 2, 1)
        frames.append(reference_stage(state, "layer2", 4, reference_stage(state, "layer1", 3, maps, 1), 2))
    frames = reference_boosting(state, "layer2.4.W", frames)
    frames = [reference_stage(state, "layer3", 6, maps, 2) for maps in frames]
    (y0, y1, _), (y2, y3, _) = (reference_pair(state, *frames[start : start + 2]) for start in (0, 2))
    g0, g1, g2, g3 = (maps.amax((1, 2)) for maps in (y0, y1, y2, y3))
    return (g0 + g2) / 2, (g1 + g3) / 2


def normalised(frames):
    """uint8 (n, H, W, 3) to (n, 3, H, W)."""
    values = frames.astype(np.float32) / 255
    values = (values - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    return torch.from_numpy(values.transpose(0, 3, 1, 2).copy())


PADDED = {1: (0, 0, 0, 0), 2: (0, 1, 0, 1), 3: (0, 1, 2, 0), 4: (0, 1, 2, 3)}


def reference_tracklet(state, pictures, lengths):
    """The embeddings of the first 1, 2, ... of a tracklet's normalised pictures (n, 3, H, W), as ``lengths`` say."""
    outputs = cache(lambda clip: reference_clip(state, pictures[list(clip)]))
    for length in lengths:
        starts = range(0, length, 4)
        clips = [outputs(tuple(start + place for place in PADDED[min(4, length - start)])) for start in starts]
        halves = []
        for half in range(2):
            mean = sum(clip[half] for clip in clips) / len(clips)
            vector = reference_norm(state, f"bn.{half}", mean)
            halves.append(vector / vector.norm())
        yield torch.cat(halves).numpy()
