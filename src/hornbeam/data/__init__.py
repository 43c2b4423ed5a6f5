"""What can be fed to a model, and how it becomes batches.

Arrays of any kind become `ArrayData`: host arrays, and for every epoch the order of
their rows. Everything that yields batches becomes `StreamData`.
"""

from hornbeam.data.dataset import Dataset
from hornbeam.data.make import in_memory, make_data
from hornbeam.data.pack import (
    pack_x_y_sample_weight,
    train_validation_split,
    unpack_x_y_sample_weight,
)
from hornbeam.data.py_dataset import PyDataset

__all__ = [
    "Dataset",
    "PyDataset",
    "in_memory",
    "make_data",
    "pack_x_y_sample_weight",
    "train_validation_split",
    "unpack_x_y_sample_weight",
]
