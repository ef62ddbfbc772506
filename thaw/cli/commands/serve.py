"""Serves a page on this machine to try a trained model.

    python serve.py runs/latest

Drop photos on the page: it shows their classes, how sure the model is, and
where it looks (Grad-CAM). Programs send a photo to POST /predict, and get the
JSON that predict.py prints:

    curl --data-binary @photo.jpg http://127.0.0.1:7860/predict

Only this machine can reach it, unless --host says otherwise. Ctrl-C ends it.
It needs: pip install -e '.[serve]'.
"""

import dataclasses

from thaw.cli import signals
from thaw.data import MAX_PIXELS
from thaw.errors import UserError
from thaw.options import Config, option


@dataclasses.dataclass(frozen=True, init=False)
class ServeConfig(Config):
    """Options of serve.py."""

    host: str = option(
        "127.0.0.1",
        "Address to listen at. At any other than this machine's own there is "
        "no password, and uploads aren't encrypted.",
    )
    port: int = option(
        7860,
        "Port to listen at; 0: any that is free, which is printed.",
        low=0,
        high=65535,
    )
    max_megabytes: int = option(32, "Larger uploads are refused.", low=1)
    max_pixels: int = option(
        MAX_PIXELS, "Photos with more cannot be used.", low=1
    )
    batch_size: int = option(
        32, "Most waiting photos that are computed together.", low=1
    )


CONFIGS = (ServeConfig,)


def main(arguments: list[str], config: ServeConfig) -> int:
    """Serves until Ctrl-C or SIGTERM."""
    if len(arguments) != 1:
        raise UserError(
            "Expected one run folder, e.g. python serve.py runs/latest"
        )
    from thaw.run import Run
    from thaw.runs.paths import follow_link
    from thaw.serving.service import serve

    with signals.stop_on_signals():
        serve(Run(follow_link(arguments[0])), **config.to_dict())
    return 0
