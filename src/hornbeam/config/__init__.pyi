from hornbeam.config.engine import backend as backend
from hornbeam.config.engine import backend_scope as backend_scope
from hornbeam.config.engine import compilation_cache as compilation_cache
from hornbeam.config.engine import device as device
from hornbeam.config.engine import set_backend as set_backend
from hornbeam.config.engine import set_compilation_cache as set_compilation_cache
from hornbeam.config.engine import set_device as set_device
from hornbeam.config.switches import disable_flash_attention as disable_flash_attention
from hornbeam.config.switches import (
    disable_interactive_logging as disable_interactive_logging,
)
from hornbeam.config.switches import (
    disable_traceback_filtering as disable_traceback_filtering,
)
from hornbeam.config.switches import enable_flash_attention as enable_flash_attention
from hornbeam.config.switches import (
    enable_interactive_logging as enable_interactive_logging,
)
from hornbeam.config.switches import (
    enable_traceback_filtering as enable_traceback_filtering,
)
from hornbeam.config.switches import (
    enable_unsafe_deserialization as enable_unsafe_deserialization,
)
from hornbeam.config.switches import (
    is_flash_attention_enabled as is_flash_attention_enabled,
)
from hornbeam.config.switches import (
    is_interactive_logging_enabled as is_interactive_logging_enabled,
)
from hornbeam.config.switches import is_nnx_enabled as is_nnx_enabled
from hornbeam.config.switches import (
    is_traceback_filtering_enabled as is_traceback_filtering_enabled,
)
from hornbeam.config.switches import max_epochs as max_epochs
from hornbeam.config.switches import max_steps_per_epoch as max_steps_per_epoch
from hornbeam.config.switches import set_max_epochs as set_max_epochs
from hornbeam.config.switches import set_max_steps_per_epoch as set_max_steps_per_epoch
from hornbeam.core.config import epsilon as epsilon
from hornbeam.core.config import floatx as floatx
from hornbeam.core.config import image_data_format as image_data_format
from hornbeam.core.config import set_epsilon as set_epsilon
from hornbeam.core.config import set_floatx as set_floatx
from hornbeam.core.config import set_image_data_format as set_image_data_format
from hornbeam.dtype_policies import dtype_policy as dtype_policy
from hornbeam.dtype_policies import set_dtype_policy as set_dtype_policy
