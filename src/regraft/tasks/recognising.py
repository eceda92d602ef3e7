"""What DATA is, told by its files, and the reader that takes it."""

from dataclasses import replace
from pathlib import Path

from regraft.core import DataError
from regraft.core.unicode import valid_text
from regraft.tasks.class_names import card_of, label_among, names_in_card, names_in_schema
from regraft.tasks.hub import SCHEME, data_set_folder, parsed
from regraft.tasks.hub_layout import hub_files
from regraft.tasks.images import holds_pictures, read_image_folder
from regraft.tasks.picture_tables import holds_picture_tables, read_picture_tables
from regraft.tasks.reading import Columns, Reading, is_there, refuse_columns
from regraft.tasks.spans import holds_questions
from regraft.tasks.tables import read_schema
from regraft.tasks.text_files import TEXT_SUFFIXES, read_text_files, split_files
from regraft.tasks.tokens import holds_tags
from regraft.tasks.webdataset import is_shard, read_shards, shards_in


def read_data(data: str | Path, columns: Columns, *, offline: bool) -> tuple[Reading, str]:
    """The records of DATA, and what to call it.

    Raises:
        DataError: It is nothing that can be read.
    """
    if str(data).startswith(SCHEME):
        name, config = parsed(str(data))
        folder = data_set_folder(str(data), offline=offline)
        files = hub_files(folder, config)
        if not files:
            raise DataError(f"{data}: it holds no table of a known split; download it and give a folder of its files")
        return _read_tables(files, folder, config, columns), name.rpartition("/")[2]
    path = Path(data)
    return _read(path, columns), valid_text(path.resolve().name.split(".")[0])


def _read_tables(files: dict[Path, str], folder: Path, config: str, columns: Columns) -> Reading:
    """Records of files in the hub's layout."""
    names = names_in_card(card_of(folder), config)
    if holds_picture_tables(files):
        refuse_columns(folder, columns, "pictures", ("text", "pair"))
        return read_picture_tables(files, columns, names)
    if all(file.suffix.lower() == ".parquet" for file in files):
        schema = read_schema(next(iter(files)))
        told = {**names, **names_in_schema(schema)}
        structured = holds_tags(schema.names) or holds_questions(schema.names)  # which need no column of labels
        if columns.text in schema.names or not structured:
            columns = replace(columns, label=label_among(schema.names, columns, told))
    return read_text_files(files, columns, names)


def _read(path: Path, columns: Columns) -> Reading:
    """The records of whatever `path` is."""
    if not is_there(path):
        raise DataError(f"{path}: no such file or folder")
    if path.is_file():
        if is_shard(path):
            refuse_columns(path, columns, "pictures in shards")
            return read_shards([path])
        if path.suffix.lower() in TEXT_SUFFIXES:
            return _read_tables({path: ""}, path.parent, "", columns)
        raise DataError(f"{path}: cannot be read as data; give {', '.join(TEXT_SUFFIXES)}, .tar or a folder")
    if files := split_files(path):
        return _read_tables(files, path, "", columns)
    if shards := shards_in(path):
        refuse_columns(path, columns, "pictures in shards")
        return read_shards(shards)
    if files := hub_files(path):
        return _read_tables(files, path, "", columns)
    if holds_pictures(path):
        refuse_columns(path, columns, "pictures", ("text", "pair"))
        return read_image_folder(path, columns)
    raise DataError(
        f"{path}: neither pictures in class folders, nor tables named after splits, nor .tar shards are in it"
    )
