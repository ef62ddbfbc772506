"""The flags of train.py, and the arguments they amount to."""

from absl import flags

import command_line
from model_zoo import backbones

# fmt: off
command_line.section("Data")
DATA = flags.DEFINE_string(
    "data", "demo",
    "Folder with one folder of photos per class, or with train/ and "
    "validation/ of that kind; demo: the drawn demo set.",
)
VALIDATION_DATA = flags.DEFINE_string(
    "validation_data", None,
    "Folder of class folders to validate on, if it is not in --data.",
)
VALIDATION_FRACTION = flags.DEFINE_float(
    "validation_fraction", 0.2,
    "Share of each class to validate on where --data is not split.",
    lower_bound=0.01, upper_bound=0.99,
)
LIMIT = flags.DEFINE_integer(
    "limit", None,
    "Use at most that many photos per class, drawn by --seed.",
    lower_bound=2,
)
IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", None,
    "Pixels a side to resize photos to; left out: the backbone's own.",
    lower_bound=1, upper_bound=4096,
)
RESIZE = flags.DEFINE_enum(
    "resize", "squash", backbones.RESIZE_MODES,
    "How photos become square.",
)
BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 20, "Photos per step.", lower_bound=1, upper_bound=4096
)

command_line.section("Augmentation")
AUGMENT = flags.DEFINE_enum(
    "augment", "affine", ["affine", "none"],
    "Random views of the training photos: one affine map each, or none.",
)
ROTATION_RANGE = flags.DEFINE_float(
    "rotation_range", 40.0, "Degrees, either way.",
    lower_bound=0, upper_bound=180,
)
WIDTH_SHIFT_RANGE = flags.DEFINE_float(
    "width_shift_range", 0.2, "Share of the width, either way.",
    lower_bound=0, upper_bound=1,
)
HEIGHT_SHIFT_RANGE = flags.DEFINE_float(
    "height_shift_range", 0.2, "Share of the height, either way.",
    lower_bound=0, upper_bound=1,
)
SHEAR_RANGE = flags.DEFINE_float(
    "shear_range", 0.2, "Degrees, either way.",
    lower_bound=0, upper_bound=80,
)
ZOOM_RANGE = flags.DEFINE_float(
    "zoom_range", 0.2, "Zoom is in 1 - range to 1 + range, each axis alone.",
    lower_bound=0, upper_bound=0.99,
)
HORIZONTAL_FLIP = flags.DEFINE_boolean(
    "horizontal_flip", True, "Mirror half of the views."
)
FILL_MODE = flags.DEFINE_enum(
    "fill_mode", "nearest", ["nearest", "reflect", "wrap", "constant"],
    "What is seen beyond the edge of a photo.",
)

command_line.section("Model")
BACKBONE = flags.DEFINE_string(
    "backbone", None,
    "Name (see --list_backbones) or .keras file of a base; left out: vgg16, "
    "and vgg16_tiny for the demo set.",
)
WEIGHTS = flags.DEFINE_string(
    "weights", "auto",
    "imagenet, none (random), the path of a .h5 file, or auto: ImageNet's, "
    "or what the backbone brings along (a .keras file: its own).",
)
PREPROCESS = flags.DEFINE_enum(
    "preprocess", "auto", ["auto", *backbones.PREPROCESS_MODES],
    "How pixels are scaled; auto: as the backbone was trained.",
)
UNFREEZE_FROM = flags.DEFINE_string(
    "unfreeze_from", None,
    "Layer of the base (see --list_layers) from which on it trains, none or "
    "all; left out: the start of the last block.",
)
TRAIN_BATCH_NORM = flags.DEFINE_boolean(
    "train_batch_norm", False,
    "Train BatchNormalization after the unfreeze point, too.",
)
CUT_AT = flags.DEFINE_string(
    "cut_at", None,
    "Layer the base ends with, e.g. block4_pool, or fc2 of vgg16; left out: "
    "all of it.",
)
POOLING = flags.DEFINE_enum(
    "pooling", "auto", backbones.POOLING_MODES,
    "From feature map to vector; auto: flatten for VGG, avg for the rest.",
)
HIDDEN_UNITS = flags.DEFINE_integer(
    "hidden_units", 256, "Width of the head's Dense layer; 0: none.",
    lower_bound=0, upper_bound=65536,
)
DROPOUT = flags.DEFINE_float(
    "dropout", 0.5, "Share of the head's units dropped in training.",
    lower_bound=0, upper_bound=0.99,
)

command_line.section("Training")
HEAD_EPOCHS = flags.DEFINE_integer(
    "head_epochs", 3, "Epochs of the head alone; 0: skipped.", lower_bound=0
)
HEAD_LEARNING_RATE = flags.DEFINE_float(
    "head_learning_rate", 1e-3,
    "Learning rate of the head alone at first; it falls to 0 over its epochs.",
    lower_bound=1e-12, upper_bound=100,
)
EPOCHS = flags.DEFINE_integer(
    "epochs", 10, "Epochs from the unfreeze point on; 0: skipped.",
    lower_bound=0,
)
LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", 1e-5, "Learning rate from the unfreeze point on.",
    lower_bound=1e-12, upper_bound=100,
)
OPTIMIZER = flags.DEFINE_enum(
    "optimizer", "rmsprop", ["rmsprop", "adam", "adamw", "sgd"],
    "Optimizer of both stages.",
)
STEPS_PER_EPOCH = flags.DEFINE_integer(
    "steps_per_epoch", None,
    "Batches per epoch, always full; left out: so many that every photo is "
    "seen.",
    lower_bound=1,
)
SEED = flags.DEFINE_integer(
    "seed", 0, "Seed of split, order, augmentation and new weights.",
    lower_bound=0, upper_bound=2**31 - 1,
)

command_line.section("Cache")
CACHE_VIEWS = flags.DEFINE_integer(
    "cache_views", 4,
    "Views kept of each photo: pass p of the fine-tune stage sees view p "
    "modulo that many, and what the frozen part made of it is read back; 0: "
    "off, each pass sees a new view.",
    lower_bound=0, upper_bound=9999,
)
CACHE_DTYPE = flags.DEFINE_enum(
    "cache_dtype", "float16", ["float16", "float32"],
    "Of what is kept; float32 is exact and takes twice the space.",
)
CACHE_DIR = flags.DEFINE_string(
    "cache_dir", None,
    "Folder to keep it in, for later runs, too; left out: "
    "~/.cache/thaw/features",
)
CACHE_LIMIT_GB = flags.DEFINE_float(
    "cache_limit_gb", 20.0,
    "What that folder may take; what was not used for longest goes first.",
    lower_bound=0,
)

command_line.section("Output")
RUN_DIR = flags.DEFINE_string(
    "run_dir", None,
    "New folder for the results; left out: runs/DATE-BACKBONE, to which "
    "runs/latest then points.",
)
LIST_BACKBONES = flags.DEFINE_boolean(
    "list_backbones", False, "Print the table of backbones and exit."
)
LIST_LAYERS = flags.DEFINE_boolean(
    "list_layers", False, "Print the layers of the base and exit."
)
# fmt: on


def model_arguments():
    """Returns the arguments of `build_model` that say what the base is."""
    demo = DATA.value == "demo"
    return {
        "backbone": BACKBONE.value
        or (backbones.TINY if demo else backbones.CLASSIC),
        "image_size": IMAGE_SIZE.value,
        "weights": WEIGHTS.value,
        "preprocess": PREPROCESS.value,
        "unfreeze_from": UNFREEZE_FROM.value,
        "cut_at": CUT_AT.value,
    }


def make_augmentation():
    """Returns the `augment.Affine` the flags ask for, or None."""
    if AUGMENT.value == "none":
        return None
    from augment import Affine

    return Affine(
        seed=SEED.value,
        rotation_range=ROTATION_RANGE.value,
        width_shift_range=WIDTH_SHIFT_RANGE.value,
        height_shift_range=HEIGHT_SHIFT_RANGE.value,
        shear_range=SHEAR_RANGE.value,
        zoom_range=ZOOM_RANGE.value,
        horizontal_flip=HORIZONTAL_FLIP.value,
        fill_mode=FILL_MODE.value,
    )


def open_cache_folder():
    """Returns the `CacheFolder` the flags ask for, or None: no cache."""
    if not CACHE_VIEWS.value:
        return None
    from input_pipeline.demo_set import default_cache_dir
    from training.cache_folder import CacheFolder

    path = CACHE_DIR.value or default_cache_dir() / "features"
    try:
        return CacheFolder(path, limit_bytes=int(CACHE_LIMIT_GB.value * 1e9))
    except OSError as error:
        print(f"Cache off: cannot write to {path}: {error.strerror}")
        return None


def plan_stages(unfreeze_from):
    """Returns the stages that the flags ask for, in order."""
    from training import schedules
    from training.stages import Stage

    head_epochs, epochs = HEAD_EPOCHS.value, EPOCHS.value
    head_rate, rate = HEAD_LEARNING_RATE.value, LEARNING_RATE.value
    planned = [
        Stage(
            "head",
            "none",
            head_epochs,
            head_rate,
            schedules.cosine,
            one_view=epochs > 0,
        ),
        Stage("fine_tune", unfreeze_from, epochs, rate),
    ]
    return [stage for stage in planned if stage.epochs]
