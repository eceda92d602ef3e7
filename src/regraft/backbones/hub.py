"""Repositories of the hub: their names, and their files in the hub's cache or on the hub."""

from pathlib import Path

from regraft.backbones.checkpoints import WEIGHTS
from regraft.backbones.folders import CONFIG, read_config
from regraft.core import BackboneError, HubError
from regraft.hub import REPOSITORY, hub_answers

# A repository has the files of its own kind of tokenizer or preprocessing, and not the others.
OPTIONAL = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "merges.txt",
    "vocab.json",
    "preprocessor_config.json",
)


def parse_repository(text: str, said: str) -> tuple[str, str | None]:
    """Repository and revision of `OWNER/NAME[@REVISION]`.

    Raises:
        BackboneError: It cannot be a repository's name.
    """
    repository, at, revision = text.partition("@")
    if not REPOSITORY.fullmatch(repository) or (at and not revision):
        raise BackboneError(
            f"--backbone {said}: not the name of a repository; write hf:OWNER/NAME or hf:OWNER/NAME@REVISION"
        )
    return repository, revision or None


def hub_folder(repository: str, revision: str | None, *, offline: bool) -> Path:
    """The folder in the hub's cache with all files of a repository that its trunk needs.

    Raises:
        BackboneError: One is not there, or cannot be reached.
    """
    folder = hub_file(repository, CONFIG, revision=revision, offline=offline).parent
    in_timm_form = "architecture" in read_config(folder)
    for name in () if in_timm_form else OPTIONAL:
        try:
            hub_file(repository, name, revision=revision, offline=offline)
        except BackboneError:
            continue
    return hub_file(repository, WEIGHTS, revision=revision, offline=offline).parent


def hub_file(repository: str, name: str, *, revision: str | None, offline: bool) -> Path:
    """A file of a hub repository, from the hub's cache or, unless `offline`, from the hub.

    Raises:
        HubError: It is not there, or cannot be reached.
    """
    import huggingface_hub  # noqa: PLC0415 - half a second that local backbones need not pay
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    lacking = f"{repository}: {name} is not on this machine and {{}}; give a local folder, "
    lacking += "bundled:minilm (texts) or bundled:resnet-small (pictures)"
    here = huggingface_hub.try_to_load_from_cache(repository, name, revision=revision)
    if offline:  # the download function reports to the hub even where it takes a local file
        if isinstance(here, str):
            return Path(here)
        raise HubError(lacking.format("--offline is set"))
    if not isinstance(here, str) and not hub_answers():  # the download function would try for half a minute
        raise HubError(lacking.format("the hub cannot be reached"))
    try:
        return Path(huggingface_hub.hf_hub_download(repository, name, revision=revision))
    except LocalEntryNotFoundError as error:
        raise HubError(lacking.format("the hub cannot be reached")) from error
    except (HfHubHTTPError, ValueError, OSError) as error:
        message = str(error).strip().split("\n")[0]
        raise HubError(f"{repository}: {name} cannot be had from the hub ({message})") from error
