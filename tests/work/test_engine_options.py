import sys

import pytest

from thaw.errors import UserError
from thaw.work import ray_cluster
from thaw.work.options import EngineOptions


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"workers": 2}, "`workers` is an option of `engine=ray`"),
        ({"ray_address": "a:1"}, "`ray_address` is an option of"),
        ({"engine": "ray", "workers": 0}, "`workers` must be .* at least 1"),
        ({"engine": "dask"}, "`engine` must be one of local, ray"),
        ({"engine": "ray", "ray_address": "ray://a:1"}, "Ray Client"),
    ],
    ids=str,
)
def test_options_that_do_not_fit_are_refused(changed, message):
    with pytest.raises(UserError, match=message):
        EngineOptions(**changed)


def test_they_are_taken_out_of_keywords():
    keywords = {"engine": "ray", "epochs": 3, "workers": 2}
    taken = EngineOptions.taken_from(keywords)
    assert keywords == {"epochs": 3}
    assert taken.keywords() == {"engine": "ray", "workers": 2}
    assert EngineOptions.taken_from(keywords).keywords() == {}


def test_a_part_and_an_engine_exclude_each_other():
    with pytest.raises(UserError, match="Give `part` or `engine`, not both"):
        EngineOptions(engine="ray").check_part("1/2")
    EngineOptions().check_part("1/2")


def test_without_ray_the_pip_line_is_said(monkeypatch):
    for name in ("ray", "ray.data"):
        monkeypatch.setitem(sys.modules, name, None)
    with (
        pytest.raises(UserError, match=r"pip install -e '.\[ray\]'"),
        ray_cluster.cluster(EngineOptions(engine="ray"), 1),
    ):
        pass


@pytest.mark.parametrize(
    "total, num_units, changed, workers, cpus",
    [
        (3, 100, {"workers": 2}, 2, 1),
        (17, 100, {}, 4, 4),
        (3, 100, {}, 1, 2),
        (2, 100, {"workers": 8}, 8, 1),
        (65, 3, {"workers": 8}, 3, 21),
    ],
    ids=str,
)
def test_workers_share_the_processors_but_one(
    total, num_units, changed, workers, cpus
):
    options = EngineOptions(engine="ray", **changed)
    pool = ray_cluster._pool(options, total, num_units)
    assert (pool.workers, pool.cpus) == (workers, cpus)
    assert pool.environment["TF_NUM_INTRAOP_THREADS"]
