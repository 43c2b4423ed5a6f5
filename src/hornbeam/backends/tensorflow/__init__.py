"""The TensorFlow engine: see `hornbeam.backends.contract`."""

import os

# TensorFlow's remarks on the processor, at every start, are for those who build it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

from .arrays import *
from .functions import *
from .linalg import *
from .nn import *
from .products import *
from .profiling import *
from .programs import *
from .random import *
from .saved_model import *
from .shaping import *
from .sparse import *
from .transforms import *

name = "tensorflow"
compiles = True
trains = True
takes_state = False
live_parameters = False
sparse_has_class = True
has_datasets = True
assigns_in_place = True
