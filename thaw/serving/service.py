"""serve: a run's model behind a web page and an HTTP API."""

import contextlib
import importlib.util
import os
import tempfile
from concurrent.futures import wait

from thaw.data import MAX_PIXELS
from thaw.errors import UserError
from thaw.progress import heavy_imports, say, warn
from thaw.runs import reader


def serve(
    run,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    max_megabytes: int = 32,
    max_pixels: int = MAX_PIXELS,
    batch_size: int = 32,
) -> None:
    """Serves a run's model until Ctrl-C, or `KeyboardInterrupt`.

    The page takes photos and shows predictions and heat maps; POST /predict
    returns the JSON of predict.py. What has arrived is answered at the end.

    Args:
        run: `thaw.Run`.
        host: Address to listen at. At any other than this machine's own there
            is no password, and uploads aren't encrypted.
        port: Port to listen at; 0: any that is free, which is printed.
        max_megabytes: Larger uploads are refused.
        max_pixels: Photos with more pixels cannot be used.
        batch_size: Most photos that are computed together.

    Raises:
        UserError: If address or port cannot be had, there is no model, or a
            package is missing.
    """
    _check_packages()
    from thaw.serving import server

    with server.listen(host, port) as listener:
        with heavy_imports():
            from thaw.serving.app import build_app
            from thaw.serving.model import ServedModel

            model = ServedModel(
                run.model,
                run.class_names,
                max_pixels,
                batch_size,
                run.pixel_ranges,
            )
        facts = {
            "run": run.path.resolve().name,
            "classes": list(run.class_names),
            **_facts_of_training(run.path),
            "grad_cam": model.has_pictures,
            "max_megabytes": max_megabytes,
            "max_pixels": max_pixels,
        }
        hosts = server.allowed_hosts(host, listener)
        with (
            contextlib.closing(model),
            tempfile.TemporaryDirectory(prefix="thaw-serve-") as folder,
        ):
            model.warm_up(folder)
            app = build_app(model, facts, folder, hosts)
            with server.serving(app, listener) as running:
                try:
                    _say_address(server.url_of(listener), run.path, hosts)
                    while not running.done():
                        wait([running], 1)  # without end, Windows is deaf
                except KeyboardInterrupt:
                    warn("Stopping")


def _check_packages():
    for name in ("starlette", "uvicorn", "python_multipart"):
        if importlib.util.find_spec(name) is None:
            raise UserError(f"serve.py needs {name}: pip install -e '.[serve]'")


def _facts_of_training(run_dir) -> dict:
    """Returns backbone, accuracy and photos of run.json, None if unknown."""
    summary = reader.load_summary(run_dir) or {}
    backbone = summary.get("backbone")
    photos = summary.get("photos", {}).get("validation", {})
    return {
        # Of a file its name only: its folder is private.
        "backbone": backbone and os.path.basename(backbone),
        "val_accuracy": summary.get("val_accuracy"),
        "val_photos": sum(photos.values()) or None,
    }


def _say_address(url, run_dir, hosts):
    say(f"Serving {run_dir} at {url}  (Ctrl-C to stop)")
    if "*" in hosts:
        warn(
            "Anyone who can reach this machine can use it: there is no "
            "password, and uploads aren't encrypted."
        )
