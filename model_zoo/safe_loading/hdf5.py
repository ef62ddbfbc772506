"""An HDF5 file of weights, checked before Keras reads numbers from it.

Keras writes every array in one piece, unpacked. So whatever is linked, packed,
virtual or in another file was not written by it, and what is claimed of a size
can be compared with what is there.
"""

import functools
import io
import math
import os
import re
from pathlib import Path

import h5py
import numpy as np

from model_zoo.safe_loading.by_name import WEIGHTS_WANTED
from thaw.errors import UserError, first_line

_MOST_OBJECTS = 200_000  # groups, arrays and what is said of them
_MOST_TEXT = 1 << 28  # bytes that names of layers and weights may take
# A heap of texts, and its size (HDF5 File Format Specification 3.0, III.E).
_HEAP = re.compile(rb"GCOL\x01.{3}(.{8})", re.DOTALL)
_READ_BYTES = 1 << 24  # at a time
_OF_WHOLE_MODELS = {"model_config", "training_config"}  # of whole models


def check_weights(source: str | Path | io.BytesIO, name: str) -> int:
    """Checks the structure of an HDF5 file; of the arrays nothing is read.

    Args:
        source: Path of the file, or its content.
        name: The file, for the message.

    Returns:
        How many numbers its arrays hold.

    Raises:
        UserError: If it is damaged, or has what Keras's files have not.
    """
    if isinstance(source, io.BytesIO):
        size = source.getbuffer().nbytes
    else:
        size = os.stat(source).st_size
    try:
        with h5py.File(source, "r") as file:
            return _Check(name, size, source).walk(file)
    except UserError:
        raise
    # h5py raises what it likes on damage: KeyError, RuntimeError, OSError...
    except Exception as error:
        raise UserError(
            f"Cannot read the weights file {name} ({type(error).__name__}: "
            f"{first_line(error)}) Expected {WEIGHTS_WANTED}; was it "
            "downloaded completely?"
        ) from error


class _Check:
    def __init__(self, name, size, source):
        self._name = name
        self._size = size
        self._source = source
        self._num_texts = 0
        self._claimed = 0  # bytes
        self._num_objects = 0
        self._seen = set()

    def walk(self, file):
        """Returns the number of numbers in the arrays of a file."""
        if file.userblock_size:
            raise self._refused("there is something else before its content")
        numbers = 0
        objects = [file["/"]]
        while objects:
            found = objects.pop()
            facts = h5py.h5o.get_info(found.id)
            if facts.addr in self._seen:
                raise self._refused(f"{found.name!a} has two names in it")
            self._seen.add(facts.addr)
            self._attributes(found)
            if isinstance(found, h5py.Dataset):
                numbers += self._dataset(found)
            elif isinstance(found, h5py.Group):
                objects += self._members(found)
            else:
                raise self._refused(f"{found.name!a} is a type, not an array")
        return numbers

    def _members(self, group):
        self._count(len(group))
        for name in group:
            if not name.isprintable():
                raise self._refused(f"a name in it is {name!a}")
            if type(group.get(name, getlink=True)) is not h5py.HardLink:
                raise self._refused(f"{name!a} is a link to somewhere else")
        return [group[name] for name in group]

    def _dataset(self, dataset):
        """Returns how many numbers an array holds."""
        name, dtype = dataset.name, dataset.dtype
        is_number = dtype.kind in "fiub" and dtype.itemsize <= 8
        # bfloat16 and float8, which HDF5 has no types for.
        is_small = dtype.kind == "V" and dtype.itemsize <= 2
        if not is_number and not (
            is_small and dtype.fields is None and dtype.subdtype is None
        ):
            raise self._refused(f"{name!a} holds {dtype}, not plain numbers")
        if dataset.shape is None:
            raise self._refused(f"{name!a} has no shape")
        plan = dataset.id.get_create_plist()
        if plan.get_external_count():
            raise self._refused(f"the numbers of {name!a} are in another file")
        if plan.get_layout() not in (h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS):
            raise self._refused(
                f"the numbers of {name!a} are packed, in pieces or virtual; "
                "Keras stores them in one piece"
            )
        num_bytes = math.prod(dataset.shape) * dtype.itemsize
        if dataset.id.get_storage_size() != num_bytes:
            raise self._refused(
                f"{name!a} says it has {num_bytes:,} bytes, and has "
                f"{dataset.id.get_storage_size():,}"
            )
        self._claim(num_bytes)
        return math.prod(dataset.shape)

    def _attributes(self, found):
        self._count(len(found.attrs))
        weight_names = []
        for name in found.attrs:
            if name in _OF_WHOLE_MODELS:
                raise self._refused(
                    "it is a whole model in HDF5, not its weights alone. "
                    "Save these with Model.save_weights, or the model as .keras"
                )
            attribute = found.attrs.get_id(name)
            dtype = attribute.dtype
            number = (
                0 if attribute.shape is None else math.prod(attribute.shape)
            )
            if h5py.check_string_dtype(dtype):
                self._texts(name, number)
            elif dtype.kind not in "fiub":
                raise self._refused(f"its attribute {name!a} holds {dtype}")
            self._claim(number * dtype.itemsize)
            if name.startswith("weight_names"):
                weight_names += np.ravel(found.attrs[name]).tolist()
        if len(set(weight_names)) < len(weight_names):
            raise self._refused(f"{found.name!a} names its weights twice")

    def _texts(self, name, number):
        """Refuses many texts of any length, all of which are one long one."""
        self._num_texts += number
        if number > 1 and self._num_texts * self._largest_heap > _MOST_TEXT:
            raise self._refused(f"its attribute {name!a} may be too long")

    @functools.cached_property
    def _largest_heap(self):
        """The most bytes that one text of the file may have."""
        if isinstance(self._source, io.BytesIO):
            content = [self._source.getbuffer()]
        else:
            content = _overlapping_parts(self._source)
        sizes = [
            int.from_bytes(found[1], "little")
            for part in content
            for found in _HEAP.finditer(part)
        ]
        return max(sizes, default=0)

    def _claim(self, num_bytes):
        self._claimed += num_bytes
        if self._claimed > self._size:
            raise self._refused("its arrays claim more than it has bytes")

    def _count(self, num_objects):
        self._num_objects += num_objects
        if self._num_objects > _MOST_OBJECTS:
            raise self._refused(f"it has over {_MOST_OBJECTS:,} parts")

    def _refused(self, reason):
        return UserError(
            f"{self._name} is refused: {reason}. Expected {WEIGHTS_WANTED}."
        )


def _overlapping_parts(path):
    """Yields the content of a file, with a little of the part before each."""
    end = b""
    with open(path, "rb") as file:
        while part := file.read(_READ_BYTES):
            yield end + part
            end = part[-16:]
