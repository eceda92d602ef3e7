"""The hub: how its repositories are named, and whether it answers, asked once and without retries."""

import os
import re

# The hub's own rule: letters, digits, `-`, `_` and `.`, neither at the ends nor `--` or `..` within.
REPOSITORY = re.compile(r"(?!.*(--|\.\.))(\w[\w.-]*/)?\w([\w.-]{0,94}\w)?(?<!\.git)", re.ASCII)

ANSWER_SECONDS = 5.0  # the hub's library itself tries six times, for half a minute
YES = {"1", "on", "yes", "true"}  # as the hub's library reads them


def told_offline() -> bool:
    """Whether the environment says that no connection shall be opened."""
    return os.environ.get("HF_HUB_OFFLINE", "").lower() in YES


def hub_answers() -> bool:
    """Whether the hub can be reached; within seconds."""
    if told_offline():
        return False
    import huggingface_hub  # noqa: PLC0415 - half a second that what is on this machine need not pay

    try:
        huggingface_hub.get_session().head(huggingface_hub.constants.ENDPOINT, timeout=ANSWER_SECONDS)
    except Exception:  # noqa: BLE001 - which errors there are depends on what the hub's library sends requests with
        return False
    return True
