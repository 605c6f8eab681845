"""The coherence constraint (AFA, Chen et al. 2020, equation 11): frames of one clip shall not differ."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.linalg import vector_norm

Kind = Literal["norm", "mse"]


def residual_norm(residuals: Tensor, kind: Kind) -> Tensor:
    """The mean length of the motion parts X_D, ``residuals`` (B, T, d) = frame vectors less their clip's vector.

    ``norm``: the L2 norm as printed, a mean over clips and frames, so that it depends on neither B nor T; its
    derivative at zero is taken as zero. ``mse``: the mean of squares that the paper's text calls equal to it.
    """
    residuals = residuals.float()
    if kind == "mse":
        return residuals.square().mean()
    return vector_norm(residuals, dim=2).mean()
