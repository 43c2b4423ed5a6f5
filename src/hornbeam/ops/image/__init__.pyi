from hornbeam.ops.image.resizing import resize as resize
