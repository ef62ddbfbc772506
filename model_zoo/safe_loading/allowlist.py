"""Allowlist for the config.json of a model.

Keras makes of each object there what its `module` and `class_name` say. So
only those listed here may be there: layers and operations of Keras that an
image backbone is made of, none of which runs code from the file, imports a
module or opens another file; and those of KerasHub in `hub_layers`. No Keras
is needed here.
"""

from model_zoo.safe_loading.hub_layers import (
    HUB_LAYERS,
    find_wrong_argument,
    registered_name,
)
from model_zoo.safe_loading.kinds import kind_of, shown
from thaw.errors import UserError

_LAYERS = """
    Activation Add Average AveragePooling2D BatchNormalization CenterCrop
    Concatenate Conv2D Conv2DTranspose Cropping1D Cropping2D Dense
    DepthwiseConv2D Dropout ELU Flatten GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling2D
    GroupNormalization Identity InputLayer LayerNormalization LeakyReLU
    MaxPooling2D Maximum Minimum MultiHeadAttention Multiply Normalization PReLU
    Permute
    RMSNormalization RandomContrast RandomFlip RandomRotation RandomTranslation
    RandomZoom ReLU Rescaling Reshape Resizing SeparableConv2D Softmax
    SpatialDropout2D Subtract UnitNormalization UpSampling2D ZeroPadding2D
"""
_OPERATIONS = {  # as keras.ops and the operators of Python make them
    "numpy": """
        Absolute Add Clip Concatenate Divide Exp Expm1 Flip GetItem Log Log1p
        Max Maximum Mean Min Minimum Mod Moveaxis Multiply Negative Power
        Reshape Round Sign Split Sqrt Square Squeeze ExpandDims Subtract Sum
        Tanh Transpose TrueDivide Var Std
    """,
    "nn": """
        Elu Gelu HardSigmoid HardSilu HardTanh LeakyRelu LogSoftmax Relu Relu6
        Selu Sigmoid Silu Softmax Softplus Softsign
    """,
    "core": "Cast",
}
_FUNCTIONS = """
    celu elu exponential gelu hard_sigmoid hard_silu hard_swish hard_tanh
    leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu
    softmax softplus softsign swish tanh
"""
_VALUES = {  # what layers are configured with
    "keras.constraints": "MaxNorm MinMaxNorm NonNeg UnitNorm",
    "keras.dtype_policies": """
        DTypePolicyMap QuantizedDTypePolicy QuantizedFloat8DTypePolicy
    """,
    "keras": "DTypePolicy",
    "keras.initializers": """
        Constant GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal
        LecunUniform Ones Orthogonal RandomNormal RandomUniform TruncatedNormal
        VarianceScaling Zeros
    """,
    "keras.quantizers": """
        AbsMaxQuantizer Float8QuantizationConfig Int8QuantizationConfig
    """,
    "keras.regularizers": "L1 L1L2 L2 OrthogonalRegularizer",
}


def _pairs(names_by_module):
    return {
        (module, name)
        for module, names in names_by_module.items()
        for name in names.split()
    }


_MODELS = {
    ("keras", "Sequential"),
    ("keras.src.models.functional", "Functional"),
    ("keras", "Functional"),
}
_ALLOWED_LAYERS = _pairs(
    {
        "keras.layers": _LAYERS,
        "keras.src.applications.convnext": "LayerScale",
        "keras.src.applications.inception_resnet_v2": "CustomScaleLayer",
        **{f"keras.src.ops.{x}": names for x, names in _OPERATIONS.items()},
    }
)
_ALLOWED_VALUES = _pairs(_VALUES)
_SPECIAL = {"__keras_tensor__", "__slice__", "__ellipsis__"}  # of no module
_MOST_LAYERS = 5000  # NASNetLarge has 1,041
_MOST_BACKWARD = 100  # inputs of layers that come later: Keras tries them anew
_DEEPEST = 40  # of lists and dicts in each other; NASNetLarge has 11
_LARGEST = 1 << 20  # of any number, but for
_NUMBERS_OF_ANY_SIZE = {"seed", "shared_object_id"}
_LARGEST_DILATION = 256  # for which TensorFlow pads inside


def check_config(config: dict, name: str) -> int:
    """Checks all that a model is to be made of, before it is.

    Args:
        config: Content of config.json.
        name: The file, for the message.

    Returns:
        How many layers its functional models have, each of which has to be
        used: Keras also builds those that are not.

    Raises:
        UserError: If there is anything that is not expected.
    """
    if kind_of(config) not in _MODELS:
        raise UserError(
            f"{name} is refused: it is a {shown(kind_of(config))}, not a "
            "functional or sequential model of Keras 3."
        )
    # That of the whole is not used: nothing is compiled.
    return _Check(name).model({**config, "compile_config": None})


def check_values(value: object, name: str) -> None:
    """Checks what a class of another's is configured with, as above.

    Args:
        value: Any content of a JSON file.
        name: The file, for the message.
    """
    _Check(name).values(value, 0)


class _Check:
    """One walk through a config; the depth of each step is counted."""

    def __init__(self, name):
        self._name = name
        self._num_layers = 0
        self._num_backward = 0

    def model(self, config, depth=0):
        """Returns the number of layers of a model that have inputs."""
        self._own_name(config)
        inner = config.get("config")
        if not isinstance(inner, dict) or not isinstance(
            inner.get("layers"), list
        ):
            raise self._refused("a model in it has no list of layers")
        self.values({**inner, "layers": None}, depth)
        self._around(config, depth)
        used, names = 0, set()
        for layer in inner["layers"]:
            self._num_layers += 1
            if self._num_layers > _MOST_LAYERS:
                raise self._refused(f"it has over {_MOST_LAYERS:,} layers")
            if not isinstance(layer, dict):
                raise self._refused("a layer in it is none")
            used += "inbound_nodes" in layer
            if kind_of(layer) in _MODELS:
                used += self.model(layer, depth + 1)
            elif kind_of(layer) in _ALLOWED_LAYERS:
                self._own_name(layer)
                self.values(layer.get("config"), depth)
                self._around(layer, depth)
            elif kind_of(layer) in HUB_LAYERS:
                self._hub_layer(layer, depth)
            else:
                raise self._not_allowed(layer)
            names.add(str(layer.get("name")))
            self._count_backward(layer, names)
        return used

    def _hub_layer(self, layer, depth):
        if layer.get("registered_name") != registered_name(kind_of(layer)):
            self._own_name(layer)
        config = layer.get("config")
        if not isinstance(config, dict):
            raise self._refused("a layer in it has no configuration")
        wrong = find_wrong_argument(kind_of(layer), config)
        if wrong is not None:
            raise self._refused(
                f"the {shown(wrong)} of its {shown(layer['class_name'])} is "
                f"{shown(config[wrong])}"
            )
        self.values(config, depth)
        self._around(layer, depth)

    def _around(self, config, depth):
        """Checks what is beside the config of a layer or model."""
        if config.get("compile_config"):
            raise self._refused("a model in it is compiled")
        others = {"module", "class_name", "registered_name", "config"}
        rest = {key: x for key, x in config.items() if key not in others}
        self.values(rest, depth)

    def _count_backward(self, layer, names):
        text = [layer.get("inbound_nodes")]
        while text:
            value = text.pop()
            if isinstance(value, dict):
                history = value.get("keras_history")
                if isinstance(history, list) and history:
                    self._num_backward += str(history[0]) not in names
                text += value.values()
            elif isinstance(value, list):
                text += value
        if self._num_backward > _MOST_BACKWARD:
            raise self._refused("its layers are in no order")

    def values(self, value, depth, key=None):
        """Checks a value that is no layer, and all in it."""
        if depth > _DEEPEST:
            raise self._refused("it is nested too deep")
        if isinstance(value, dict):
            if "class_name" in value:
                self._object(value)
            for inner_key, inner in value.items():
                self.values(inner_key, depth + 1)
                self.values(inner, depth + 1, inner_key)
        elif isinstance(value, list):
            for inner in value:
                self.values(inner, depth + 1, key)
        elif isinstance(value, str):
            if not value.isprintable():
                raise self._refused(f"a text in it is {shown(value)}")
        elif isinstance(value, int | float) and key not in _NUMBERS_OF_ANY_SIZE:
            most = _LARGEST_DILATION if key == "dilation_rate" else _LARGEST
            if abs(value) > most:
                raise self._refused(f"its {shown(key)} is {shown(value)}")

    def _object(self, value):
        module, class_name = kind_of(value)
        if class_name == "function":
            function = value.get("config")
            if (
                module not in ("builtins", "keras.activations")
                or not isinstance(function, str)
                or function not in _FUNCTIONS.split()
                or value.get("registered_name") not in (None, function)
            ):
                raise self._not_allowed(value)
        elif module is None and class_name in _SPECIAL:
            if value.get("registered_name") is not None:
                raise self._not_allowed(value)
        elif (module, class_name) in _ALLOWED_VALUES:
            self._own_name(value)
        else:
            raise self._not_allowed(value)

    def _own_name(self, value):
        """Refuses a name that is looked up before the class is."""
        name = value.get("registered_name")
        if name not in (None, value["class_name"]):
            raise self._refused(f"it asks for {shown(name)} by another name")

    def _not_allowed(self, value):
        return self._refused(
            f"it has a {shown(kind_of(value))}, which is not among the layers "
            "and operations of Keras that a backbone may have"
        )

    def _refused(self, reason):
        return UserError(f"{self._name} is refused: {reason}.")
