import os

import pytest

from thaw.cli import flags
from thaw.cli.commands.train import CONFIGS
from thaw.errors import UserError


def parse(*arguments):
    rest, (config, own, _) = flags.parse(["train.py", *arguments], CONFIGS)
    return rest, config, own


@pytest.mark.parametrize(
    "arguments",
    [
        ["--unfreeze-from=block4_conv1", "--no-horizontal-flip"],
        ["--unfreeze_from", "block4_conv1", "--nohorizontal_flip"],
        ["--unfreeze-from", "block4_conv1", "--horizontal-flip=false"],
        ["-unfreeze-from=block4_conv1", "-nohorizontal-flip"],
        ["--flagfile=a.flags"],
        ["--set", "horizontal-flip=false", "--set=unfreeze_from=block4_conv1"],
    ],
)
def test_hyphens_underscores_and_flagfiles_mean_the_same(
    tmp_path, monkeypatch, arguments
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.flags").write_text(
        "# a comment\n--no-horizontal-flip\n\n--unfreeze-from=block4_conv1\n"
    )
    rest, config, _ = parse(*arguments)
    assert rest == []
    assert config.unfreeze_from == "block4_conv1"
    assert config.horizontal_flip is False
    assert config.given == {"unfreeze_from", "horizontal_flip"}


def test_flags_count_more_than_settings_and_these_more_than_flagfiles(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_text("--epochs=1\n--limit=2\n--peak_at=0.3\n")
    (tmp_path / "b").write_text("--limit=3\n--seed=4\n--div=5\n")
    _, config, own = parse(
        "--epochs=9", "--flagfile=a", "--flagfile", "b", "--set=seed=8",
        "--run_dir=run", "--set", "smooth_curves=0.5",
    )  # fmt: skip
    assert (config.epochs, config.limit, config.seed) == (9, 3, 8)
    assert (config.peak_fraction, config.div_factor) == (0.3, 5.0)
    assert config.smooth_curves == 0.5
    assert own.run_dir == "run" and "run_dir" not in config.given


def test_rates_of_two_numbers_in_older_flagfiles_are_read(tmp_path):
    path = tmp_path / "flags.txt"
    path.write_text("--learning_rate=1e-6:1e-4\n")
    _, config, _ = parse(f"--flagfile={path}")
    assert config.learning_rate == 1e-4
    assert config.layer_decay == pytest.approx(0.1, rel=1e-12)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--flagfile=b.flags", "line 2: a flagfile can't include another"),
        ("  -flagfile b.flags", "line 2: expected --name=value"),
        ("--profile_file=canary", "line 2: Unknown option `profile_file`"),
        ("--norun_with_pdb", "line 2: Unknown option `norun_with_pdb`"),
        ("--undefok=x", "line 2: Unknown option `undefok`"),
        ("--\x1b[2J=1", "line 2: expected --name=value. Received: '--\\x1b"),
        ("--epochs=many", "line 2: `epochs` must be an integer"),
        ("--run_dir=elsewhere\x00", None),
    ],
)
def test_flagfiles_of_others_are_data(tmp_path, line, message):
    path = tmp_path / "flags.txt"
    path.write_text(f"--epochs=3\n{line}\n")
    if message is None:
        parse(f"--flagfile={path}")
        return
    with pytest.raises(UserError) as error:
        parse(f"--flagfile={path}")
    assert message in str(error.value)


def test_what_is_no_flagfile_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "large", "wb") as file:
        file.truncate(2 << 20)
    for name, message in (
        ("pipe", "is not a flagfile"),
        ("large", "is not a flagfile"),
        ("none", "No such file"),
    ):
        with pytest.raises(UserError, match=message):
            parse(f"--flagfile={tmp_path / name}")


def test_recipes_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flag = "--flagfile=recipes/vgg16_linear_head.flags"
    assert parse(flag)[1].cut_at == "fc2"
    for name in ("none.flags", "../recipes/vgg16_linear_head.flags"):
        with pytest.raises(UserError, match="No such file"):
            parse(f"--flagfile=recipes/{name}")
    own = tmp_path / "recipes" / "vgg16_linear_head.flags"
    own.parent.mkdir()
    own.write_text("--cut_at=fc1\n")  # files in the folder go first
    assert parse(flag)[1].cut_at == "fc1"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--epoch=3", "Unknown flag --epoch. Did you mean --epochs?"),
        ("--beta_2=0.9", "no flag of its own: --set beta_2=VALUE"),
        ("--div=5", "Unknown flag --div. It has no flag of its own: --set div"),
        ("--epochs", "epochs"),
        ("--no-horizontal-flip=true", "does not take an argument"),
        ("--skip_bad=0.05", "must be a share from 0 to 1"),
    ],
)
def test_wrong_flags_are_named(argument, message):
    with pytest.raises(UserError) as error:
        parse(argument)
    assert message in str(error.value)


def test_what_comes_after_two_hyphens_is_left_alone():
    rest, _, _ = parse("a.jpg", "--epochs=2", "-", "--", "--my-photo.jpg")
    assert rest == ["a.jpg", "-", "--my-photo.jpg"]


def test_a_share_alone_is_all():
    assert parse("--skip_bad")[1].skip_bad == 1.0
    assert parse("--skip-bad=5%")[1].skip_bad == 0.05


def test_parsing_leaves_no_flag_behind():
    from absl.flags import FLAGS

    before = set(FLAGS)
    parse("--epochs=3")
    assert set(FLAGS) == before
