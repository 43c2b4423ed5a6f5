from hornbeam.core.budget import memory_limit as memory_limit
from hornbeam.core.errors import DamagedFileError as DamagedFileError
from hornbeam.core.errors import UnsafeFileError as UnsafeFileError
from hornbeam.core.registry import CustomObjectScope as CustomObjectScope
from hornbeam.core.registry import custom_object_scope as custom_object_scope
from hornbeam.core.registry import get_custom_objects as get_custom_objects
from hornbeam.core.registry import get_registered_name as get_registered_name
from hornbeam.core.registry import get_registered_object as get_registered_object
from hornbeam.core.registry import (
    register_keras_serializable as register_keras_serializable,
)
from hornbeam.core.serialization import deserialize_keras_object as deserialize_keras_object
from hornbeam.core.serialization import serialize_keras_object as serialize_keras_object
from hornbeam.saving.api import load_model as load_model
from hornbeam.saving.api import model_from_json as model_from_json
from hornbeam.saving.api import save_model as save_model
from hornbeam.saving.file_editor import KerasFileEditor as KerasFileEditor
from hornbeam.saving.inspection import FileReport as FileReport
from hornbeam.saving.inspection import inspect as inspect
from hornbeam.saving.weights import load_weights as load_weights
from hornbeam.saving.weights import save_weights as save_weights
