"""The numpy engine: see `hornbeam.backends.contract`."""

from .arrays import *
from .functions import *
from .linalg import *
from .nn import *
from .random import *
from .shaping import *
from .sparse import *
from .transforms import *

name = "numpy"
compiles = False
trains = False
takes_state = False
live_parameters = False
sparse_has_class = True
has_datasets = False
assigns_in_place = False
