"""Shapes to learn from: public models read, labelled by hand, grouped by likeness and sampled into point clouds."""

from ecumene_world.learning.furniture import Furniture, catalogue, fetch_furniture
from ecumene_world.learning.labels import CLASSES, Label, read_labels

__all__ = ["CLASSES", "Furniture", "Label", "catalogue", "fetch_furniture", "read_labels"]
