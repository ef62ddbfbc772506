from benchmarks import cpu_use
from benchmarks.process import Usage

LINES = [
    (3.0, "Checked 80 photos, 254 a second"),
    (4.0, "Stage head: Training 128,513 of 134,293 parameters"),
    (4.5, "Epoch 1/1"),
    (6.0, "Evaluating the best model"),
    (7.0, "Total time 7 s"),
]


def test_phases_begin_with_what_train_prints():
    samples = [(2.0, 50.0), (3.0, 100.0), (5.0, 190.0), (6.0, 200.0)]
    usage = Usage(8.0, 110.0, 1.0, LINES, samples)
    phases = cpu_use.phases(usage)
    assert phases == [
        ("start, check", 0.0, 3.0),
        ("model", 3.0, 4.0),
        ("stage head", 4.0, 4.5),
        ("epoch 1", 4.5, 6.0),
        ("report", 6.0, 7.0),
        ("exit", 7.0, 8.0),
    ]
    assert cpu_use.mean_use(usage, 0.0, 3.0) == 75
    assert cpu_use.mean_use(usage, 4.5, 6.0) == 195


def test_runs_are_drawn_below_each_other():
    usage = Usage(8.0, 110.0, 1.0, LINES, [(x / 10, 90.0) for x in range(80)])
    figure = cpu_use.draw({"abc": usage, "working tree": usage}, "2 cores")
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["abc: 8.0 s, 110%", "working tree: 8.0 s, 110%"]
    names = [text.get_text().strip() for text in figure.axes[0].texts]
    assert names == ["start, check", "model", "stage head", "report", "exit"]
