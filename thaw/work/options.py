"""Options of who does the work."""

import dataclasses
from typing import Any

from thaw.errors import UserError
from thaw.options import Config, option, options
from thaw.work.part import Part

_WORKERS = 16  # that units are made for, where their number isn't given
_OF_RAY = ("ray_address", "workers", "gpus_per_worker")


@dataclasses.dataclass(frozen=True, init=False)
class EngineOptions(Config):
    """Options of the engine; results are the same with each.

    Cluster:
        engine: ray: workers of a cluster compute for it.
        ray_address: HOST:PORT. Default: a cluster of its own.
        workers: Default: one per 4 processors, or as GPUs are.
        gpus_per_worker: E.g. 1, or 0.5.
    """

    engine: str = option("local", choices=("local", "ray"))
    ray_address: str | None = option(None)
    workers: int | None = option(None, low=1)
    gpus_per_worker: float = option(0.0, low=0)

    def validate(self) -> None:
        """Raises a `UserError` if options contradict each other."""
        for name in _OF_RAY:
            if self.engine == "local" and name in self.given:
                raise UserError(f"`{name}` is an option of `engine=ray`.")
        if (self.ray_address or "").startswith("ray://"):
            raise UserError(
                "`ray_address` must be HOST:PORT, or auto on a machine of the "
                "cluster; Ray Client (ray://) isn't enough. Run this on such "
                f"a machine. Received: {self.ray_address}"
            )

    @property
    def planned_workers(self) -> int:
        """Number of workers that units are made for."""
        return self.workers or _WORKERS

    @classmethod
    def taken_from(cls, keywords: dict) -> "EngineOptions":
        """Returns those among some keywords, which are taken out."""
        names = options(cls).keys() & keywords.keys()
        return cls(**{name: keywords.pop(name) for name in names})

    def keywords(self) -> dict[str, Any]:
        """Returns those that were given, by name."""
        return {name: getattr(self, name) for name in self.given}

    def check_part(self, part: Part | str | None) -> None:
        """Raises a `UserError` if a part is asked for as well."""
        if self.engine != "local" and part is not None:
            raise UserError(
                "Give `part` or `engine`, not both: each deals out all units."
            )


LOCAL = EngineOptions()
