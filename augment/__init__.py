"""Augmentation: random views of photos, as pure functions of a seed."""

from augment.affine import Affine

__all__ = ["Affine"]
