from hornbeam.initializers.constant_values import Constant as Constant
from hornbeam.initializers.constant_values import Identity as Identity
from hornbeam.initializers.constant_values import Ones as Ones
from hornbeam.initializers.constant_values import Zeros as Zeros
from hornbeam.initializers.initializer import Initializer as Initializer
from hornbeam.initializers.lookup import deserialize as deserialize
from hornbeam.initializers.lookup import get as get
from hornbeam.initializers.lookup import serialize as serialize
from hornbeam.initializers.orthogonal_matrix import Orthogonal as Orthogonal
from hornbeam.initializers.random import RandomNormal as RandomNormal
from hornbeam.initializers.random import RandomUniform as RandomUniform
from hornbeam.initializers.random import TruncatedNormal as TruncatedNormal
from hornbeam.initializers.fourier import STFT as STFT
from hornbeam.initializers.scaling import GlorotNormal as GlorotNormal
from hornbeam.initializers.scaling import GlorotUniform as GlorotUniform
from hornbeam.initializers.scaling import HeNormal as HeNormal
from hornbeam.initializers.scaling import HeUniform as HeUniform
from hornbeam.initializers.scaling import LecunNormal as LecunNormal
from hornbeam.initializers.scaling import LecunUniform as LecunUniform
from hornbeam.initializers.scaling import VarianceScaling as VarianceScaling

constant = Constant
IdentityInitializer = Identity
identity = Identity
ones = Ones
zeros = Zeros
OrthogonalInitializer = Orthogonal
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
STFTInitializer = STFT
stft = STFT
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
variance_scaling = VarianceScaling
