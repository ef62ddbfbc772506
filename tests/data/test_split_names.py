import pytest

from thaw.data import split_names


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("train", "train"), ("Training", "train"), ("TRAIN", "train"),
        ("training_set", "train"), ("trainImages", "train"),
        ("train2017", "train"), ("train_A", "train"),
        ("validation", "validation"), ("Val", "validation"),
        ("valid-data", "validation"), ("test", "test"),
        ("Testing", "test"), ("test1", "test"), ("holdout", "other"),
        ("dev", "other"), ("pred", "other"), ("unlabeled", "other"),
        ("latest", None), ("oldest", None), ("trainer", None), ("tester", None),
        ("contest", None), ("valley", None), ("devil", None), ("images", None),
        ("bullet train", None), ("seg_train", None), ("test tube", None),
        ("猫", None), ("7", None), ("", None),
    ],
)  # fmt: skip
def test_parts_of_a_split_are_whole_words_that_stand_alone(name, role):
    assert split_names.split_role(name) == role


def test_words_end_at_signs_digits_and_capitals():
    assert split_names.words("seg_trainSet2-JPEGImages Käfer") == (
        "seg", "train", "set", "jpeg", "images", "käfer",
    )  # fmt: skip
    assert split_names.split_words("seg_train") == {"train"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["images", "masks"], True),
        (["JPEGImages", "SegmentationClass"], True),
        (["raw", "processed"], True),
        (["train_images", "test_images"], True),
        (["cats_train", "cats_test", "dogs_train", "dogs_test"], True),
        (["HAM_images_part_1", "HAM_images_part_2"], True),
        (["photos 2020-1", "photos 2020-2"], True),
        (["level_1", "level_2"], False),
        (["spare part 1", "gear part 2"], False),
        (["mask", "no_mask"], False),
        (["bullet train", "steam train"], False),
        (["photo", "sketch"], False),
        (["A", "B"], False),
        (["1", "2"], False),
    ],
)
def test_names_that_no_classes_have(names, expected):
    assert split_names.are_no_classes(names) == expected


def test_occasions_and_parts_have_a_number():
    for name in ("2020", "2021-07", "session 2", "part_3", "Day1"):
        assert split_names.is_occasion(name)
    for name in ("session", "7", "class 1", "cat2", "18000"):
        assert not split_names.is_occasion(name)
    assert split_names.is_part("fold_1") and not split_names.is_part("day1")
    assert split_names.is_numbered("sub 1") and split_names.is_numbered("day1")
    for name in ("class1", "stage_2", "7", "T1", "sub", "big sub 1"):
        assert not split_names.is_numbered(name)
