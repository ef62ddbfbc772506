"""From files to batches: index, checks, split, decoder, views."""

MAX_PIXELS = 100_000_000  # of a photo that can be used, if nothing else is said
SPLIT_NAMES = {  # of folders, and in tables
    "train": ("train",),
    "validation": ("validation", "valid", "val"),
    "test": ("test",),
}
