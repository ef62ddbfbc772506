"""Trees written from a meaning, which has to be found again, or asked for."""

import csv
import os
import random
import shlex

import pytest

from thaw.data.folder_tree import read_tree
from thaw.data.layout import find_readings
from thaw.data.load import load_photos
from thaw.errors import UserError

CLASSES = (
    "cat", "dog", "Golden Retriever", "golden retriever 2", "n02099601",
    "Käfer", "猫", "blé tendre", "T-shirt", "not_hotdog", "bullet train",
    "latest", "contest", "Testudo", "valley", "training shoes", "O'Hare",
    "[x]", "!wow", "fish, small", "fish, large", "100%", "7", "10", "B&W",
    "Müll (Rest)", "devil", "photo_album", "masked owl", "evaluator",
)  # fmt: skip
EXTRA = ("notes.txt", ".DS_Store", "Thumbs.db", "labels.xml", "._1.jpg", "x")
SPLITS = (
    ("train", "validation", "test"), ("Train", "Val", "Test"),
    ("training", "valid", "testing"), ("TRAIN", "VALID", "TEST"),
    ("training_set", "validation_set", "test_set"),
    ("train_images", "val_images", "test_images"),
    ("Training", "Validation", "Testing"), ("train2017", "val2017", "test2017"),
)  # fmt: skip
WRAPPERS = ("PetImages", "archive", "data", "my photos", "v2 (final)", "set")


class Tree:
    """A folder that is written from a meaning."""

    def __init__(self, root, rng):
        self.root, self.rng = str(root), rng
        self.count = 0

    def path(self, *names):
        return os.path.join(self.root, *names)

    def photos(self, number, *names):
        """Writes empty photos into a folder; returns their number."""
        os.makedirs(self.path(*names), exist_ok=True)
        for _ in range(number):
            self.count += 1
            ending = self.rng.choice((".jpg", ".JPG", ".png", ".jpeg"))
            name = f"{self.count:04d}{ending}"
            with open(self.path(*names, name), "xb"):
                pass
        if self.rng.random() < 0.2:
            with open(self.path(*names, self.rng.choice(EXTRA)), "wb"):
                pass
        return number

    def classes(self, class_names, *names):
        """Writes class folders; returns the number of photos by class."""
        nested = self.rng.random() < 0.2
        counts = {}
        for class_name in class_names:
            counts[class_name] = self.photos(
                self.rng.randint(1, 6), *names, class_name
            )
            if nested:
                year = str(self.rng.randint(2018, 2021))
                counts[class_name] += self.photos(1, *names, class_name, year)
        return counts

    def wrapped(self):
        """Returns the same one to three folders further in."""
        inner = Tree(self.root, self.rng)
        for name in self.rng.sample(WRAPPERS, self.rng.randint(1, 3)):
            inner.root = inner.path(name)
        os.makedirs(inner.root)
        return inner

    def class_names(self, most=10):
        return self.rng.sample(CLASSES, self.rng.randint(2, most))


def write_classes(tree):
    return tree.classes(tree.class_names(12)), None


def write_split(tree):
    train, validation, test = tree.rng.choice(SPLITS)
    names = tree.class_names()
    counts = tree.classes(names, train)
    kept = tree.rng.choice([(validation,), (test,), (validation, test)])
    others = [tree.classes(names, name) for name in kept]
    return counts, others[0]


def write_table(tree):
    place = tree.rng.choice([(), ("images",), ("train_images",)])
    tree.photos(tree.rng.randint(4, 12), *place)
    if place == ("train_images",):
        tree.photos(3, "test_images")
    names, counts = tree.class_names(3), {}
    by_id = tree.rng.random() < 0.5
    photos = sorted(x for x in os.listdir(tree.path(*place)) if x[:4].isdigit())
    with open(tree.path("labels.csv"), "w", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id" if by_id else "path", "label"])
        for number, photo in enumerate(photos):
            name = names[number % len(names)]
            counts[name] = counts.get(name, 0) + 1
            path = photo[:4] if by_id else "/".join([*place, photo])
            writer.writerow([path, name])
    return counts, None


def in_wrapper(write):
    return lambda tree: write(tree.wrapped())


PLAIN = (
    write_classes,
    write_split,
    write_table,
    in_wrapper(write_classes),
    in_wrapper(write_split),
)


def write_named_split(tree):
    """Names that say more than the part: a split, or classes?"""
    stem = tree.rng.choice(("seg", "flowers", "my"))
    names = tree.class_names()
    counts = tree.classes(names, f"{stem}_train")
    others = tree.classes(names, f"{stem}_test")
    tree.photos(2, f"{stem}_pred")
    options = {
        "data": tree.path(f"{stem}_train"),
        "validation_data": tree.path(f"{stem}_test"),
    }
    return options, counts, others


def write_unlabelled_beside(tree):
    counts = tree.classes(tree.class_names())
    part = tree.rng.choice(("test", "val", "Testing", "unlabeled", "holdout"))
    tree.photos(3, part)
    if len(counts) > 2:
        patterns = f"*,!{part}"
        return {"data": tree.root, "class_folders": patterns}, counts, None
    counts[part] = 3
    return {"data": tree.root, "class_folders": "*"}, counts, None


def write_train_as_class(tree):
    """As bus, car, train/steam, train/diesel."""
    counts = tree.classes(tree.class_names())
    inner = tree.classes(["steam", "diesel"], "train")
    counts["train"] = sum(inner.values())
    return {"data": tree.root, "class_folders": "*"}, counts, None


def write_folds(tree):
    names, counts = tree.class_names(), {}
    stem = tree.rng.choice(("fold_", "part", "Batch "))
    for number in range(1, tree.rng.randint(3, 6)):
        for name, count in tree.classes(names, f"{stem}{number}").items():
            counts[name] = counts.get(name, 0) + count
    return {"data": tree.root, "class_folders": "*/*"}, counts, None


def write_masks(tree):
    first, second = tree.rng.choice(
        [("images", "masks"), ("JPEGImages", "SegmentationClass"),
         ("image", "label"), ("train", "test"), ("fold1", "fold2")]
    )  # fmt: skip
    counts = {first: tree.photos(4, first), second: tree.photos(4, second)}
    return {"data": tree.root, "class_folders": "*"}, counts, None


def write_split_in_classes(tree):
    """Each class folder holds train/ and test/."""
    counts = {}
    for name in tree.class_names():
        counts[name] = tree.photos(3, name, "train")
        tree.photos(2, name, "test")
    return {"data": tree.root, "class_folders": "*/train"}, counts, None


def write_copy(tree):
    """The class folders once more, in a folder beside them."""
    names = tree.class_names()
    counts = tree.classes(names)
    tree.classes(names, "cell_images")
    options = {"data": tree.root, "class_folders": "*,!cell_images"}
    return options, counts, None


AMBIGUOUS = (
    write_named_split,
    write_unlabelled_beside,
    write_train_as_class,
    write_folds,
    write_masks,
    write_split_in_classes,
    write_copy,
)


def filled(photos):
    if photos is None:
        return None
    return {name: count for name, count in photos.counts().items() if count}


@pytest.mark.parametrize("seed", range(32))
def test_a_plain_meaning_is_found(tmp_path, seed):
    for number, write in enumerate(PLAIN):
        root = tmp_path / f"tree{number}"
        root.mkdir()
        train, validation = write(Tree(root, random.Random(seed * 10 + number)))
        found = load_photos(root)
        assert [filled(x) for x in found] == [train, validation], write
        known = load_photos(root, class_names=sorted(train))
        assert [filled(x) for x in known] == [train, validation], write


@pytest.mark.parametrize("seed", range(8))
def test_photos_without_labels_are_counted(tmp_path, seed):
    tree = Tree(tmp_path, random.Random(seed))
    count = tree.photos(tree.rng.randint(2, 9))
    with pytest.raises(UserError, match=rf"\({count} lie directly in it"):
        load_photos(tmp_path)
    (tmp_path / "more").mkdir()
    tree.photos(3, "more")
    with pytest.raises(UserError, match="If the 3 photos show more"):
        load_photos(tmp_path)


@pytest.mark.parametrize("seed", range(10))
def test_an_ambiguous_meaning_is_among_those_shown(tmp_path, seed):
    for number, write in enumerate(AMBIGUOUS):
        root = tmp_path / f"tree{number}"
        root.mkdir()
        rng = random.Random(seed * 10 + number)
        options, train, validation = write(Tree(root, rng))
        with pytest.raises(UserError, match="can be read in") as error:
            load_photos(root)
        given = [f"`{name}={shlex.quote(x)}`" for name, x in options.items()]
        assert " ".join(given) in str(error.value)
        found = load_photos(**options)
        assert [filled(x) for x in found] == [train, validation], write


@pytest.mark.parametrize("write", AMBIGUOUS)
def test_the_options_shown_load_what_is_shown(tmp_path, write):
    write(Tree(tmp_path, random.Random(5)))
    readings = find_readings(read_tree(tmp_path))
    # No option asks for a split inside class folders: it is only shown.
    asked_for = [x for x in readings if x.options]
    assert len(readings) - len(asked_for) == (write is write_split_in_classes)
    for reading in asked_for:
        train, validation = load_photos(**reading.options)
        for photos, classes in (
            (train, reading.train),
            (validation, reading.validation),
        ):
            if classes is None:
                assert photos is None
            else:
                counts = {name: classes.count(name) for name in classes.names}
                assert filled(photos) == counts
