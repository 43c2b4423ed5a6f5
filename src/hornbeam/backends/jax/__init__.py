"""The jax engine: see `hornbeam.backends.contract`."""

from .arrays import *
from .convolution import *
from .functions import *
from .linalg import *
from .modules import *
from .nn import *
from .order import *
from .profiling import *
from .programs import *
from .random import *
from .shaping import *
from .sparse import *
from .transforms import *
from .values import *

name = "jax"
compiles = True
trains = True
takes_state = True
live_parameters = False
sparse_has_class = True
has_datasets = False
assigns_in_place = False
