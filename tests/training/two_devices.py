"""Tests on two devices: logical CPUs, made before TensorFlow starts.

test_replicas.py runs them, in a process of their own.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.interrupted import QUICK, Killed, at_call, kill
from tests.support.training import results, resume, train
from thaw import device
from thaw.errors import UserError
from thaw.training import lr_finder
from thaw.training.guard import NaNGuard
from thaw.training.optimizer import make_optimizer
from thaw.training.replicas import ONE_DEVICE, Replicas

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
DEVICES = ["CPU:0", "CPU:1"]


@pytest.fixture(scope="module")
def two():
    return Replicas(DEVICES)


@pytest.fixture
def gpus(monkeypatch):
    """Makes `num_gpus` count logical CPUs."""
    monkeypatch.setattr(
        device, "training_gpus", lambda count: DEVICES if count > 1 else []
    )


def make_guard(replicas, dropout=0.0, steps_per_execution=1):
    """Returns a small model, compiled with momentum and two groups."""
    with replicas.scope():
        inputs = keras.Input((6,))
        hidden = keras.layers.Dense(
            16, "relu", kernel_initializer=keras.initializers.GlorotNormal(1)
        )
        last = keras.layers.Dense(
            3, "softmax", kernel_initializer=keras.initializers.GlorotNormal(2)
        )
        x = keras.layers.Dropout(dropout, seed=3)(hidden(inputs))
        outputs = last(x)
    guard = NaNGuard(inputs, outputs, replicas)

    def compile_with(rates):
        groups = {"head": last.weights, "upper": hidden.weights}
        with replicas.scope():
            optimizer = make_optimizer(
                lambda **kwargs: keras.optimizers.SGD(momentum=0.9, **kwargs),
                {"head": rates, "upper": 0.5 * rates},
                groups,
            )
        guard.compile(
            optimizer,
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            steps_per_execution=steps_per_execution,
        )
        with replicas.scope():
            guard.optimizer.build(guard.trainable_variables)

    compile_with(np.full(100, 0.1))
    return guard, compile_with


def batches(count, seed=0):
    """Returns batches of 8 photos, their labels and weights."""
    random = np.random.default_rng(seed)
    return [
        (
            random.normal(size=(8, 6)).astype("float32"),
            random.integers(0, 3, 8).astype("int32"),
            random.uniform(0.1, 3, 8).astype("float32"),
        )
        for _ in range(count)
    ]


def state_of(guard):
    variables = [*guard.variables, *guard.optimizer.variables]
    return [keras.ops.convert_to_numpy(x) for x in variables]


def test_100_steps_are_those_of_the_whole_batch(two):
    guards = [make_guard(replicas)[0] for replicas in (ONE_DEVICE, two)]
    for batch in batches(100):
        one, other = (
            x.train_on_batch(*batch, return_dict=True) for x in guards
        )
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-4)
        assert other["accuracy"] == one["accuracy"]
    for one, other in zip(*map(state_of, guards), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_several_steps_at_a_time_are_the_same_steps(two):
    found = []
    for at_a_time in (1, 5):
        guard, _ = make_guard(two, 0.5, at_a_time)
        arrays = [np.stack(x) for x in zip(*batches(10), strict=True)]
        iterator = iter(tf.data.Dataset.from_tensor_slices(tuple(arrays)))
        guard.make_train_function()
        for _ in range(10 // at_a_time):
            guard.train_function(iterator)
        found.append(state_of(guard))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nan_on_one_device_reaches_no_weight_of_any(two):
    guard, _ = make_guard(two)
    first, bad, after = batches(3)
    guard.train_on_batch(*first)
    weights = [x.numpy() for x in guard.trainable_variables]
    state = [x.numpy() for x in guard.optimizer.variables]
    for row in (1, 6):  # one on each device
        photos = bad[0].copy()
        photos[row] = np.nan
        guard.train_on_batch(photos, *bad[1:])
        guard.train_on_batch(*after)
        assert guard.bad_step == 1
        for variable, value in zip(
            guard.trainable_variables, weights, strict=True
        ):
            for copy in variable.value.values:  # on each device
                np.testing.assert_array_equal(copy.numpy(), value)
        for variable, value in zip(
            guard.optimizer.variables, state, strict=True
        ):
            np.testing.assert_array_equal(variable.numpy(), value)
        guard.forget_bad_step()
    guard.train_on_batch(*after)
    assert guard.bad_step is None
    assert (guard.trainable_variables[0].numpy() != weights[0]).any()


def test_devices_drop_different_units_and_keep_one_state(two):
    with two.scope():
        model = keras.Sequential(
            [keras.Input((100,)), keras.layers.Dropout(0.5, seed=1)]
        )

    def call(part):
        with two.own_random_numbers(model):
            return model(part, training=True)

    @tf.function(autograph=False)
    def step(batch):
        return two.joined(two.run(call, two.split(batch)))

    for _ in range(2):
        one, other = step(tf.ones((2, 100))).numpy() > 0
        assert 20 < np.count_nonzero(one != other) < 80
    (seeds,) = model.variables
    states = [x.numpy().tolist() for x in seeds.value.values]
    assert states == [[1, 2], [1, 2]]


def test_the_twin_of_a_range_test_drops_the_same_units(two):
    """The loss before any learning is that of the twin."""
    guard, compile_with = make_guard(two, 0.5)
    given = [
        (tuple(map(tf.constant, (x,))), tf.constant(labels))
        for x, labels, _ in batches(lr_finder.NUM_STEPS)
    ]
    found = lr_finder.range_test(guard, compile_with, given, replicas=two)
    np.testing.assert_allclose(found.losses[:9], found.losses[0], rtol=1e-4)
    assert len(found.losses) > 60


def test_a_run_resumed_in_an_epoch_comes_out_the_same(gpus, tmp_path):
    """With Dropout, momentum and a rate for each group of layers."""
    options = QUICK | {
        "head": "dense", "hidden_units": 16, "head_epochs": 0, "epochs": 1,
        "optimizer": "sgd", "momentum": 0.9, "layer_decay": 0.5,
        "num_gpus": 2,
    }  # fmt: skip
    train(tmp_path / "whole", **options)
    killed = tmp_path / "killed"
    save = ("thaw.training.state", "Checkpoints.save", 3)
    with pytest.raises(Killed), at_call(*save, kill):
        train(killed, **options)
    with pytest.raises(UserError, match="`num_gpus`: was 2, is 1"):
        resume(killed, num_gpus=1)
    training = resume(killed)
    assert training.resumed.state["position"]["step"] > 0
    assert results(killed) == results(tmp_path / "whole")
