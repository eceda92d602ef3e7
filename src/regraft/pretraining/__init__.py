"""Stage one: a backbone of one's own, from pictures or texts."""

from regraft.pretraining.pretrain import Pretrained
from regraft.pretraining.verb import pretrain

__all__ = ["Pretrained", "pretrain"]
