"""What tuning cost of what the trunk knew before, and how to keep that small."""

from regraft.forgetting.budget import Kept, keep_within
from regraft.forgetting.classes import Forgotten, Proxy, forgotten, source_proxy

__all__ = ["Forgotten", "Kept", "Proxy", "forgotten", "keep_within", "source_proxy"]
