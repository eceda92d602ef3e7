"""Data sets of the hub: `hf://OWNER/NAME[:CONFIG]` as a folder on this machine."""

from pathlib import Path

from regraft.core import DataError
from regraft.hub import REPOSITORY, hub_answers, told_offline
from regraft.tasks.class_names import CARD
from regraft.tasks.hub_layout import chosen_config
from regraft.tasks.tables import TABLE_SUFFIXES

SCHEME = "hf://"
# The branch where the hub keeps data sets of any form as Parquet files: CONFIG/SPLIT/0000.parquet.
CONVERTED = "refs/convert/parquet"
BRANCHES = (CONVERTED, None)
TABLES = tuple(f"*{suffix}" for suffix in TABLE_SUFFIXES)


def parsed(data: str) -> tuple[str, str]:
    """Repository and configuration, which is empty where none is said.

    Raises:
        DataError: It cannot be a repository's name.
    """
    name, colon, config = data.removeprefix(SCHEME).partition(":")
    if not REPOSITORY.fullmatch(name) or (colon and not config) or set("/*?[") & set(config):
        raise DataError(f"{data}: not the name of a data set; write {SCHEME}OWNER/NAME or {SCHEME}OWNER/NAME:CONFIG")
    return name, config


def data_set_folder(data: str, *, offline: bool) -> Path:
    """The folder in the hub's cache that holds a data set, downloaded if it must and can be.

    Args:
        data: `hf://OWNER/NAME[:CONFIG]`.
        offline: Open no connection.

    Raises:
        DataError: It is not there, or cannot be had.
    """
    name, config = parsed(data)
    offline = offline or told_offline()
    found = _downloaded(data, name, config) if not offline and hub_answers() else _cached(name)
    if found is None:
        why = "--offline is set" if offline else "the hub cannot be reached"
        raise DataError(
            f"{data}: not on this machine, and {why}; where there is a network, "
            f"`hf download --repo-type dataset {name} --local-dir DIR`, and give that folder"
        )
    return found


def _cached(name: str) -> Path | None:
    """What an earlier download left."""
    import huggingface_hub  # noqa: PLC0415 - half a second that local data need not pay
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    for branch in BRANCHES:
        try:
            return Path(
                huggingface_hub.snapshot_download(name, repo_type="dataset", revision=branch, local_files_only=True)
            )
        except LocalEntryNotFoundError:
            continue
    return None


def _downloaded(data: str, name: str, config: str) -> Path:
    import huggingface_hub  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, RevisionNotFoundError  # noqa: PLC0415

    for branch in BRANCHES:
        try:
            files = huggingface_hub.HfApi().list_repo_files(name, repo_type="dataset", revision=branch)
            wanted = [CARD, *TABLES]
            if branch is not None:
                configs = [file.partition("/")[0] for file in files if file.endswith(".parquet")]
                if not configs:
                    continue
                wanted = [f"{chosen_config(configs, config, data)}/*.parquet"]
            return Path(
                huggingface_hub.snapshot_download(name, repo_type="dataset", revision=branch, allow_patterns=wanted)
            )
        except RevisionNotFoundError:
            continue
        except (HfHubHTTPError, ValueError, OSError) as error:
            message = str(error).strip().split("\n")[0]
            raise DataError(f"{data}: cannot be had from the hub ({message})") from error
    raise DataError(f"{data}: the hub has no files of it")
