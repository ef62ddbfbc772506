"""The request for a run: its options, folder and class names, checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thaw.config import TrainConfig
from thaw.data.outside import check_outside_data
from thaw.errors import UserError
from thaw.runs import paths
from thaw.training import own_backbone


def resolve(
    config: TrainConfig | None,
    data: str | Path | None,
    run_dir: str | Path | None,
    resume: bool,
    options: Mapping[str, Any],
) -> tuple[TrainConfig, Path]:
    """Returns the options of a run, and the path of its folder.

    Args:
        config, data, run_dir, resume, options: As in `thaw.fine_tune`.

    Raises:
        UserError: If they contradict each other.
    """
    if config is not None and (options or data is not None):
        names = ", ".join(f"`{x}`" for x in (options or {"data": data}))
        raise UserError(
            f"Give `config`, or options, not both. Received also: {names}. To "
            "change one: dataclasses.replace(config, ...)"
        )
    if data is not None:
        options = {"data": data, **options}
    if resume:
        from thaw.training.resume import load_config

        if run_dir is None:
            raise UserError("With `resume`, `run_dir` is the run's folder.")
        if config is not None:
            options = {x: getattr(config, x) for x in config.given}
        path = paths.follow_link(run_dir)
        config = load_config(path, options)
        return own_backbone.with_own_options(config), path
    config = TrainConfig(**options) if config is None else config
    config = own_backbone.with_own_options(config)
    return config, paths.choose_run_dir(run_dir, config.backbone_name)


def check_folders(config: TrainConfig, path: Path) -> None:
    """Raises a `UserError` if a folder to write to is among the photos.

    Args:
        config: Options of the run.
        path: Run folder.
    """
    check_outside_data("run_dir", path, config.data)
    if config.cache_dir:
        check_outside_data("cache_dir", config.cache_dir, config.data)


def class_names_before(
    config: TrainConfig, path: Path, resume: bool
) -> Sequence[str]:
    """Returns class names that come first, those of a model or an older run.

    Args:
        config: Options of the run.
        path: Run folder.
        resume: Whether the run goes on.
    """
    from thaw.data.class_names import sorted_names
    from thaw.runs import reader

    kept = own_backbone.kept_classes(config)
    if kept or not (resume and (path / "class_names.json").is_file()):
        return kept
    names = reader.load_class_names(path)
    # In their usual order, they come as in the run itself, which may have left
    # out some; an older Thaw had another one.
    return () if tuple(names) == tuple(sorted_names(names)) else names
