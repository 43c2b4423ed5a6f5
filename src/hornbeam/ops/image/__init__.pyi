from hornbeam.ops.image.blocks import extract_patches as extract_patches
from hornbeam.ops.image.blocks import extract_patches_3d as extract_patches_3d
from hornbeam.ops.image.borders import crop_images as crop_images
from hornbeam.ops.image.borders import pad_images as pad_images
from hornbeam.ops.image.colors import hsv_to_rgb as hsv_to_rgb
from hornbeam.ops.image.colors import rgb_to_grayscale as rgb_to_grayscale
from hornbeam.ops.image.colors import rgb_to_hsv as rgb_to_hsv
from hornbeam.ops.image.resizing import resize as resize
