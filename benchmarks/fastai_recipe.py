"""fastai's `fine_tune` with given weights; run by `fastai_process`.

    python fastai_recipe.py check WEIGHTS.npz
    python fastai_recipe.py train WEIGHTS.npz DATA IMAGE_SIZE EPOCHS SEED
    python fastai_recipe.py find WEIGHTS.npz DATA IMAGE_SIZE EPOCHS SEED

`find` trains with the learning rate that `lr_find` suggests.

In an environment with fastai 2.8, and nothing of ours. WEIGHTS.npz is that of
`benchmarks.torch_weights`. Prints a line of JSON per epoch: seconds, val_loss,
val_accuracy; to check, the largest difference from Keras's features, relative
to their root mean square.
"""

import json
import sys
import time

import numpy as np
import torch
from fastai.vision.all import (
    Callback,
    ImageDataLoaders,
    Normalize,
    Resize,
    accuracy,
    aug_transforms,
    create_body,
    models,
    set_seed,
    vision_learner,
)

# Keras's `caffe` preprocessing, for photos in [0, 1].
_MEAN = [123.68 / 255, 116.779 / 255, 103.939 / 255]
_STD = [1 / 255] * 3


class PrintEpoch(Callback):
    """Prints a line per epoch."""

    order = 60  # after Recorder

    def before_epoch(self):
        self.start = time.perf_counter()

    def after_epoch(self):
        _, val_loss, val_accuracy = self.recorder.values[-1]
        row = {
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
            "seconds": time.perf_counter() - self.start,
        }
        print(json.dumps(row))


def train(weights, data, image_size, epochs, seed, find=False):
    """Trains as fastai's quick start does, with augmentation."""
    set_seed(int(seed))
    dls = ImageDataLoaders.from_folder(
        data,
        train="train",
        valid="validation",
        item_tfms=Resize(int(image_size)),
        batch_tfms=[*aug_transforms(), Normalize.from_stats(_MEAN, _STD)],
    )
    learn = vision_learner(
        dls,
        models.squeezenet1_1,
        pretrained=False,  # nothing is downloaded; and none of its statistics
        metrics=accuracy,
        cbs=PrintEpoch(),
    )
    put_weights(learn.model[0], weights)
    with learn.no_bar(), learn.no_logging():
        rate = (
            {"base_lr": learn.lr_find(show_plot=False).valley} if find else {}
        )
        learn.fine_tune(int(epochs), **rate)


def find(*arguments):
    """Trains the same way, with the learning rate of fastai's finder."""
    train(*arguments, find=True)


def check(weights):
    """Compares what comes of a photo with what Keras makes of it."""
    body = create_body(models.squeezenet1_1(), pretrained=False, cut=-1)
    put_weights(body.eval(), weights)
    stored = np.load(weights)
    mean, std = (torch.tensor(x)[:, None, None] for x in (_MEAN, _STD))
    with torch.no_grad():
        photo = torch.from_numpy(stored["photo"]) / 255
        features = body((photo - mean) / std).numpy()
    difference = np.abs(features - stored["features"]).max()
    print(difference / np.sqrt(np.mean(stored["features"] ** 2)))


def put_weights(body, weights):
    """Copies the arrays of a file into the parameters, one by one."""
    stored = np.load(weights)
    parameters = list(body.parameters())
    if len(parameters) != len(set(stored) - {"photo", "features"}):
        raise SystemExit("The base is not SqueezeNet 1.1.")
    with torch.no_grad():
        for number, parameter in enumerate(parameters):
            array = torch.from_numpy(stored[str(number)])
            parameter.copy_(array)


if __name__ == "__main__":
    task, *arguments = sys.argv[1:]
    {"check": check, "train": train, "find": find}[task](*arguments)
