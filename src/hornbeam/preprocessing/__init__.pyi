from hornbeam.preprocessing import image as image
from hornbeam.preprocessing import sequence as sequence
from hornbeam.data.image_folder import (
    image_dataset_from_directory as image_dataset_from_directory,
)
from hornbeam.data.text_folder import (
    text_dataset_from_directory as text_dataset_from_directory,
)
from hornbeam.data.timeseries import (
    timeseries_dataset_from_array as timeseries_dataset_from_array,
)
