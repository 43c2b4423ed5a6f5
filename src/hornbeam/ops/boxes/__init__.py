"""Bounding boxes; the face is `hornbeam.utils.bounding_boxes`."""
