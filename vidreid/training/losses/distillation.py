"""Learning from another network's vectors of the same pictures."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cosine_similarity, kl_div

from vidreid.training.losses.triplet import distances


def cosine_distance(vectors: Tensor, teacher: Tensor) -> Tensor:
    """The mean of 1 - cos between ``vectors`` and the ``teacher``'s, both (n, d): 0..2."""
    return (1 - cosine_similarity(vectors.float(), teacher.detach().float())).mean()


def relation_divergence(vectors: Tensor, teacher: Tensor, temperature: float = 0.07) -> Tensor:
    """How differently the two networks rank the batch, seen from each picture; widths may differ.

    ``vectors`` (n, d), ``teacher`` (n, e). Each row of cosine similarities to the other pictures, divided by
    ``temperature``, becomes probabilities; the loss is the mean over rows of KL(teacher || student) in nats.
    """
    student = (_relations(vectors) / temperature).log_softmax(1)
    target = (_relations(teacher.detach()) / temperature).log_softmax(1)
    return kl_div(student, target, reduction="batchmean", log_target=True)


def _relations(vectors: Tensor) -> Tensor:
    """Cosine similarities (n, n - 1) of each vector to the others, in order."""
    count = len(vectors)
    similarities = -distances(vectors, "cosine")
    # Read as rows of n + 1, the diagonal is the first column.
    return similarities.flatten()[:-1].view(count - 1, count + 1)[:, 1:].reshape(count, count - 1)
