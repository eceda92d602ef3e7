"""What is grafted on a trunk."""

from regraft.heads.classification import LinearHead, LogisticHead, MlpHead, build_head

__all__ = ["LinearHead", "LogisticHead", "MlpHead", "build_head"]
