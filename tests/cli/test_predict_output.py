import functools
import json
import shutil
import tarfile

import fsspec
import pytest

import thaw
from tests.support.runs import make_run
from thaw.errors import UserError
from thaw.inference.output_folder import OutputFolder


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("run") / "run")


@pytest.fixture(scope="module")
def photos(drawn_photos, tmp_path_factory):
    """48 photos and 2 files between them that are none: 2 parts of 32."""
    folder = tmp_path_factory.mktemp("photos")
    shutil.copytree(drawn_photos, folder, dirs_exist_ok=True)
    (folder / "cat" / "0003-empty.jpg").touch()
    (folder / "dog" / "0020-text.jpg").write_text("hello")
    return folder


@pytest.fixture
def predict(run_script, run_dir, photos):
    return functools.partial(run_script, "predict.py", run_dir, photos)


def contents(folder):
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name != ".lock"
    }


def test_parts_hold_the_rows_of_one_call_bit_for_bit(predict, photos, tmp_path):
    alone = predict("--format=csv")
    titles, *rows = alone.stdout.splitlines()
    assert len(rows) == 48

    done = predict("--output=all", "--part=2/2")
    assert done.returncode == 1  # as alone: a photo can't be used
    assert sorted(contents(tmp_path / "all")) == [
        "_PLAN.json", "bad-000001.csv", "part-000001.csv",
    ]  # fmt: skip
    assert "1 of 2 part files written to all, of 18 photos." in done.stdout
    assert "Still missing: 1 part files." in done.stdout
    assert done.stderr.splitlines()[-1].startswith(
        f"predict.py: {photos / 'dog' / '0020-text.jpg'}: not an image"
    )

    done = predict("--output=all", "--part=1/2")
    assert "Complete: 48 photos predicted, 2 cannot be used" in done.stdout
    written = contents(tmp_path / "all")
    parts = [
        written[name].decode().splitlines()
        for name in ("part-000000.csv", "part-000001.csv")
    ]
    assert [part[0] for part in parts] == [titles, titles]
    assert parts[0][1:] + parts[1][1:] == rows
    assert written["bad-000000.csv"].decode().splitlines() == [
        "path,reason", f"{photos / 'cat' / '0003-empty.jpg'},empty",
    ]  # fmt: skip
    success = json.loads(written["_SUCCESS.json"])
    assert success["photos"] == 50
    assert (success["parts"], success["predicted"]) == (2, 48)

    again = predict("--output=all")
    assert again.returncode == 0 and "0 of 2 part files" in again.stdout
    assert contents(tmp_path / "all") == written

    (tmp_path / "all" / "part-000001.csv").unlink()
    again = predict("--output=all")
    assert "1 of 2 part files" in again.stdout
    assert contents(tmp_path / "all") == written


def test_a_run_writes_the_same_part_files(predict, run_dir, photos, tmp_path):
    predict("--output=all", "--top=2")
    run, mine = thaw.Run(run_dir), tmp_path / "mine"
    assert run.write_predictions(photos, mine, top=2) == 2
    ours = contents(mine)
    expected = contents(tmp_path / "all")
    assert ours.keys() == expected.keys()
    for name in expected.keys() - {"_PLAN.json", "_SUCCESS.json"}:
        assert ours[name] == expected[name]
    with pytest.raises(UserError, match="`top` must be at least 1"):
        run.write_predictions(photos, mine, top=0)
    with pytest.raises(UserError, match="Give `part` or `engine`"):
        run.write_predictions(photos, mine, part="1/2", engine="ray")


def test_photos_at_addresses(run_dir, drawn_photos, tmp_path):
    files = fsspec.filesystem("memory")
    files.put(str(drawn_photos), "/photos", recursive=True)  # two parts
    run = thaw.Run(run_dir)
    assert run.write_predictions("memory://photos", tmp_path / "theirs") == 0
    files.rm("/photos", recursive=True)
    run.write_predictions(drawn_photos, tmp_path / "mine")
    theirs, mine = contents(tmp_path / "theirs"), contents(tmp_path / "mine")
    for name in ("part-000000.csv", "part-000001.csv"):
        paths = mine[name].replace(bytes(drawn_photos), b"memory:///photos")
        assert theirs[name] == paths


def test_top_and_unsure_are_in_the_parts(predict, tmp_path):
    flags = "--top=2", "--unsure_below=0.9"
    alone = predict("--format=csv", *flags).stdout
    predict("--output=all", *flags)
    _, *second = (tmp_path / "all" / "part-000001.csv").read_text().splitlines()
    first = (tmp_path / "all" / "part-000000.csv").read_text().splitlines()
    assert [*first, *second] == alone.splitlines()


def test_an_output_of_anything_else_is_refused(
    predict, run_script, run_dir, photos, tmp_path
):
    folder = OutputFolder(tmp_path / "other", {"photos": 3}, 32)
    for arguments, message in {
        ("--output=a_file",): "a_file is a file",
        ("--output=full",): "full is not empty, .*(notes.txt)",
        (f"--output={photos / 'cat' / 'out'}",): "is inside",
        ("--output=other",): "other holds other predictions (different: "
        "photos, names, model, class names, unsure below, max pixels)",
        ("--part=1/2",): "--part writes part files. Give an --output.",
        ("--output=x", "--format=json"): "--output is written as csv",
        ("--output=x", "--grad_cam=y"): "--output is written as csv",
        ("--output=x", "--part=3/2"): "--part must be a number",
    }.items():
        (tmp_path / "a_file").touch()
        (tmp_path / "full").mkdir(exist_ok=True)
        (tmp_path / "full" / "notes.txt").touch()
        done = predict(*arguments)
        assert done.returncode == 2, arguments
        for piece in message.split(".*"):
            assert piece in done.stderr, done.stderr
    assert not (tmp_path / "x").exists()
    assert sorted(contents(folder.path)) == ["_PLAN.json"]


def test_a_list_on_the_standard_input(
    run_script, run_dir, photos, tmp_path, monkeypatch
):
    paths = sorted(map(str, photos.glob("cat/000[0-2].jpg")))
    (tmp_path / "list").write_text("\n".join(paths))
    with open(tmp_path / "list", "rb") as file:
        monkeypatch.setattr("thaw.cli.photo_arguments._STDIN", file.fileno())
        done = run_script("predict.py", run_dir, "-", "--output=all")
        assert "Complete: 3 photos predicted" in done.stdout
        # It has been read to its end.
        done = run_script("predict.py", run_dir, "-", "--output=all")
        assert done.returncode == 2
        assert "-: no paths on standard input." in done.stderr


def test_another_model_is_another_plan(predict, run_script, photos, tmp_path):
    assert predict("--output=all", "--part=1/2").returncode == 1
    other = make_run(tmp_path / "other", weights="none")
    done = run_script("predict.py", other, photos, "--output=all")
    assert done.returncode == 2
    assert "(different: model). Give a new folder." in done.stderr


@pytest.fixture(params=["folder", "memory"])
def place(request, tmp_path):
    """A place for part files: a path, and an address."""
    if request.param == "folder":
        yield tmp_path / "out" / "put"
        return
    yield "memory://out/put"
    files = fsspec.filesystem("memory")
    files.rm("/out", recursive=True)


def test_the_first_decides_how_many_photos_a_part_has(place):
    plan = {"photos": 100, "model": "a"}
    first = OutputFolder(place, plan, 32)
    second = OutputFolder(place, plan, 64)
    assert (second.size, second.num_parts) == (first.size, 4) == (32, 4)
    for number in (0, 1, 3):
        first.write_part(number, [["path"]], [])
        assert second.finish() is None
    assert second.missing_parts() == [2]
    second.write_part(2, [["path"]], [("a.jpg", "empty"), ("b.jpg", "x\ny")])
    assert first.finish() == {
        "parts": 4, "predicted": 98, "cannot_be_used": 2,
    }  # fmt: skip
    with pytest.raises(UserError, match="other predictions .*: model"):
        OutputFolder(place, {"photos": 100, "model": "b"}, 32)


def test_the_photos_in_tar_files_are_counted_at_the_end(place):
    folder = OutputFolder(place, {"tar_files": 2}, 1, "tar_files")
    rows = [["path"], ["a.jpg"], ["b\n.jpg"]]
    folder.write_part(0, rows, [])
    folder.write_part(1, rows[:2], [("c\udcff.jpg", "empty")])
    assert folder.finish() == {
        "parts": 2, "predicted": 3, "cannot_be_used": 1,
    }  # fmt: skip
    with pytest.raises(UserError, match=r"other predictions \(.*: photos"):
        OutputFolder(place, {"photos": 2}, 1)


def test_other_files_at_the_address_are_left_alone(tmp_path, monkeypatch):
    files = fsspec.filesystem("memory")
    files.pipe("/full/old/_PLAN.json", b"")
    with pytest.raises(UserError, match=r"full is not .*\(old/_PLAN.json\)"):
        OutputFolder("memory://full", {"photos": 1}, 1)
    files.rm("/full", recursive=True)
    with pytest.raises(UserError, match="is on this machine. Give its path"):
        OutputFolder(f"file://{tmp_path}", {"photos": 1}, 1)

    def refuse(self, *_, **__):
        raise PermissionError("Access Denied")

    monkeypatch.setattr(type(files), "pipe_file", refuse)
    monkeypatch.setattr("thaw.data.remote._PAUSE_SECONDS", 0)
    with pytest.raises(UserError, match="no permission .Access Denied"):
        OutputFolder("memory://new", {"photos": 1}, 1)


def pack(path, photos):
    with tarfile.open(path, "w") as opened:
        for photo in photos:
            opened.add(photo, photo.name)


def test_each_tar_file_is_a_part(
    predict, run_script, run_dir, photos, tmp_path
):
    paths = sorted(photos.glob("*/*"))
    pack(tmp_path / "0.tar", paths[:20])
    pack(tmp_path / "1.tar", paths[20:])
    tars = tmp_path / "{0..1}.tar"
    alone = run_script("predict.py", run_dir, tars, "--format=csv")
    titles, *rows = alone.stdout.splitlines()

    done = run_script("predict.py", run_dir, tars, "--output=all", "--part=2/2")
    assert "1 of 2 part files written to all, of 1 tar files." in done.stdout
    with pytest.raises(UserError, match="all holds other predictions"):
        run = thaw.Run(run_dir)
        run.write_predictions(tmp_path / "0.tar", tmp_path / "all")
    done = run_script("predict.py", run_dir, tars, "--output=all")
    assert done.returncode == 1
    assert "Complete: 48 photos predicted, 2 cannot be used" in done.stdout
    written = contents(tmp_path / "all")
    parts = [
        written[f"part-00000{number}.csv"].decode().splitlines()
        for number in (0, 1)
    ]
    assert [part[0] for part in parts] == [titles, titles]
    assert parts[0][1:] + parts[1][1:] == rows

    done = predict(tars, "--output=both")
    assert done.returncode == 2
    assert "--output: part files are either of tar files" in done.stderr
    assert not (tmp_path / "both").exists()


def test_a_tar_file_that_is_damaged_is_named_and_the_others_go_on(
    run_dir, photos, tmp_path
):
    paths = sorted(photos.glob("dog/*"))
    pack(tmp_path / "0.tar", paths[:4])
    whole = (tmp_path / "0.tar").read_bytes()
    (tmp_path / "1.tar").write_bytes(whole[:-8000])
    pack(tmp_path / "2.tar", paths[4:6])
    (tmp_path / "3.tar").write_bytes(b"no tar file")
    pack(tmp_path / "4.tar", [])
    said = []
    run = thaw.Run(run_dir)
    num_bad = run.write_predictions(
        tmp_path / "{0..4}.tar", "memory://damaged", on_bad=said.append
    )
    files = fsspec.filesystem("memory")
    success = json.loads(files.cat("/damaged/_SUCCESS.json"))
    files.rm("/damaged", recursive=True)
    first, second, third = said
    assert first.startswith(f"{tmp_path / '1.tar'}: cannot be unpacked: ")
    assert second.startswith(f"{tmp_path / '3.tar'}: cannot be unpacked: Read")
    assert third == f"{tmp_path / '4.tar'}: No photos in {tmp_path / '4.tar'}."
    assert num_bad == success["cannot_be_used"] == 3
    assert success["parts"] == success["tar_files"] == 5
    assert 6 <= success["predicted"] < 10
