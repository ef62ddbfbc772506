"""Augmentation: random views of photos, as pure functions of a seed."""

from augment.affine import Affine
from augment.crop import Crop
from augment.mixes import Mixes
from augment.presize import Presize

__all__ = ["Affine", "Crop", "Mixes", "Presize"]
