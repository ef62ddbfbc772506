"""Cached features, by view and photo, in shards on disk.

Caching what a frozen part computes is an old lead (feature extraction in
Chollet 2017, "Deep Learning with Python", 5.3); that it clashes with random
augmentation is discussed in arXiv:2508.15033, reuse of early stages in
arXiv:1907.05550 ("data echoing"). Thaw keeps a few views of each photo.

A shard is a `.npy` file of records: the row of a photo and its boundary
tensors. Its name holds the view and a checksum, so that a file that is torn,
damaged or from elsewhere is found, whatever wrote it.
"""

import contextlib
import threading
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from thaw.cache.folder import SHARD_NAME, CacheFolder, load_array
from thaw.progress import warn

SHARD_BYTES = 32 << 20  # what a killed run loses at most, held in memory
_FLOAT16_INFINITY = 0x7C00


class FeatureCache:
    """Boundary tensors of photos, by view and row.

    Safe to be written by one thread while another flushes it. Two runs with
    the same key write the same shards, under the same names.

    Attributes:
        shapes: Shape of each boundary tensor of one photo.
        dtype: float16 or float32.
        num_views: Views kept of each photo; 0: nothing is stored.
        lacks_room: Whether more would be kept if the disk allowed it.
        key: Everything that the tensors depend on, but view and row.
        layout: Arguments of another object for the same shards, but for its
            folder and `num_views`.
    """

    def __init__(
        self,
        shapes: Sequence[tuple[int, ...]],
        num_photos: int,
        *,
        num_views: int = 0,
        dtype: str = "float32",
        folder: CacheFolder | None = None,
        key: str = "",
    ):
        """Opens what is stored under `key`, or nothing.

        Args:
            shapes: Shape of each boundary tensor of one photo.
            num_photos: Number of photos, N.
            num_views: Views to keep of each photo.
            dtype: Of the tensors.
            folder: Where to store; needed if `num_views` > 0.
            key: Everything that the tensors depend on, but view and row.
        """
        self.shapes = [tuple(shape) for shape in shapes]
        self.layout = dict(
            shapes=self.shapes, num_photos=num_photos, dtype=dtype, key=key
        )
        self.dtype = dtype
        self.num_views = num_views
        self.lacks_room = False
        self._record = np.dtype(
            [("row", "<i8")]
            + [(str(i), dtype, shape) for i, shape in enumerate(self.shapes)]
        )
        self._num_photos = num_photos
        self._folder: Any = folder
        self.key = key
        self._shards = []  # memory-mapped boundary tensors of each shard
        self._places = {}  # view -> int32 (N, 2): shard or -1, position in it
        self._pending = []  # records of some photos each, of the view in hand
        self._pending_view: int | None = None
        self._writer = None  # thread that writes a shard
        self._lock = threading.Lock()

    @property
    def bytes_per_photo(self) -> int:
        """Disk that one view of one photo takes."""
        return self._record.itemsize

    @property
    def bytes_per_view(self) -> int:
        """Disk that one view of all photos takes."""
        return self._num_photos * self.bytes_per_photo

    @property
    def is_writable(self) -> bool:
        """False once writing failed."""
        return self._folder is None or self._folder.writable

    def stored(self, view: int) -> np.ndarray:
        """Returns which photos have that view in store, bool (N,).

        The first call of a view reads and verifies its shards.
        """
        if not self.num_views:
            return np.zeros(self._num_photos, bool)
        with self._lock:
            self._flush()  # what is still in memory counts
            return self._open_view(view)[:, 0] >= 0

    def read(self, view: int, rows: np.ndarray) -> list[np.ndarray]:
        """Returns the boundary tensors of photos that are all `stored`.

        Args:
            view: Which view.
            rows: Rows of B photos.

        Returns:
            Arrays (B, *shape), one per boundary tensor.
        """
        found = [np.empty((len(rows), *x), self.dtype) for x in self.shapes]
        places = self._places[view][rows].tolist()
        for i, (shard, position) in enumerate(places):
            for array, stored in zip(found, self._shards[shard], strict=True):
                array[i] = stored[position]
        return found

    def append(
        self, view: int, rows: np.ndarray, tensors: Sequence[np.ndarray]
    ) -> None:
        """Stores boundary tensors; they are on disk once their shard is full.

        Args:
            view: Which view.
            rows: Rows of B photos.
            tensors: Arrays (B, *shape), one per boundary tensor.

        Raises:
            FloatingPointError: If a value is beyond float16.
        """
        # Those of training photos that are mixed, and not cached, are float32.
        with np.errstate(over="ignore"):  # said below
            tensors = [np.asarray(array, self.dtype) for array in tensors]
        if self.dtype == "float16":
            for array in tensors:
                bits = array.view("uint16") & 0x7FFF
                if (bits == _FLOAT16_INFINITY).any():
                    raise FloatingPointError(
                        "The frozen part gives values beyond 65504, more than "
                        "float16 holds. Give `cache_dtype=float32`."
                    )
        if not self.num_views or not self._folder.writable:
            return
        with self._lock:
            if view != self._pending_view:
                self._flush()
                self._pending_view = view
            records = np.empty(len(rows), self._record)
            for name, values in zip(
                self._record.names,  # type: ignore[arg-type]  # of a record
                (rows, *tensors),
                strict=True,
            ):
                records[name] = values
            self._pending.append(records)
            if sum(x.nbytes for x in self._pending) >= SHARD_BYTES:
                self._flush()

    def flush(self) -> None:
        """Writes the shard that is not full yet, and waits for it."""
        with self._lock:
            self._flush()
            self._wait()

    def _wait(self):
        if self._writer is not None:
            self._writer.join()
            self._writer = None

    def _flush(self):
        """Makes a shard of what is pending, which a thread writes."""
        pending, self._pending = self._pending, []
        if not any(map(len, pending)) or not self._folder.writable:
            return
        records = np.concatenate(pending)
        view = self._pending_view
        self._open_view(view)
        self._add_shard(view, records)
        self._wait()
        self._writer = threading.Thread(
            target=self._write, args=(view, records, len(self._shards) - 1)
        )
        self._writer.start()

    def _write(self, view, records, number):
        """Writes a shard; from then on it is read from the disk."""
        name = f"{view:04d}-{self._checksum(view, records):08x}.npy"
        path = self._folder.write_array(self.key, name, records)
        if path is not None:
            # Cannot be opened, e.g. too many files are: it stays in memory.
            with contextlib.suppress(OSError):
                self._shards[number] = self._tensors(
                    np.lib.format.open_memmap(path, mode="r")
                )

    def _checksum(self, view, records):
        # Key and view count, too: a shard of another model is foreign here.
        start = zlib.crc32(f"{self.key} {view}".encode())
        return zlib.crc32(records.view("uint8"), start)

    def _open_view(self, view):
        if view not in self._places:
            self._places[view] = np.full((self._num_photos, 2), -1, "int32")
            damaged = 0
            for path in sorted(self._folder.files(self.key)):
                match = SHARD_NAME.fullmatch(path.name)
                if match and int(match[1]) == view:
                    try:
                        records = load_array(path)
                    except OSError:  # cannot be opened; not its own fault
                        continue
                    if self._is_intact(records, view, int(match[2], 16)):
                        self._add_shard(view, records)
                    else:
                        damaged += 1
                        path.unlink(missing_ok=True)
            if damaged:
                warn(
                    f"Cache: {damaged} damaged shard{'s' * (damaged != 1)} "
                    "removed, to be computed again"
                )
        return self._places[view]

    def _is_intact(self, records, view, checksum):
        return (
            records is not None
            and records.dtype == self._record
            and records.ndim == 1
            and self._checksum(view, records) == checksum
        )

    def _add_shard(self, view, records):
        self._shards.append(self._tensors(records))
        # Another thread may be reading: a place is set once, when it is valid.
        places, rows = self._places[view], records["row"]
        new = np.flatnonzero(places[rows, 0] < 0)
        places[rows[new], 1] = new
        places[rows[new], 0] = len(self._shards) - 1

    def _tensors(self, records):
        # Plain arrays: a memmap costs more each time a row is taken.
        return [np.asarray(records[str(i)]) for i in range(len(self.shapes))]
