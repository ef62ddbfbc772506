import os

import pytest

from thaw.data.class_folders import load_folders
from thaw.data.load import load_photos
from thaw.errors import UserError


def make_photos(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo")


def test_class_folders_give_sorted_names_and_labels(tmp_path):
    make_photos(
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
    make_photos(tmp_path, "train/a/1.jpg", "train/b/1.jpg")
    make_photos(tmp_path / name, "a/2.jpg", "b/2.jpg", "b/3.jpg")
    train, validation = load_photos(tmp_path)
    assert (len(train), len(validation)) == (2, 3)


def test_validation_comes_before_test_and_the_flag_before_both(tmp_path):
    make_photos(tmp_path, "train/a/1.jpg", "train/b/1.jpg")
    make_photos(tmp_path / "validation", "a/2.jpg", "b/2.jpg")
    make_photos(tmp_path / "test", "a/3.jpg", "b/3.jpg", "b/4.jpg")
    assert len(load_photos(tmp_path)[1]) == 2
    assert len(load_photos(tmp_path, tmp_path / "test")[1]) == 3


def test_upper_case_folders_are_a_split_too(tmp_path):
    make_photos(tmp_path, "Train/a/1.jpg", "Train/b/1.jpg")
    make_photos(tmp_path / "Val", "a/2.jpg", "b/2.jpg", "b/3.jpg")
    train, validation = load_photos(tmp_path)
    assert (len(train), len(validation)) == (2, 3)


def test_a_class_may_be_called_train(tmp_path):
    make_photos(tmp_path, "car/1.jpg", "test/2.jpg", "train/1.jpg")
    photos, validation = load_photos(tmp_path)
    assert photos.class_names == ("car", "test", "train")
    assert validation is None


def test_a_split_by_another_name_is_not_taken_for_classes(tmp_path):
    make_photos(tmp_path, *(f"training_set/{c}/1.jpg" for c in "ab"))
    make_photos(tmp_path, "training_set/a/3.jpg")
    make_photos(tmp_path, "test_set/a/2.jpg", "test_set/b/2.jpg")
    with pytest.raises(UserError, match="look like a split") as error:
        load_photos(tmp_path)
    flags = str(error.value).split()[-2:]
    data, validation_data = (x.strip("`").split("=")[1] for x in flags)
    assert data.endswith("training_set")
    train, validation = load_photos(data, validation_data)
    assert (len(train), len(validation)) == (3, 2)
    make_photos(tmp_path / "years", "a/2020/1.jpg", "b/2020/1.jpg")
    assert load_photos(tmp_path / "years")[0].class_names == ("a", "b")


def test_names_that_predictions_need_or_that_cannot_be_written(tmp_path):
    make_photos(tmp_path, "road/1.jpg", "path/1.jpg")
    with pytest.raises(UserError, match="can't be called 'path'"):
        load_photos(tmp_path)
    os.rename(tmp_path / "path", os.fsencode(tmp_path) + b"/p\xff")
    with pytest.raises(UserError, match="not valid UTF-8"):
        load_photos(tmp_path)


def test_files_that_are_no_photos_are_skipped(tmp_path):
    make_photos(tmp_path, "a/1.jpg", "b/1.jpg", "a/notes.txt", "a/._1.jpg")
    make_photos(tmp_path, ".hidden/1.jpg", "a/.ipynb_checkpoints/1.jpg")
    os.mkfifo(tmp_path / "a" / "pipe.jpg")
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    make_photos(tmp_path, "b/1.psd", "b/2.PSD")
    photos, _ = load_photos(tmp_path)
    assert photos.counts() == {"a": 1, "b": 1}
    assert photos.skipped == {
        ".txt": 1,
        ".psd": 2,
        "special files": 1,
        "links to a folder around them": 1,
    }


def test_names_that_are_not_unicode_are_kept(tmp_path):
    make_photos(tmp_path, "a/1.jpg", "b/1.jpg")
    with open(os.fsencode(tmp_path) + b"/b/\xff.jpg", "wb") as file:
        file.write(b"photo")
    photos, _ = load_photos(tmp_path)
    assert os.fsencode(photos.paths[-1]).endswith(b"/b/\xff.jpg")


def test_names_that_only_sound_like_a_split_are_classes(tmp_path):
    make_photos(tmp_path, *(f"{c}/{i}.jpg" for c in ("latest", "oldest")
                            for i in range(2)))  # fmt: skip
    make_photos(tmp_path, "latest/in/1.jpg", "oldest/in/1.jpg")
    assert load_folders(tmp_path)[0].class_names == ("latest", "oldest")
    make_photos(tmp_path / "b", "test/1.jpg", "val/1.jpg")
    assert load_folders(tmp_path / "b")[0].class_names == ("test", "val")


def test_control_codes_in_names_of_classes_are_refused(tmp_path):
    make_photos(tmp_path, "a/1.jpg", "b\x1b[31m/1.jpg")
    with pytest.raises(UserError, match=r"'b\\x1b\[31m' holds control codes"):
        load_photos(tmp_path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "No photos in class folders"),
        (["1.jpg", "2.jpg"], "2 lie directly in it"),
        (["a/1.jpg", "b/notes.txt"], "b holds no photos"),
        (["a/1.jpg"], "Only one class, 'a'"),
        (["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/c/1.jpg"],
         "`validation_data` holds photos of 1 unknown classes: c. Expected "
         "only these 2: a, b"),
    ],
)  # fmt: skip
def test_folders_that_cannot_be_trained_on(tmp_path, names, message):
    make_photos(tmp_path, *names)
    with pytest.raises(UserError, match=message):
        load_photos(tmp_path)


def test_validation_photos_may_lack_classes(tmp_path):
    make_photos(tmp_path, *(f"train/{c}/{i}.jpg" for c in "abc" for i in "12"))
    make_photos(tmp_path, "val/a/3.jpg", "val/c/3.jpg")
    train, validation = load_photos(tmp_path)
    assert train.counts() == {"a": 2, "b": 2, "c": 2}
    assert validation.counts() == {"a": 1, "b": 0, "c": 1}


def test_photos_of_any_classes_that_a_model_knows(tmp_path):
    make_photos(tmp_path, "b/1.jpg")
    photos, _ = load_photos(tmp_path, class_names=("c", "b", "a"))
    assert photos.labels.tolist() == [1] and photos.labels.dtype == "int32"
    with pytest.raises(UserError, match="unknown classes: b. Expected .* c, d"):
        load_photos(tmp_path, class_names=("c", "d"))


def test_class_folders_to_evaluate_or_validate_on_may_be_empty(tmp_path):
    make_photos(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "val/a/3.jpg")
    (tmp_path / "val" / "b").mkdir()
    _, validation = load_photos(tmp_path)
    assert validation.counts() == {"a": 1, "b": 0}
    photos, _ = load_photos(tmp_path / "val", class_names=("a", "b"))
    assert photos.counts() == {"a": 1, "b": 0}
    with pytest.raises(UserError, match="b holds no photos"):
        load_photos(tmp_path / "val")


def test_one_split_of_a_folder(tmp_path):
    make_photos(
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
    with pytest.raises(UserError, match="has no folder test"):
        load_photos(tmp_path / "val", class_names="ab", split="test")
    (tmp_path / "Train" / "test").symlink_to(tmp_path / "Test")
    with pytest.raises(UserError, match="has no folder test"):
        load_photos(tmp_path / "Train", class_names="ab", split="test")


def test_missing_folders_are_named(tmp_path):
    with pytest.raises(UserError, match="`data`: .*nowhere does not exist"):
        load_photos(tmp_path / "nowhere")
    make_photos(tmp_path, "a/1.jpg", "b/1.jpg")
    with pytest.raises(UserError, match="`data`: .*1.jpg is not a folder"):
        load_photos(tmp_path / "a" / "1.jpg")
    with pytest.raises(UserError, match="`validation_data`"):
        load_photos(tmp_path, tmp_path / "nowhere")
