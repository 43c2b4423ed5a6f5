"""The torch engine: see `hornbeam.backends.contract`."""

from .arrays import *
from .classification import *
from .devices import *
from .functions import *
from .linalg import *
from .modules import *
from .nn import *
from .optimize import *
from .profiling import *
from .random import *
from .recording import *
from .recurrent import *
from .shaping import *
from .sparse import *
from .threads import *
from .transforms import *

name = "torch"
compiles = False
trains = True
takes_state = False
live_parameters = True
sparse_has_class = False
has_datasets = False
assigns_in_place = True
