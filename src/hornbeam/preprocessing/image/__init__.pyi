from hornbeam.data.image_files import array_to_img as array_to_img
from hornbeam.data.image_files import img_to_array as img_to_array
from hornbeam.data.image_files import load_img as load_img
from hornbeam.data.image_files import save_img as save_img
from hornbeam.data.smart_resize import smart_resize as smart_resize
