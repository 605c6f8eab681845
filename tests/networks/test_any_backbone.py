"""The papers' modules on backbones that the papers do not know."""

import pytest
import torch
from small import small_clips

from vidreid.networks import VideoNetwork, afa, qan, tclnet
from vidreid.networks.backbones import Backbone, osnet, slim

BACKBONES = {
    "osnet": lambda: osnet.build(osnet.Settings(width=0.25)),
    "slim": lambda: slim.build(slim.Settings(widths=(8, 8, 12, 16))),
}
NETWORKS = {
    "tsb": lambda backbone: tclnet.build(backbone, tclnet.Settings(learners=1)),
    "tse": lambda backbone: tclnet.build(backbone, tclnet.Settings(tsb=(), block_height=1)),
    "afa": lambda backbone: afa.build(backbone, afa.Settings(sigma=0.5, tsb=(1,))),
    "qan": lambda backbone: qan.build(backbone, qan.Settings(sigma=0.5)),
}


@pytest.mark.parametrize("module", NETWORKS)
@pytest.mark.parametrize("kind", BACKBONES)
def test_networks_learn_on_any_backbone(kind: str, module: str) -> None:
    torch.manual_seed(0)
    backbone: Backbone = BACKBONES[kind]()
    for layer in backbone.modules():
        if isinstance(layer, osnet.Gate):  # its one hidden unit may be off for every picture
            torch.nn.init.ones_(layer.share[0].bias)
    network: VideoNetwork = NETWORKS[module](backbone).train()
    features = network.features(small_clips())
    assert [tuple(vector.shape) for vector in features.vectors] == [(2, backbone.widths[-1])] * network.branches
    seen = features.varied or features.vectors
    sum((vectors * torch.randn_like(vectors)).sum() for vectors in seen).backward()
    still = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert [name for name in still if not name.startswith("necks.")] == []
    with torch.no_grad():
        assert network.eval()(small_clips()).isfinite().all()
