from hornbeam.config.switches import (
    disable_interactive_logging as disable_interactive_logging,
)
from hornbeam.config.switches import (
    enable_interactive_logging as enable_interactive_logging,
)
from hornbeam.config.switches import (
    is_interactive_logging_enabled as is_interactive_logging_enabled,
)
from hornbeam.utils import bounding_boxes as bounding_boxes
from hornbeam.utils import legacy as legacy
from hornbeam.core.serialization import deserialize_keras_object as deserialize_keras_object
from hornbeam.core.serialization import serialize_keras_object as serialize_keras_object
from hornbeam.core.dtypes import standardize_dtype as standardize_dtype
from hornbeam.core.registry import CustomObjectScope as CustomObjectScope
from hornbeam.core.registry import custom_object_scope as custom_object_scope
from hornbeam.core.registry import get_custom_objects as get_custom_objects
from hornbeam.core.registry import get_registered_name as get_registered_name
from hornbeam.core.registry import get_registered_object as get_registered_object
from hornbeam.core.registry import (
    register_keras_serializable as register_keras_serializable,
)
from hornbeam.core.session import clear_session as clear_session
from hornbeam.graph.node import get_source_inputs as get_source_inputs
from hornbeam.data.audio_folder import (
    audio_dataset_from_directory as audio_dataset_from_directory,
)
from hornbeam.data.image_files import array_to_img as array_to_img
from hornbeam.data.image_files import img_to_array as img_to_array
from hornbeam.data.image_files import load_img as load_img
from hornbeam.data.image_files import save_img as save_img
from hornbeam.data.image_folder import (
    image_dataset_from_directory as image_dataset_from_directory,
)
from hornbeam.data.splitting import split_dataset as split_dataset
from hornbeam.data.text_folder import (
    text_dataset_from_directory as text_dataset_from_directory,
)
from hornbeam.data.pack import pack_x_y_sample_weight as pack_x_y_sample_weight
from hornbeam.data.pack import unpack_x_y_sample_weight as unpack_x_y_sample_weight
from hornbeam.data.py_dataset import PyDataset as PyDataset
from hornbeam.data.timeseries import (
    timeseries_dataset_from_array as timeseries_dataset_from_array,
)
from hornbeam.diagnosis.flops import count_flops as count_flops
from hornbeam.diagnosis.speed import explain_speed as explain_speed
from hornbeam.graph.keras_tensor import is_keras_tensor as is_keras_tensor
from hornbeam.utils.comparison import compare_backends as compare_backends
from hornbeam.utils.config import Config as Config
from hornbeam.utils.download import get_file as get_file
from hornbeam.utils.feature_space import FeatureSpace as FeatureSpace
from hornbeam.utils.numerical import normalize as normalize
from hornbeam.utils.numerical import to_categorical as to_categorical
from hornbeam.utils.progbar import Progbar as Progbar
from hornbeam.utils.seeds import set_random_seed as set_random_seed
from hornbeam.utils.sequence import pad_sequences as pad_sequences
from hornbeam.visualization.model_plot import model_to_dot as model_to_dot
from hornbeam.visualization.model_plot import plot_model as plot_model

Sequence = PyDataset
