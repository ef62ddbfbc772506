"""Compares runs: curves in one plot, and differences with intervals.

    python compare.py runs/first runs/second ...
    python compare.py runs/*

The picture has the validation accuracy and loss of every run; the table the
results, the best run first, and the flags that differ. Accuracy and log loss on
the validation photos are compared with the best run's by a paired bootstrap: a
difference is within noise if its 95% interval holds 0, that is if other photos
of the same kind might as well have shown none. (Another --seed moves the
numbers of a run, too; this does not say how far.)
"""

import dataclasses
from pathlib import Path

from thaw.errors import UserError
from thaw.options import Config, option


@dataclasses.dataclass(frozen=True, init=False)
class CompareConfig(Config):
    """Options of compare.py.

    Options:
        output: File of the picture, .png, .pdf or .svg; it may exist.
    """

    output: str = option("runs/compare.png", is_path=True)

    def validate(self) -> None:
        if Path(self.output).suffix not in (".png", ".pdf", ".svg"):
            raise UserError(
                "`output`: expected the name of a .png, .pdf or .svg file. "
                f"Received: {self.output}"
            )


CONFIGS = (CompareConfig,)


def main(arguments: list[str], config: CompareConfig) -> int:
    """Compares runs, prints the tables, and returns the exit status."""
    import plots
    from thaw.comparison import compare

    comparison = compare(*arguments)
    print(comparison)
    output = Path(config.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    plots.save_figure(comparison.plot(), output, dpi=150)
    print(f"Drawn in {output}")
    return 0
