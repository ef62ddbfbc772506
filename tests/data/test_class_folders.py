import os
import unicodedata

import pytest

from tests.support.trees import make_files
from thaw.data.class_folders import load_folders
from thaw.data.load import load_photos
from thaw.errors import UserError


def test_class_folders_give_sorted_names_and_labels(tmp_path):
    make_files(
        tmp_path, "dog/b.jpg", "cat/2.PNG", "cat/1.jpeg", "dog/deep/a.JPG"
    )
    photos, validation = load_photos(tmp_path)
    assert photos.class_names == ("cat", "dog")
    names = [os.path.relpath(path, tmp_path) for path in photos.paths]
    assert names == ["cat/1.jpeg", "cat/2.PNG", "dog/b.jpg", "dog/deep/a.JPG"]
    assert photos.labels.tolist() == [0, 0, 1, 1]
    assert photos.labels.dtype == "int32"
    assert photos.counts() == {"cat": 2, "dog": 2}
    assert validation is None


@pytest.mark.parametrize("name", ["validation", "valid", "val", "test"])
def test_train_and_validation_folders_are_found(tmp_path, name):
    make_files(tmp_path, "train/a/1.jpg", "train/b/1.jpg")
    make_files(tmp_path / name, "a/2.jpg", "b/2.jpg", "b/3.jpg")
    train, validation = load_photos(tmp_path)
    assert (len(train), len(validation)) == (2, 3)


def test_validation_comes_before_test_and_the_flag_before_both(tmp_path):
    make_files(tmp_path, "train/a/1.jpg", "train/b/1.jpg")
    make_files(tmp_path / "validation", "a/2.jpg", "b/2.jpg")
    make_files(tmp_path / "test", "a/3.jpg", "b/3.jpg", "b/4.jpg")
    assert len(load_photos(tmp_path)[1]) == 2
    assert len(load_photos(tmp_path, tmp_path / "test")[1]) == 3


def test_upper_case_folders_are_a_split_too(tmp_path):
    make_files(tmp_path, "Train/a/1.jpg", "Train/b/1.jpg")
    make_files(tmp_path / "Val", "a/2.jpg", "b/2.jpg", "b/3.jpg")
    train, validation = load_photos(tmp_path)
    assert (len(train), len(validation)) == (2, 3)


def test_a_class_may_be_called_train(tmp_path):
    make_files(tmp_path, "bus/1.jpg", "car/1.jpg", "train/1.jpg")
    photos, validation = load_photos(tmp_path)
    assert photos.class_names == ("bus", "car", "train")
    assert validation is None
    make_files(tmp_path, "test/1.jpg")
    with pytest.raises(UserError, match="in 2 ways") as error:
        load_photos(tmp_path)
    assert f"`data={tmp_path}` `class_folders='*'`" in str(error.value)
    photos, _ = load_photos(tmp_path, class_folders=["*"])
    assert photos.class_names == ("bus", "car", "test", "train")


def test_a_split_by_another_name_is_not_taken_for_classes(tmp_path):
    make_files(tmp_path, *(f"training_set/{c}/1.jpg" for c in "ab"))
    make_files(tmp_path, "training_set/a/3.jpg")
    make_files(tmp_path, "test_set/a/2.jpg", "test_set/b/2.jpg")
    train, validation = load_photos(tmp_path)
    assert train.counts() == {"a": 2, "b": 1}
    assert validation.counts() == {"a": 1, "b": 1}
    assert train.notes == (
        f"Validation photos: those in {tmp_path / 'test_set'}",
    )


@pytest.mark.parametrize(
    "inner", [("2020", "2021"), ("session 1", "session 2"), ("sub1", "sub2")]
)
def test_parts_of_class_folders_are_not_classes(tmp_path, inner):
    make_files(tmp_path, *(f"{c}/{x}/1.jpg" for c in "ab" for x in inner))
    photos, _ = load_photos(tmp_path)
    assert photos.counts() == {"a": 2, "b": 2}


def test_folders_in_class_folders_may_be_meant_as_classes(tmp_path):
    make_files(tmp_path, *(f"animal/{x}/1.jpg" for x in ("cat", "dog")))
    make_files(tmp_path, *(f"plant/{x}/1.jpg" for x in ("oak", "rose")))
    photos, _ = load_photos(tmp_path)
    assert photos.counts() == {"animal": 2, "plant": 2}
    assert photos.notes == (
        "The folders inside the class folders are no classes; to make them the "
        "classes: `class_folders='*/*'`",
    )
    make_files(tmp_path, "plant/cat/1.jpg", "plant/dog/1.jpg")
    with pytest.raises(UserError, match="can be read in 4 ways"):
        load_photos(tmp_path)
    photos, _ = load_photos(tmp_path, class_folders=["*/*"])
    assert photos.counts() == {"cat": 2, "dog": 2, "oak": 1, "rose": 1}


def test_names_that_predictions_need_or_that_cannot_be_written(tmp_path):
    make_files(tmp_path, "road/1.jpg", "path/1.jpg")
    with pytest.raises(UserError, match="can't be called 'path'"):
        load_photos(tmp_path)
    os.rename(tmp_path / "path", os.fsencode(tmp_path) + b"/p\xff")
    with pytest.raises(UserError, match="not valid UTF-8"):
        load_photos(tmp_path)


def test_files_that_are_no_photos_are_skipped(tmp_path):
    make_files(tmp_path, "a/1.jpg", "b/1.jpg", "a/notes.txt", "a/._1.jpg")
    make_files(tmp_path, ".hidden/1.jpg", "a/.ipynb_checkpoints/1.jpg")
    os.mkfifo(tmp_path / "a" / "pipe.jpg")
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    make_files(tmp_path, "b/1.psd", "b/2.PSD")
    photos, _ = load_photos(tmp_path)
    assert photos.counts() == {"a": 1, "b": 1}
    assert photos.skipped == {
        ".txt": 1,
        ".psd": 2,
        "special files": 1,
        "links to a folder around them": 1,
    }


def test_names_that_are_not_unicode_are_kept(tmp_path):
    make_files(tmp_path, "a/1.jpg", "b/1.jpg")
    with open(os.fsencode(tmp_path) + b"/b/\xff.jpg", "wb") as file:
        file.write(b"photo")
    photos, _ = load_photos(tmp_path)
    assert os.fsencode(photos.paths[-1]).endswith(b"/b/\xff.jpg")


def test_names_that_only_sound_like_a_split_are_classes(tmp_path):
    make_files(tmp_path, *(f"{c}/{i}.jpg" for c in ("latest", "oldest")
                            for i in range(2)))  # fmt: skip
    make_files(tmp_path, "latest/in/1.jpg", "oldest/in/1.jpg")
    assert load_folders(tmp_path)[0].class_names == ("latest", "oldest")
    make_files(tmp_path / "b", "test/1.jpg", "val/1.jpg")
    with pytest.raises(
        UserError, match="1. 2 classes\n(.|\n)*2. 2 photos, lab"
    ):
        load_folders(tmp_path / "b")
    photos, _ = load_folders(tmp_path / "b", class_folders="*")
    assert photos.class_names == ("test", "val")


def test_control_codes_in_names_of_classes_are_refused(tmp_path):
    make_files(tmp_path, "a/1.jpg", "b\x1b[31m/1.jpg")
    with pytest.raises(UserError, match=r"'b\\x1b\[31m' contains control"):
        load_photos(tmp_path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "No photos in class folders"),
        (["1.jpg", "2.jpg"], "2 lie directly in it"),
        (["a/1.jpg", "b/notes.txt"], "b holds no photos"),
        (["a/1.jpg"], "Only one class, 'a'"),
        (["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/c/1.jpg"],
         "`data` holds photos of 1 unknown class: c. Expected "
         "only these 2: a, b"),
    ],
)  # fmt: skip
def test_folders_that_cannot_be_trained_on(tmp_path, names, message):
    make_files(tmp_path, *names)
    with pytest.raises(UserError, match=message):
        load_photos(tmp_path)


def test_names_in_two_forms_of_unicode_are_one(tmp_path):
    nfc, nfd = (
        [
            unicodedata.normalize(form, name)
            for name in ("caf\u00e9", "th\u00e9")
        ]
        for form in ("NFC", "NFD")
    )
    make_files(tmp_path, *(f"train/{name}/1.jpg" for name in [*nfc, nfd[0]]))
    make_files(tmp_path, *(f"test/{name}/2.jpg" for name in nfd))
    train, validation = load_photos(tmp_path)
    assert train.counts() == {nfc[0]: 2, nfc[1]: 1}
    assert validation.counts() == {nfc[0]: 1, nfc[1]: 1}
    assert f"{tmp_path}/test/{nfd[0]}/2.jpg" in validation.paths
    chosen, _ = load_photos(tmp_path / "test", class_folders=nfd)
    assert chosen.counts() == validation.counts()


def test_validation_photos_may_lack_classes(tmp_path):
    make_files(tmp_path, *(f"train/{c}/{i}.jpg" for c in "abc" for i in "12"))
    make_files(tmp_path, "val/a/3.jpg", "val/c/3.jpg")
    train, validation = load_photos(tmp_path)
    assert train.counts() == {"a": 2, "b": 2, "c": 2}
    assert validation.counts() == {"a": 1, "b": 0, "c": 1}


def test_folders_to_validate_on_may_be_empty(tmp_path):
    make_files(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "val/a/3.jpg")
    (tmp_path / "val" / "b").mkdir()
    _, validation = load_photos(tmp_path)
    assert validation.counts() == {"a": 1, "b": 0}
    _, validation = load_photos(tmp_path / "train", tmp_path / "val")
    assert validation.counts() == {"a": 1, "b": 0}
    os.remove(tmp_path / "val" / "a" / "3.jpg")
    train, validation = load_photos(tmp_path)
    assert validation is None and train.notes == ("val/ holds no photos",)
    with pytest.raises(UserError, match="No photos in class folders under .*l"):
        load_photos(tmp_path / "train", tmp_path / "val")


def test_photos_of_any_classes_that_a_model_knows(tmp_path):
    make_files(tmp_path, "b/1.jpg")
    photos, _ = load_photos(tmp_path, class_names=("c", "b", "a"))
    assert photos.labels.tolist() == [1] and photos.labels.dtype == "int32"
    with pytest.raises(UserError, match="unknown class: b. Expected .* c, d"):
        load_photos(tmp_path, class_names=("c", "d"))


def test_class_folders_to_evaluate_or_validate_on_may_be_empty(tmp_path):
    make_files(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "val/a/3.jpg")
    (tmp_path / "val" / "b").mkdir()
    _, validation = load_photos(tmp_path)
    assert validation.counts() == {"a": 1, "b": 0}
    photos, _ = load_photos(tmp_path / "val", class_names=("a", "b"))
    assert photos.counts() == {"a": 1, "b": 0}
    with pytest.raises(UserError, match="b holds no photos"):
        load_photos(tmp_path / "val")


def test_one_split_of_a_folder(tmp_path):
    make_files(
        tmp_path,
        "Train/a/1.jpg",
        "Train/b/1.jpg",
        "val/a/3.jpg",
        "Test/b/4.jpg",
    )

    def names_of(split):
        photos, other = load_photos(tmp_path, class_names="ab", split=split)
        assert other is None
        return [os.path.relpath(path, tmp_path) for path in photos.paths]

    assert names_of("test") == ["Test/b/4.jpg"]
    assert names_of("validation") == ["val/a/3.jpg"]
    assert names_of("train") == ["Train/a/1.jpg", "Train/b/1.jpg"]
    with pytest.raises(UserError, match="has no folder for test"):
        load_photos(tmp_path / "val", class_names="ab", split="test")
    (tmp_path / "Train" / "test").symlink_to(tmp_path / "Test")
    with pytest.raises(UserError, match="has no folder for test"):
        load_photos(tmp_path / "Train", class_names="ab", split="test")


def test_the_only_folder_of_a_split_is_found(tmp_path):
    make_files(tmp_path, "test/test/a/1.jpg")
    test, _ = load_photos(tmp_path, class_names="ab", split="test")
    assert test.counts() == {"a": 1, "b": 0}


def test_missing_folders_are_named(tmp_path):
    with pytest.raises(UserError, match="`data`: .*nowhere does not exist"):
        load_photos(tmp_path / "nowhere")
    make_files(tmp_path, "a/1.jpg", "b/1.jpg")
    with pytest.raises(UserError, match="1.jpg is not a folder, a table"):
        load_photos(tmp_path / "a" / "1.jpg")
    with pytest.raises(UserError, match="`validation_data`"):
        load_photos(tmp_path, tmp_path / "nowhere")


def test_a_name_in_two_forms_of_unicode_is_one_class(tmp_path):
    nfc, nfd = (unicodedata.normalize(x, "caf\u00e9") for x in ("NFC", "NFD"))
    make_files(tmp_path, f"{nfc}/1.jpg", f"{nfd}/2.jpg", "tea/3.jpg")
    photos, _ = load_photos(tmp_path)
    assert photos.counts() == {nfc: 2, "tea": 1}
    assert f"{tmp_path}/{nfd}/2.jpg" in photos.paths
    of_run, _ = load_photos(tmp_path, class_names=("tea", nfd))
    assert of_run.counts() == {"tea": 1, nfd: 2}


def test_a_split_inside_wrappers_and_folders_of_its_own_name(tmp_path):
    for split, number in (("training_set", "1"), ("test_set", "2")):
        for name in ("cat", "dog"):
            path = f"archive/{split}/{split}/{name}/{number}.jpg"
            make_files(tmp_path, path)
    train, validation = load_photos(tmp_path)
    assert train.counts() == validation.counts() == {"cat": 1, "dog": 1}
    inside = tmp_path / "archive"
    assert train.notes == (
        f"Training photos: those in {inside / 'training_set' / 'training_set'}",
        f"Validation photos: those in {inside / 'test_set' / 'test_set'}",
    )


@pytest.mark.parametrize("name", ["holdout", "dev", "Evaluation"])
def test_what_is_not_used_is_said_and_how_to_use_it(tmp_path, name):
    make_files(tmp_path, "train/a/1.jpg", "train/b/1.jpg")
    make_files(tmp_path / name, "a/2.jpg", "b/2.jpg", "b/3.jpg")
    train, validation = load_photos(tmp_path)
    assert train.counts() == {"a": 1, "b": 1} and validation is None
    path = tmp_path / name
    assert train.notes == (
        f"{name}/ (3 photos) was not used; to evaluate on it: python "
        f"evaluate.py RUN --data={path}, to validate on it: "
        f"`validation_data={path}`",
    )
    train, validation = load_photos(tmp_path, path)
    assert validation.counts() == {"a": 1, "b": 2}
    assert not train.notes and not train.skipped


def test_of_three_parts_test_is_left_for_evaluation(tmp_path):
    for part in ("train", "val", "test"):
        make_files(tmp_path / part, "a/1.jpg", "b/1.jpg")
    train, validation = load_photos(tmp_path)
    assert str(tmp_path / "val" / "a" / "1.jpg") in validation.paths
    assert not train.skipped  # the note says it
    assert "test/ (2 photos) was not used; to evaluate on it" in train.notes[0]
    train, validation = load_photos(tmp_path, tmp_path / "test")
    assert str(tmp_path / "test" / "a" / "1.jpg") in validation.paths
    assert "val/ (2 photos) was not used; to evaluate on it" in train.notes[0]


def test_two_readings_are_shown_as_trees_with_the_options_for_each(tmp_path):
    make_files(tmp_path / "a b", *(f"{x}/1.jpg" for x in ("bus", "car")))
    make_files(tmp_path / "a b", "train/steam/1.jpg", "train/diesel/2.jpg")
    with pytest.raises(UserError) as error:
        load_photos(tmp_path / "a b")
    folder = tmp_path / "a b"
    assert str(error.value).splitlines() == [
        f"`data`: {folder} can be read in 2 ways. Give the options of the one "
        "that is meant:",
        "1. 2 classes",
        "     training: train/ (2 photos)",
        "       diesel/ (1 photo)",
        "       steam/ (1 photo)",
        "     not used: bus/ (1 photo)",
        "     not used: car/ (1 photo)",
        f"   `data='{folder}/train'`",
        "2. 3 classes",
        "     training: a b/ (4 photos)",
        "       bus/ (1 photo)",
        "       car/ (1 photo)",
        "       train/ (2 photos)",
        f"   `data='{folder}'` `class_folders='*'`",
    ]


def test_class_folders_are_chosen_by_patterns(tmp_path):
    for name in ("fold1/cat", "fold1/dog", "fold2/cat", "fold2/[x]", "more"):
        make_files(tmp_path / name, "1.jpg")

    def counts(*patterns):
        return load_photos(tmp_path, class_folders=patterns)[0].counts()

    assert counts("*/*") == {"cat": 2, "dog": 1, "[x]": 1}
    assert counts("fold?/*,!*/dog") == {"cat": 2, "[x]": 1}
    assert counts("fold2/[[]x]", "fold2/cat") == {"[x]": 1, "cat": 1}
    assert counts("*/cat", "more") == {"fold1": 1, "fold2": 1, "more": 1}
    assert counts("*", "!more", "!not there") == {"fold1": 2, "fold2": 2}
    with pytest.raises(
        UserError, match="no folder owl in .*fold1, fold2, more"
    ):
        counts("owl")
    with pytest.raises(UserError, match="fold1/cat lies in .*fold1, which is"):
        counts("fold1", "fold1/cat")
    with pytest.raises(UserError, match="Labels are either"):
        load_photos(tmp_path, label_regex="(.)", class_folders=["*"])


def test_folders_that_no_pattern_matches_are_said(tmp_path):
    make_files(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "val/a/2.jpg")
    make_files(tmp_path, "a/1.jpg", "b/2.jpg", "test/3.jpg")
    for patterns in (["train/*"], ["a", "b", "train"], ["*", "!test", "!val"]):
        train, validation = load_photos(tmp_path, class_folders=patterns)
        assert validation is None
        assert any(x.startswith("test/ (1 photo) was not") for x in train.notes)
        assert "val/ (1 photo) was" in str(train.notes) or (
            train.notes[-1] == "1 more folder was not used"
        )
    assert train.counts() == {"a": 1, "b": 1, "train": 2}


def test_messages_on_many_classes_stay_short(tmp_path):
    for number in range(300):
        make_files(tmp_path, f"train/{number:04d}/1.jpg")
        make_files(tmp_path, f"val/{number + 1:04d}/1.jpg")
    with pytest.raises(UserError, match="1 unknown class: 0300. ") as error:
        load_photos(tmp_path)
    assert len(str(error.value)) < 300
    make_files(tmp_path / "train", *(f"{x:04d}/test/1.jpg" for x in range(9)))
    make_files(tmp_path / "train", *(f"{x:04d}/train/1.jpg" for x in range(9)))
    with pytest.raises(UserError, match="can be read in") as error:
        load_photos(tmp_path / "train")
    assert len(str(error.value)) < 4000


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    make_files(tmp_path / "photos", "a/1.jpg", "b/1.jpg")
    monkeypatch.setenv("HOME", str(tmp_path))
    train, validation = load_photos("~/photos", "~/photos")
    assert train.counts() == validation.counts() == {"a": 1, "b": 1}
    assert train.paths[0] == str(tmp_path / "photos" / "a" / "1.jpg")


def test_photos_beside_the_only_folder_are_counted(tmp_path):
    names = [f"PetImages/{name}/{i}.jpg" for name in "ab" for i in range(20)]
    make_files(tmp_path, *names, "cover.jpg", "readme.txt")
    train, _ = load_photos(tmp_path)
    assert train.counts() == {"a": 20, "b": 20}
    assert train.skipped == {"photos in no class folder": 1}
    make_files(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    with pytest.raises(UserError, match="Only one class, 'PetImages'"):
        load_photos(tmp_path)
    make_files(tmp_path / "split", "train/a/1.jpg", "train/b/1.jpg", "x.jpg")
    train, _ = load_photos(tmp_path / "split")
    assert train.skipped == {"photos in no class folder": 1}


def test_validation_photos_are_found_as_training_photos_are(tmp_path):
    make_files(tmp_path / "data", "a/1.jpg", "b/1.jpg")
    make_files(tmp_path / "more", "w/train/a/1.jpg", "w/val/a/2.jpg")
    _, validation = load_photos(tmp_path / "data", tmp_path / "more")
    inside = tmp_path / "more" / "w" / "val"
    assert validation.paths == (str(inside / "a" / "2.jpg"),)
    assert validation.notes == (f"Validation photos: those in {inside}",)
    make_files(tmp_path / "two", "x/a/1.jpg", "x/b/1.jpg", "y/a/2.jpg")
    with pytest.raises(UserError, match="`validation_data`: .* 3 w") as error:
        load_photos(tmp_path / "data", tmp_path / "two")
    assert f"   `validation_data={tmp_path / 'two' / 'x'}`" in str(error.value)
    assert "class_folders" not in str(error.value)
