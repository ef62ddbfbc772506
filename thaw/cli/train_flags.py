"""The flags of train.py; what they amount to: train_plan, train_stages."""

from absl import flags

from model_zoo import backbones
from thaw.cli import app
from thaw.data import MAX_PIXELS

# fmt: off
app.section("Data")
DATA = flags.DEFINE_string(
    "data", "demo",
    "Folder with one folder of photos per class, or with train/ and "
    "validation/ of that kind; a .csv or .tsv table with path,label or "
    "id,label; a .zip or .tar file of these; demo: the drawn demo set; "
    "cats_vs_dogs, cifar10 or mnist (where there is no folder of that name): "
    "downloaded.",
)
LABEL_REGEX = flags.DEFINE_string(
    "label_regex", None,
    "Regular expression whose first group, in the name of a photo, is its "
    "class, e.g. '(.+)_\\d+.jpg$'; left out: its folder is.",
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
SKIP_BAD = flags.DEFINE(
    app.ShareParser(), "skip_bad", 0.0,
    "Go on without photos that cannot be used, at most that share of all; "
    "--skip_bad alone: however many.",
    serializer=app.ShareSerializer(),
)
MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels", MAX_PIXELS, "Photos with more cannot be used.",
    lower_bound=1,
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

app.section("Augmentation")
AUGMENT = flags.DEFINE_enum(
    "augment", "affine", ["affine", "crop", "presize", "flip_rotate", "none"],
    "Random views of the training photos. affine: what the six flags below "
    "say; crop: a random part; presize: fastai's flip, rotation, zoom, "
    "perspective, crop and light; flip_rotate: mirrored, up to 10 degrees.",
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

RANDAUGMENT = flags.DEFINE_boolean(
    "randaugment", False,
    "After that, Keras's RandAugment; as the next two, anew in each pass, so "
    "that no features of training photos are kept.",
)
MIXUP = flags.DEFINE_boolean(
    "mixup", False, "Keras's MixUp: photos of a batch shine through each other."
)
CUTMIX = flags.DEFINE_boolean(
    "cutmix", False,
    "Keras's CutMix: a piece of another photo; with --mixup, one of the two.",
)

app.section("Model")
BACKBONE = flags.DEFINE_string(
    "backbone", None,
    "Name (see --list_backbones), .keras file of a base, or hub:PRESET of "
    "KerasHub; left out: vgg16, and vgg16_tiny for the demo set.",
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
HEAD = flags.DEFINE_enum(
    "head", "dense", ["dense", "linear", "svm"],
    "dense: Dense, Dropout, Dense, trained by steps. linear, svm: one Dense "
    "layer, in place of the head's epochs solved by scikit-learn (logistic "
    "regression, linear support vector machine) on one view of each photo.",
)
HIDDEN_UNITS = flags.DEFINE_integer(
    "hidden_units", 256, "Width of the head's Dense layer; 0: none.",
    lower_bound=0, upper_bound=65536,
)
DROPOUT = flags.DEFINE_float(
    "dropout", 0.5, "Share of the head's units dropped in training.",
    lower_bound=0, upper_bound=0.99,
)

app.section("Training")
HEAD_EPOCHS = flags.DEFINE_integer(
    "head_epochs", 3, "Epochs of the head alone; 0: skipped.", lower_bound=0
)
HEAD_LEARNING_RATE = flags.DEFINE_string(
    "head_learning_rate", "1e-3",
    "Highest learning rate of the head alone; find: as in --learning_rate.",
)
EPOCHS = flags.DEFINE_integer(
    "epochs", 10, "Epochs from the unfreeze point on; 0: skipped.",
    lower_bound=0,
)
LEARNING_RATE = flags.DEFINE_string(
    "learning_rate", "1e-5",
    "Learning rate from the unfreeze point on, the highest one of a schedule; "
    "A:B: from A in the lowest layer group to B in the head; find: what a "
    "range test suggests (lr_find.png).",
)
LAYER_DECAY = flags.DEFINE_float(
    "layer_decay", 1.0,
    "Rate of each layer group as a share of that of the group above; the "
    "groups are the head, and both halves of what else trains.",
    lower_bound=1e-6, upper_bound=1,
)
SCHEDULE = flags.DEFINE_enum(
    "schedule", "constant", ["constant", "cosine", "one_cycle"],
    "How the rate changes from the unfreeze point on.",
)
HEAD_SCHEDULE = flags.DEFINE_enum(
    "head_schedule", "cosine", ["constant", "cosine", "one_cycle"],
    "The same for the head alone.",
)
PEAK_AT = flags.DEFINE_float(
    "peak_at", 0.25,
    "Of one_cycle: share of the steps before the highest rate.",
    lower_bound=0.01, upper_bound=0.99,
)
HEAD_PEAK_AT = flags.DEFINE_float(
    "head_peak_at", 0.25, "The same for the head alone.",
    lower_bound=0.01, upper_bound=0.99,
)
DIV = flags.DEFINE_float(
    "div", 25.0,
    "Of one_cycle: the highest rate over the first one; of the head alone, "
    "always 25.",
    lower_bound=1, upper_bound=1e9,
)
OPTIMIZER = flags.DEFINE_enum(
    "optimizer", "rmsprop", ["rmsprop", "adam", "adamw", "sgd"],
    "Optimizer of both stages.",
)
MOMENTUM = flags.DEFINE_float(
    "momentum", None, "Momentum of sgd or rmsprop; left out: Keras's, 0.",
    lower_bound=0, upper_bound=0.9999,
)
RHO = flags.DEFINE_float(
    "rho", None, "Decay of rmsprop's average; left out: Keras's, 0.9.",
    lower_bound=0, upper_bound=0.9999,
)
BETA_1 = flags.DEFINE_float(
    "beta_1", None, "Momentum of adam or adamw; left out: Keras's, 0.9.",
    lower_bound=0, upper_bound=0.9999,
)
BETA_2 = flags.DEFINE_float(
    "beta_2", None,
    "Decay of the second average of adam or adamw; left out: Keras's, 0.999.",
    lower_bound=0, upper_bound=0.999999,
)
LABEL_SMOOTHING = flags.DEFINE_float(
    "label_smoothing", 0.0, "Share of each label given to all classes alike.",
    lower_bound=0, upper_bound=0.99,
)
CLASS_WEIGHTS = flags.DEFINE_enum(
    "class_weights", "none", ["none", "balanced"],
    "balanced: each class has the same weight in the training loss.",
)
EARLY_STOPPING = flags.DEFINE_integer(
    "early_stopping", None,
    "A stage ends after that many epochs without a lower validation loss.",
    lower_bound=1,
)
PRECISION = flags.DEFINE_enum(
    "precision", "float32", ["float32", "mixed_bfloat16", "mixed_float16"],
    "What layers compute in, for GPUs, and bfloat16 for CPUs with AMX: faster, "
    "rounded more; weights stay float32.",
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

app.section("Cache")
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

app.section("Output")
RESUME = flags.DEFINE_string(
    "resume", None,
    "Run folder of a run that was stopped or killed: goes on where it was, "
    "with its flags.",
)
RESUME_ANYWAY = flags.DEFINE_boolean(
    "resume_anyway", False,
    "Go on even if photos, flags or versions have changed since.",
)
CHECKPOINT_MINUTES = flags.DEFINE_float(
    "checkpoint_minutes", 5.0,
    "Between two checkpoints inside an epoch; there is one at the end of each.",
    lower_bound=0.0,
)
RUN_DIR = flags.DEFINE_string(
    "run_dir", None,
    "New folder for the results; left out: runs/DATE-BACKBONE, to which "
    "runs/latest then points.",
)
SMOOTH_CURVES = flags.DEFINE_float(
    "smooth_curves", 0.0,
    "Weight of the average so far in accuracy.png and loss.png; 0: as is.",
    lower_bound=0, upper_bound=0.99,
)
LIST_BACKBONES = flags.DEFINE_boolean(
    "list_backbones", False, "Print the table of backbones and exit."
)
LIST_LAYERS = flags.DEFINE_boolean(
    "list_layers", False, "Print the layers of the base and exit."
)
# fmt: on
