"""Layouts over one device, as plain data: the same with Keras and with hornbeam."""


def _axes(layout):
    return None if layout is None else list(layout.axes)


def layouts(keras):
    """Return what meshes, layouts and distributions of one device say."""
    parts = keras.distribution
    mesh = parts.DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"])
    layout_map = parts.LayoutMap(mesh)
    layout_map[".*dense.*kernel"] = (None, "model")
    layout_map["embedding"] = parts.TensorLayout(["model", None])
    paths = "a/dense_1/kernel", "a/dense/bias", "embedding", "embedding_1", "kernel"
    one = parts.DataParallel(devices=["cpu:0"])
    split = parts.ModelParallel(layout_map=layout_map, batch_dim_name="model")
    kernel = keras.Variable([[1.0]], name="dense_kernel")
    other = keras.Variable([[[1.0]]], name="other")
    inside = []
    with split.scope():
        inside.append(parts.distribution() is split)
        with one.scope():
            inside.append(parts.distribution() is one)
        inside.append(parts.distribution() is split)
    return {
        "mesh": [mesh.shape, list(mesh.axis_names), mesh.devices.tolist(), repr(mesh)],
        "found": [_axes(layout_map[path]) for path in paths],
        "get": [_axes(layout_map.get(path)) for path in paths],
        "keys": list(layout_map),
        "mesh of a layout": layout_map["embedding"].device_mesh is mesh,
        "one": [one.device_mesh.shape, list(one.device_mesh.axis_names)],
        "batch": [one.batch_dim_name, split.batch_dim_name],
        "data": [_axes(d.get_data_layout((8, 4, 2))) for d in (one, split)],
        "variables": [
            _axes(d.get_variable_layout(v))
            for d in (one, split)
            for v in (kernel, other)
        ],
        "tensors": [
            _axes(d.get_tensor_layout(p)) for d in (one, split) for p in paths[:2]
        ],
        "parts": [one.num_model_replicas, split.num_model_replicas],
        "inside": inside,
        "after": parts.distribution(),
        "default axis": parts.ModelParallel(layout_map=layout_map).batch_dim_name,
    }


def errors(keras):
    """Return which error each wrong use raises."""
    parts = keras.distribution
    mesh = parts.DeviceMesh((1,), ("batch",), ["cpu:0"])
    layout_map = parts.LayoutMap(mesh)
    layout_map["dense.*"] = ("batch",)
    layout_map[".*kernel"] = (None,)
    has_mesh = parts.TensorLayout(("batch",), mesh)
    cases = {
        "names": lambda: parts.DeviceMesh((1, 1), ("batch",), ["cpu:0"]),
        "empty": lambda: parts.DeviceMesh((), ()),
        "devices": lambda: parts.DeviceMesh((2,), ("batch",), ["cpu:0"]),
        "axis": lambda: parts.TensorLayout(("rows",), mesh),
        "again": lambda: setattr(has_mesh, "device_mesh", mesh),
        "two keys": lambda: layout_map["dense_1/kernel"],
        "same key": lambda: layout_map.__setitem__("dense.*", (None,)),
        "no layout": lambda: layout_map.__setitem__("x", 3),
        "no map": lambda: parts.ModelParallel(),
        "no mesh": lambda: parts.DataParallel(3),
    }
    found = {}
    for name, call in cases.items():
        try:
            call()
            found[name] = None
        except Exception as error:
            found[name] = type(error).__name__
    return found
