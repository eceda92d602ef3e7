"""Where the weights are that a passport speaks of."""

from pathlib import Path

from regraft.backbones.bundled import bundled_folder
from regraft.backbones.hub import hub_folder, parse_repository
from regraft.core import Passport


def original_folder(passport: Passport, *, offline: bool) -> Path | None:
    """The folder that a backbone was loaded from; None where it came from none, or from one that is gone.

    A repository of the hub is taken at the passport's revision, however it has changed since.

    Raises:
        BackboneError: It cannot be had from the hub, or its package is missing.
    """
    kind, _, name = passport.source.partition(":")
    if Path(passport.source).is_dir():
        return Path(passport.source)
    if kind == "bundled":
        return bundled_folder(name)
    if kind == "hf":
        repository, revision = parse_repository(name, passport.source)
        return hub_folder(repository, passport.revision or revision, offline=offline)
    return None
