"""SqueezeNet 1.1 of a .keras file as arrays of torchvision's.

    python -m benchmarks.torch_weights BASE.keras PHOTO.jpg OUTPUT.npz

`0`, `1`, ...: the parameters in torchvision's order; `photo`: RGB in [0, 255],
float32 (1, 3, H, W); `features`: what Keras makes of it, `caffe` preprocessing.
That is for BGR; the first kernel is flipped, for RGB.
"""

import sys

import numpy as np


def main():
    import keras

    base_file, photo_file, output = sys.argv[1:]
    base = keras.saving.load_model(base_file)
    arrays = [array for layer in base.layers for array in layer.get_weights()]
    arrays[0] = arrays[0][:, :, ::-1]  # BGR to RGB
    arrays = [
        array.transpose(3, 2, 0, 1) if array.ndim == 4 else array
        for array in arrays
    ]
    photo = keras.utils.load_img(photo_file, target_size=(224, 224))
    photo = keras.utils.img_to_array(photo)[None]
    inputs = keras.applications.imagenet_utils.preprocess_input(
        photo.copy(), data_format="channels_last", mode="caffe"
    )
    features = base.predict_on_batch(inputs)
    np.savez(
        output,
        photo=photo.transpose(0, 3, 1, 2),
        features=features.transpose(0, 3, 1, 2),
        **{str(number): array for number, array in enumerate(arrays)},
    )


if __name__ == "__main__":
    main()
