"""Texts as a language model is asked about them: which tokens are hidden, and what stands there."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor

from regraft.backbones.language_heads import LanguageHead

SHARE = 0.15  # of a text's tokens are hidden at a time (Devlin 2019)
IGNORED = -100  # cross_entropy's mark of a place that does not count


def asked(head: LanguageHead, inputs: Sequence[Tensor], seeds: Sequence[str]) -> tuple[list[Tensor], list[Tensor]]:
    """What the trunk is shown of each text, and what its head should say where.

    Of a masked model 15 % of a text's own tokens, at least one, are replaced by the mask token, all of them: which is a
    function of the text's seed alone. Of a causal model each token is asked of those before it.

    Args:
        head: Says which of the two.
        inputs: Ids and types of each text, int64 (2, T).
        seeds: One for each text.

    Returns:
        Inputs to collate, and for each the wanted ids, int64 (T,), with -100 where nothing is asked.
    """
    shown, wanted = [], []
    for one, seed in zip(inputs, seeds, strict=True):
        ids = one[0]
        answers = torch.full_like(ids, IGNORED)
        if head.task == "causal":
            answers[:-1] = ids[1:]
            shown.append(one)
        else:
            places = [place for place, token in enumerate(ids.tolist()) if token not in head.special]
            count = min(max(1, round(SHARE * len(places))), len(places))
            hidden = sorted(random.Random(seed).sample(places, count))  # noqa: S311 - not a secret
            answers[hidden] = ids[hidden]
            masked = one.clone()
            masked[0, hidden] = head.mask_token
            shown.append(masked)
        wanted.append(answers)
    return shown, wanted


def padded(wanted: Sequence[Tensor], length: int) -> Tensor:
    """Wanted ids of a batch, (B, T), padded with what does not count."""
    batch = torch.full((len(wanted), length), IGNORED)
    for row, one in enumerate(wanted):
        batch[row, : len(one)] = one
    return batch
