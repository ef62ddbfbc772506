import keras
import numpy as np
import pytest
from keras import layers

from model_zoo import build_model
from plots import overlay_heat
from tests.support.training import train
from thaw.demo import demo_set, drawing
from thaw.errors import UserError
from thaw.inference.grad_cam import grad_cam


def small_model(units, activation, pooled=True):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((12, 10, 3))
    x = layers.Conv2D(5, 3, activation="relu", name="maps")(inputs)
    x = layers.MaxPooling2D(name="pool")(x)
    if pooled:
        x = layers.GlobalAveragePooling2D()(x)
    else:
        x = layers.Flatten()(x)
        x = layers.Dense(7, activation="relu", name="head_hidden")(x)
    outputs = layers.Dense(
        units, activation, bias_initializer="normal", name="head_last"
    )(x)
    return keras.Model(inputs, outputs)


IMAGES = (
    np.random.default_rng(1).uniform(0, 9, (4, 12, 10, 3)).astype("float32")
)


def by_hand(maps, gradients):
    """Selvaraju et al. 2017, equations 1 and 2."""
    heat = np.zeros(maps.shape[:3])
    for photo in range(len(maps)):
        for k in range(maps.shape[-1]):
            weight = gradients[photo, :, :, k].mean()
            heat[photo] += weight * maps[photo, :, :, k]
        heat[photo] = np.maximum(heat[photo], 0)
        heat[photo] /= heat[photo].max() or 1
    return heat


@pytest.mark.parametrize(
    "units, activation, classes",
    [(3, "softmax", [0, 2, 1, 1]), (1, "sigmoid", [0, 1, 1, 0])],
)
def test_pooled_maps_are_weighted_as_the_head_weights_them(
    units, activation, classes
):
    model = small_model(units, activation)
    pooled = keras.Model(model.input, model.get_layer("pool").output)
    maps = pooled(IMAGES).numpy()
    kernel = model.get_layer("head_last").kernel.numpy()  # (channels, units)
    if units == 1:
        kernel = np.concatenate([-kernel, kernel], axis=1)
    # The score is the mean of each map times its weight.
    gradients = np.stack(
        [
            np.broadcast_to(kernel[:, x], maps.shape[1:]) / maps[0, ..., 0].size
            for x in classes
        ]
    )
    heat = grad_cam(model, IMAGES, np.array(classes), "pool")
    assert heat.dtype == "float32" and heat.shape == maps.shape[:3]
    np.testing.assert_allclose(heat, by_hand(maps, gradients), atol=1e-5)


def test_it_is_the_gradient_of_the_score_behind_a_hidden_layer():
    """Differences of the score, a number at a time, in float64."""
    model = small_model(3, "softmax", pooled=False)
    first = keras.Model(model.input, model.get_layer("pool").output)
    maps = first(IMAGES).numpy().astype("float64")
    hidden, last = model.get_layer("head_hidden"), model.get_layer("head_last")
    weights = [x.numpy().astype("float64") for x in hidden.weights]
    classes = np.array([2, 0, 1, 2])

    def score(maps, photo):
        x = np.maximum(maps.reshape(-1) @ weights[0] + weights[1], 0)
        return (x @ last.kernel.numpy())[classes[photo]]

    gradients = np.zeros_like(maps)
    for index in np.ndindex(maps.shape):
        moved = maps[index[0]].copy()
        moved[index[1:]] += 1e-6
        difference = score(moved, index[0]) - score(maps[index[0]], index[0])
        gradients[index] = difference / 1e-6
    heat = grad_cam(model, IMAGES, classes, "pool")
    np.testing.assert_allclose(heat, by_hand(maps, gradients), atol=1e-4)


def test_the_layer_is_the_last_that_does_more_than_pool():
    model = small_model(3, "softmax")
    expected = grad_cam(model, IMAGES, np.zeros(4, int), "maps")
    heat = grad_cam(model, IMAGES, np.zeros(4, int))
    np.testing.assert_array_equal(heat, expected)
    assert heat.shape == (4, 10, 8)


def test_what_cannot_be_explained_is_refused():
    model = small_model(3, "softmax")
    with pytest.raises(UserError, match="'head_last' has no maps"):
        grad_cam(model, IMAGES, np.zeros(4, int), "head_last")
    pooled = keras.Model(model.input, model.get_layer("pool").output)
    with pytest.raises(UserError, match="must be Dense"):
        grad_cam(pooled, IMAGES, np.zeros(4, int))


def test_maps_that_other_layers_follow_are_none_of_places():
    """As the patches of a vision transformer."""
    inputs = keras.Input((12, 10, 3))
    x = layers.Conv2D(5, 2, 2, name="patches")(inputs)
    x = layers.Reshape((30, 5))(x)
    x = layers.Dense(7, name="mixer")(x)
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(2, name="head_output")(x))
    with pytest.raises(UserError, match="no layer with maps at its end"):
        grad_cam(model, IMAGES, np.zeros(4, int))


def set_to_look_at_brightness(model):
    """Sets weights: only how bright a patch is counts, by all attention."""
    size = 16
    for weight in model.weights:
        value = np.zeros(weight.shape)
        names = weight.path.split("/")
        if names[-1] in ("gamma", "lambda1"):
            value += 1
        elif names[-1] == "kernel" and value.ndim == 4:  # of patches
            value[..., 0] = 1 / value[..., 0].size
        elif names[-1] == "bias" and names[-2] in (
            "patch_embedding",
            "projection",
        ):
            value[2] = 1  # without it, all bright ones would be normalised to 1
        elif names[-2] in ("value", "v_proj", "attention_output", "o_proj"):
            if names[-1] == "kernel":
                value = np.eye(size).reshape(weight.shape)
        elif names[-2] == "head_output" and names[-1] == "kernel":
            value[::size] = 1
        weight.assign(value)


@pytest.mark.parametrize(
    ("family", "pooling"),
    [
        ("ViT", "cls"),
        ("ViT", "avg"),
        ("ViT", "both"),
        ("DeiT", "cls"),
        ("DINOV2", "cls"),
        ("DINOV3", "cls"),
    ],
)
def test_the_map_of_a_transformer_peaks_on_the_patch_that_decides(
    small_preset, family, pooling
):
    model = build_model(
        f"hub:{small_preset(family)[0]}",
        unfreeze_from="none",
        pooling=pooling,
        hidden_units=0,
        dropout=0,
    )
    set_to_look_at_brightness(model)
    images = np.zeros((2, 32, 32, 3), "float32")
    images[0, 8:16, 16:24] = 255
    images[1, 24:, :8] = 255
    probabilities = model(images, training=False).numpy()
    dark = model(0 * images, training=False).numpy()
    assert (probabilities > dark + 1e-3).all()
    heat = grad_cam(model, images, np.array([1, 1]))
    assert heat.shape == (2, 4, 4)
    assert [divmod(x.argmax(), 4) for x in heat] == [(1, 2), (3, 0)]
    assert (np.sort(heat.reshape(2, -1))[:, -2] < 0.9).all()


@pytest.mark.slow
def test_the_map_of_a_drawn_face_peaks_on_the_face(tmp_path):
    training = train(
        tmp_path / "run", limit=200, image_size=96, head_epochs=3, epochs=1
    )
    training.best.put_weights_back()
    images, labels, faces = [], [], []
    for label, draw in enumerate((demo_set.draw_cat, demo_set.draw_dog)):
        for number in range(40):

            def draw_and_note(rng, pen, draw=draw):
                faces.append((*pen._center, pen._scale))
                draw(rng, pen)

            rng = np.random.default_rng([5, label, number])
            photo = drawing.draw_photo(rng, draw_and_note, (96, 96))
            images.append(np.asarray(photo, "float32"))
            labels.append(label)
    heat = grad_cam(training.model, np.stack(images), np.array(labels))
    hits = 0
    for of_photo, face in zip(heat, faces, strict=True):
        peak = np.unravel_index(of_photo.argmax(), of_photo.shape)
        y, x = (np.array(peak) + 0.5) * 96 / of_photo.shape[0]
        left, top, radius = np.array(face) / drawing.OVERSAMPLING
        hits += np.hypot(x - left, y - top) <= 1.2 * radius
    assert hits >= 0.8 * len(labels)  # a random place hits two fifths


def test_the_photo_shows_where_it_is_cool():
    image = np.full((40, 60, 3), 200, "float32")
    heat = np.zeros((4, 4), "float32")
    heat[0, 0] = 1
    drawn = overlay_heat(image, heat)
    assert drawn.shape == image.shape and drawn.dtype == "uint8"
    assert (drawn[20:, 30:] == 200).all()
    assert not (drawn[0, 0] == 200).all()
    cold = overlay_heat(image, np.zeros((4, 4)))
    assert (cold == 200).all()
