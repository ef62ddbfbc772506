"""Shards: tar files of photos and their labels, read in sequence.

Their layout is WebDataset's: members of one name up to the first dot, the key,
belong together. KEY.jpg is a photo, and its label stands in KEY.cls, as text,
or in a field of KEY.json.
"""

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from thaw.atomic import cached_folder, write_json
from thaw.data import archives, remote
from thaw.data.archive_members import errors_explained, read_members
from thaw.data.files import is_hidden, is_photo
from thaw.data.groups import group_by_path
from thaw.data.label_options import LabelOptions
from thaw.data.photos import Photos
from thaw.data.pixels import EXTENSIONS
from thaw.data.shard_names import find_shards
from thaw.errors import UserError, shown
from thaw.progress import say

FIELDS = ("label", "cls", "class")  # of KEY.json
_PEEKED = 100  # members
_MOST_BYTES = 1 << 20  # of a label
_CONTENTS = ".contents.json"  # hidden names are no photos


def has_labels(shard: str, field: str | None = None) -> bool:
    """Returns whether the first members of a tar file are photos with labels.

    Args:
        shard: Path or address.
        field: Field of KEY.json with the label; None: KEY.cls, else one of
            `FIELDS`.
    """
    archives.facts_of(shard)  # it is there
    photos, labelled = set(), set()
    with errors_explained(shard):
        for number, (path, open_member) in enumerate(read_members(shard)):
            key, ending = _split(path)
            if ending in EXTENSIONS:
                photos.add(key)
            elif _read_label(ending, open_member, field) is not None:
                labelled.add(key)
            if photos & labelled or number == _PEEKED:
                break
    return bool(photos & labelled)


def labelled_shards(
    sources: Sequence[str | None],
    options: LabelOptions,
    split: str | None = None,
) -> list[list[str]] | None:
    """Returns the shards to train and to validate on; None for other sources.

    A single tar file without labels is none: it may hold class folders.

    Args:
        sources: Two of `find_shards`, of which the second may be None.
        options: Those that say where labels are.
        split: As in `load.load_photos`.

    Raises:
        UserError: If sources of two kinds are given, or an address of photos.
    """
    shards = [find_shards(source) if source else [] for source in sources]
    for source, names in zip(sources, shards, strict=True):
        if source and remote.is_remote(source) and not names:
            raise UserError(
                f"{shown(source)}: only predict.py reads photos at addresses "
                "one by one. Pack them into tar files, and give their address: "
                "tar -cf photos.tar photos"
            )
    training = shards[0]
    if not training or (
        len(training) == 1 and not has_labels(training[0], options.label_column)
    ):
        return None
    if options.label_regex or options.class_folders or split:
        raise UserError(
            f"{shown(training[0])} holds labels (.cls, .json). Drop "
            "`label_regex`, `class_folders` and `split`."
        )
    if sources[1] and not shards[1]:
        raise UserError(
            f"`validation_data`: {shown(sources[1])} is no tar file, as `data` "
            "is."
        )
    return shards


def load_shards(
    shards: Sequence[str], cache_dir: str | Path, options: LabelOptions
) -> Photos:
    """Returns the photos of some shards, which are unpacked once.

    Args:
        shards: Of `find_shards`.
        cache_dir: Folder to unpack them into, as in `archives.unpack`.
        options: Where `label_column` is the field of KEY.json with the label
            (None: KEY.cls, else one of `FIELDS`); `group_regex` is for KEY.jpg.

    Raises:
        UserError: If one is damaged or refused, or a photo has no label.
    """
    names, paths, labels, skipped = [], [], [], Counter()
    field = options.label_column
    for shard in shards:
        folder = _unpack(shard, cache_dir, field)
        contents = json.loads((folder / _CONTENTS).read_text("utf-8"))
        for name, label in contents["photos"]:
            if label is None:
                fields = field or ", ".join(FIELDS)
                raise UserError(
                    f"{shown(shard)}: {shown(name)} has no label. Expected one "
                    "in a .cls member of its name, or in a .json member, under "
                    f"{fields} (another field: `label_column`)."
                )
            names.append(name)
            paths.append(os.fspath(folder / name))
            labels.append(label)
        skipped.update(contents["skipped"])
    if not paths:
        raise UserError(f"No photos in {shown(shards[0])}.")
    photos = Photos.labelled(paths, labels)
    if options.group_regex is not None:
        named = dataclasses.replace(photos, paths=tuple(names))
        groups = group_by_path(named, "", options.group_regex).groups
        photos = dataclasses.replace(photos, groups=groups)
    note = "Labels: those in the tar files (.cls, .json)"
    return dataclasses.replace(photos, skipped=skipped, notes=(note,))


def read_photos(
    shard: str, place: Callable[[str], Path]
) -> Iterator[tuple[str, str]]:
    """Yields name and path of each photo of a tar file, in sequence.

    Args:
        shard: Path or address.
        place: Function from the ending of a file to the path to write it to.

    Raises:
        UserError: If it is damaged or refused.
    """
    with errors_explained(shard):
        for name, open_member in read_members(shard):
            if is_photo(name.name) and not any(map(is_hidden, name.parts)):
                path = place(name.suffix)
                archives.write_member(open_member, path)
                yield f"{shard}/{name.as_posix()}", os.fspath(path)


def _split(path):
    """Returns the key of a member, and the ending: `a/1`, `.jpg`."""
    name, dot, ending = path.name.partition(".")
    return path.with_name(name or path.name), (dot + ending).lower()


def _unpack(shard, cache_dir, field):
    """Returns a folder with the photos of a shard, and what is in it."""
    facts = f"{archives.facts_of(shard)}\0shard\0{field}"

    def make(folder):
        say(f"Unpacking {shown(shard)}")
        # Of two members of one name, the last one counts.
        photos, skipped = {}, Counter()
        labels = {".json": {}, ".cls": {}}
        with errors_explained(shard):
            for path, open_member in read_members(shard):
                key, ending = _split(path)
                if any(map(is_hidden, path.parts)):
                    continue
                if ending in EXTENSIONS:
                    archives.write_member(open_member, folder / path)
                    photos[path] = key
                elif ending in labels:
                    label = _read_label(ending, open_member, field)
                    if label is not None:
                        labels[ending][key] = label
                else:
                    skipped[ending or "no extension"] += 1
        label_of = labels[".json"] | labels[".cls"]
        rows = [
            (path.as_posix(), label_of.get(x)) for path, x in photos.items()
        ]
        contents = {"photos": rows, "skipped": skipped}
        write_json(folder / _CONTENTS, contents)

    return cached_folder(archives.folder_of(cache_dir, facts), make)


def _read_label(ending, open_member, field):
    """Returns the label that a member holds, or None."""
    if ending not in (".cls", ".json") or (ending == ".cls" and field):
        return None
    with open_member() as file:
        text = file.read(_MOST_BYTES).decode("utf-8").strip()
    if ending == ".cls":
        return text or None
    try:
        values = json.loads(text)
    except ValueError:
        return None
    names = FIELDS if field is None else (field,)
    if isinstance(values, dict):
        for name in names:
            value = values.get(name)
            if isinstance(value, str | int) and value != "":
                return str(value)
    return None
