"""Names of folders that are parts of a split, or no classes for sure."""

import functools
import re
from collections.abc import Collection

_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_HOLD_OUT = re.compile(r"(hold|held)[\W_]?out", re.IGNORECASE)
_ROLES = {
    **dict.fromkeys(
        ("train", "training", "trainval", "trainset", "trainingset"), "train"
    ),
    **dict.fromkeys(
        ("validation", "valid", "val", "valset", "validationset"), "validation"
    ),
    **dict.fromkeys(("test", "testing", "testset", "testingset"), "test"),
    **dict.fromkeys(
        (
            *("dev", "devel", "eval", "evaluation", "holdout", "heldout"),
            *("pred", "preds", "predict", "prediction", "predictions"),
            *("inference", "submission", "unseen"),
            *("unlabeled", "unlabelled", "unsorted"),
        ),
        "other",
    ),
}
_CONTAINERS = set(
    "set sets data dataset datasets image images img imgs photo photos picture "
    "pictures pic pics jpg jpeg png file files folder folders dir split subset "
    "frames all".split()
)
_TARGETS = set(
    "mask masks label labels annotation annotations segmentation segmentations "
    "gt groundtruth truth depth edges bbox boxes".split()
)
_VARIANTS = set(
    "rgb raw original originals processed augmented ground input inputs target "
    "targets".split()
)
_UNSORTED = _CONTAINERS - set("image img photo picture pic set frames".split())
_PARTS = set("fold part batch chunk shard split subset folder".split())
# Photos of one class are kept by these, not classes by it.
_OCCASIONS = _PARTS | set(
    "session sequence seq video clip scene series day cam camera take set year "
    "month week trip visit site location".split()
)
_KINDS = set(
    "class type kind category label breed species grade level stage group "
    "cluster phase score degree".split()
)
_DATE = re.compile(r"(19|20)\d\d([-_. ]?\d\d){0,2}")


@functools.cache
def words(name: str) -> tuple[str, ...]:
    """Returns the words of a name in lower case: `seg_trainA2`: seg, train, a.

    They are split at what is no letter, and where upper case begins.
    """
    name = _HOLD_OUT.sub("holdout", name)
    found = [_CAMEL.sub(" ", word).split() for word in _WORD.findall(name)]
    return tuple(word.lower() for some in found for word in some)


def split_role(name: str) -> str | None:
    """Returns the part of a split that a name says, if it says nothing else.

    Returns:
        `train`, `validation`, `test`, `other` (as `holdout`); or None, as for
        `latest` or `bullet train`.
    """
    roles = [_ROLES[word] for word in words(name) if word in _ROLES]
    says_more = any(
        word not in _ROLES and word not in _CONTAINERS and len(word) > 1
        for word in words(name)
    )
    return roles[0] if roles and not says_more else None


def split_words(name: str) -> set[str]:
    """Returns the parts of a split that words of a name say."""
    return {_ROLES[word] for word in words(name) if word in _ROLES}


def is_container(name: str) -> bool:
    """Returns whether a name is one such as `images`, `masks`, `raw_data`."""
    known = _CONTAINERS | _TARGETS | _VARIANTS
    return bool(words(name)) and set(words(name)) <= known


def is_unsorted(name: str) -> bool:
    """Returns whether a name is one such as `images`, of any photos."""
    return bool(words(name)) and set(words(name)) <= _UNSORTED


def are_no_classes(names: Collection[str]) -> bool:
    """Returns whether folders side by side have names that no classes have.

    As images and masks, raw and processed, cats_train and cats_test, or
    photos_part_1 and photos_part_2.
    """
    roles = {role for name in names for role in split_words(name)}
    return (
        all(map(is_container, names))
        or (any(map(is_unsorted, names)) and any(map(_is_targets, names)))
        or (len(roles) > 1 and all(map(split_words, names)))
        or _are_numbered_parts(names)
    )


def _are_numbered_parts(names):
    """Returns whether names differ in numbers only, and say parts or photos."""
    stems = set(map(words, names))
    return (
        len(names) > 1
        and len(stems) == 1
        and all(map(_has_digit, names))
        and bool({*stems.pop()} & (_PARTS | _UNSORTED))
    )


def is_part(name: str) -> bool:
    """Returns whether a name is one such as `fold_1`."""
    return _is_numbered(name, _PARTS)


def is_occasion(name: str) -> bool:
    """Returns whether a name is one such as `session 2` or `2020-07`."""
    return _is_numbered(name, _OCCASIONS) or bool(_DATE.fullmatch(name))


def _is_targets(name):
    """Returns whether a name says masks or annotations of other photos."""
    return bool(set(words(name)) & _TARGETS)


def are_numbered_inside(outer: Collection[str], inner: Collection[str]) -> bool:
    """Returns whether only the inner names are numbered, as `cat/sub1`."""
    return all(map(is_numbered, inner)) and not any(map(is_numbered, outer))


def is_numbered(name: str) -> bool:
    """Returns whether a name is one such as `sub1`, but not `class1`."""
    (stem,) = words(name) if len(words(name)) == 1 else ("",)
    return len(stem) > 1 and stem not in _KINDS and _has_digit(name)


def _is_numbered(name, stems):
    return (
        len(words(name)) == 1 and words(name)[0] in stems and _has_digit(name)
    )


def _has_digit(name):
    return any(character.isdigit() for character in name)
