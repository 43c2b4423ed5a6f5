"""What files of ill will hold, and the ways in by which they come.

`python -m tests.saving.attack_table` reads each by each way, under the audit hook, and
prints how many were stopped, and the most memory and time that one took.
"""

import base64
import io
import json
import marshal
import operator
import pathlib
import resource
import sys
import tempfile
import time
import warnings
import zipfile

import h5py
import numpy as np

import hornbeam as keras
from hornbeam.callbacks import backup_file
from hornbeam.callbacks.fit_state import Position
from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.saving import archive
from hornbeam.wrappers.plain_values import Missing
from tests.saving import auditing

BYTECODE = {
    "class_name": "__lambda__",
    "config": {
        "code": base64.b64encode(
            marshal.dumps(compile("__import__('os').system('true')", "x", "eval"))
        ).decode(),
        "defaults": None,
        "closure": None,
    },
}


def layer(class_name, module="keras.layers", /, **config):
    return {"module": module, "class_name": class_name, "config": config}


def function(name, module="builtins"):
    return {"module": module, "class_name": "function", "config": name}


def sequential(*layers, **more):
    start = layer("InputLayer", batch_shape=[None, 3], name="in")
    config = {"name": "s", "layers": [start, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config, **more}


def node(name, *inputs):
    args = [
        {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None, 3], "dtype": "float32", "keras_history": i},
        }
        for i in inputs
    ]
    dense = layer("Dense", units=3, name=name)
    return {**dense, "name": name, "inbound_nodes": [{"args": args, "kwargs": {}}]}


def functional(*layers):
    start = layer("InputLayer", batch_shape=[None, 3], name="in")
    config = {
        "name": "f",
        "trainable": True,
        "layers": [{**start, "name": "in", "inbound_nodes": []}, *layers],
        "input_layers": ["in", 0, 0],
        "output_layers": ["a", 0, 0],
    }
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": config,
    }


SYSTEM = layer("system", "os", command="true")
COMPILED = {"optimizer": "sgd", "loss": "mse"}
CASES = {
    "lambda": sequential(layer("Lambda", function=BYTECODE, name="l")),
    "lambda_in_wrapper": sequential(
        layer("TimeDistributed", layer=layer("Lambda", function=BYTECODE))
    ),
    "load_model_as_function": sequential(
        layer(
            "Lambda",
            function=function("load_model"),
            arguments={"safe_mode": False},
            name="l",
        )
    ),
    "switch_then_unsafe": sequential(
        layer("Lambda", function=function("enable_unsafe_deserialization")),
        layer("Lambda", function=BYTECODE),
    ),
    "class_of_os": sequential(SYSTEM),
    "whole_model": SYSTEM,
    "without_module": sequential({"class_name": "system", "config": {}}),
    "registered_as_builtin": sequential(
        {**layer("Dense", units=1), "registered_name": "os.system"}
    ),
    "activation": sequential(layer("Dense", units=1, activation=function("exec"))),
    "initializer": sequential(layer("Dense", units=1, kernel_initializer=SYSTEM)),
    "regularizer": sequential(layer("Dense", units=1, bias_regularizer=SYSTEM)),
    "constraint": sequential(layer("Dense", units=1, bias_constraint=SYSTEM)),
    "policy": sequential(layer("Dense", units=1, dtype=SYSTEM)),
    "loss": sequential(compile_config={**COMPILED, "loss": SYSTEM}),
    "loss_function": sequential(compile_config={**COMPILED, "loss": function("exec")}),
    "metric": sequential(compile_config={**COMPILED, "metrics": [SYSTEM]}),
    "optimizer": sequential(compile_config={**COMPILED, "optimizer": SYSTEM}),
    "build_config": sequential(build_config={"input_shape": SYSTEM}),
    "torch_module": sequential(layer("TorchModuleWrapper", module="gASVAAAA")),
    "saved_model": sequential(layer("TFSMLayer", filepath="/tmp/x")),
    "jax_layer": sequential(layer("JaxLayer", call_fn=BYTECODE)),
    "flax_layer": sequential(layer("FlaxLayer", module=BYTECODE)),
    "get_file": sequential(
        layer("get_file", "keras.utils", origin="file:///etc/passwd")
    ),
    "huge": sequential(layer("Dense", units=10**12)),
    "many_huge": sequential(
        *[layer("Dense", units=5000, name=f"d{i}") for i in range(9)]
    ),
}
BROKEN = {
    "negative": sequential(layer("Dense", units=-1)),
    "fraction": sequential(layer("Dense", units=1.5)),
    "dunder": sequential(layer("Dense", units=1, __class__="x")),
    "reduce": sequential(layer("Dense", units=1, __reduce__=[])),
    "dotted": sequential(layer("Dense", units=1, **{"kernel.name": 1})),
    "cycle": functional(node("a", ["b", 0, 0]), node("b", ["a", 0, 0])),
    "itself": functional(node("a", ["a", 0, 0])),
    "nowhere": functional(node("a", ["x", 0, 0])),
    "place": functional(node("a", ["in", 5, 0])),
    "place_of_nothing": functional(node("a", [[], {}, None])),
    "no_layers": {**sequential(), "config": {"name": "s", "layers": 3}},
    "nothing": {"class_name": "Sequential", "config": {}, "module": "keras"},
    "list": [],
    "text": "os.system",
    "name": {"class_name": 3, "config": {}},
    "path_as_name": sequential(layer("Dense", units=1, name="../../x")),
}


GADGETS = (
    "get_file load_model load_weights save_model set_backend clear_session exec "
    "register_keras_serializable image_dataset_from_directory load_img save_img "
    "enable_unsafe_deserialization KerasFileEditor memory_limit inspect system Popen"
).split()
PLACES = {
    "activation": lambda f: layer("Dense", units=1, activation=f),
    "kernel_initializer": lambda f: layer("Dense", units=1, kernel_initializer=f),
    "bias_regularizer": lambda f: layer("Dense", units=1, bias_regularizer=f),
    "kernel_constraint": lambda f: layer("Dense", units=1, kernel_constraint=f),
    "lambda": lambda f: layer("Lambda", function=f, arguments={"safe_mode": False}),
    "wrapper": lambda f: layer(
        "TimeDistributed", layer=layer("Dense", units=1, activation=f)
    ),
}
# S14: layers that look words up, in a vocabulary that a file may not have opened.
LOOKUPS = "StringLookup IntegerLookup TextVectorization".split()
MODULES = ("os", "builtins", "subprocess", "importlib", "keras.utils", "keras.saving")


def configs():
    """Return `{name: config of a model that is refused}`."""
    found = dict(CASES)
    for place, made in PLACES.items():
        for name in GADGETS if place in ("activation", "lambda") else GADGETS[:2]:
            found[f"S3 {name} as {place}"] = sequential(made(function(name)))
    for module in MODULES:
        found[f"S2 {module}"] = sequential(layer("system", module))
        item = {**layer("Dense", units=1), "module": module}
        found[f"S2 Dense of {module}"] = sequential(item)
    for name in LOOKUPS:
        words = layer(name, vocabulary="/etc/passwd")
        found[f"S14 {name}"] = sequential(words)
    shadow = {**layer("Dense", units=1), "registered_name": "package>Dense"}
    found["S6 registered as Dense"] = sequential(shadow)
    found["S7 build_config"] = sequential(
        {**layer("Dense", units=1), "build_config": {"input_shape": BYTECODE}}
    )
    cell = layer("GRU", units=1, kernel_initializer=BYTECODE)
    found["S7 Bidirectional"] = sequential(layer("Bidirectional", layer=cell))
    return found


CONFIGS = configs()


def parts():
    """Return `{name: config of an object or function that is refused}`."""
    found = {"S1 bytecode": BYTECODE}
    for module in (None, *MODULES, "keras.layers", "keras.losses"):
        for name in ("system", "Popen", "import_module"):
            found[f"S2 {name} of {module}"] = layer(name, module)
            found[f"S2 function {name} of {module}"] = function(name, module)
    for name in GADGETS:
        found[f"S3 {name}"] = function(name)
        found[f"S3 class {name}"] = layer(name, "keras.utils")
    for kind, name in (("regularizers", "L2"), ("losses", "MeanSquaredError")):
        item = layer(name, f"keras.{kind}")
        for shadow in ("os.system", f"package>{name}"):
            found[f"S6 {shadow} as {name}"] = {**item, "registered_name": shadow}
    for name in "TFSMLayer TorchModuleWrapper".split():
        found[f"S8 {name}"] = layer(name, filepath="x", module="gASVAAAA")
    inner = layer("SGD", "keras.optimizers", learning_rate=BYTECODE)
    found["S7 bytecode in an optimizer"] = inner
    loss = layer("LossFunctionWrapper", "keras.losses", fn=function("exec"))
    found["S7 exec in a loss"] = loss
    return found


PARTS = parts()
# Their `deserialize` is a way in for a part.
KINDS = (
    "activations constraints dtype_policies initializers layers losses metrics "
    "optimizers optimizers.schedules regularizers"
).split()


def by_zip(folder, config):
    with zipfile.ZipFile(folder / "m.keras", "w") as file:
        file.writestr(archive.METADATA, "{}")
        file.writestr(archive.CONFIG, json.dumps(config))
        file.writestr(archive.WEIGHTS, weights())
    return lambda: keras.saving.load_model(folder / "m.keras", safe_mode=False)


def by_folder(folder, config):
    (folder / "m").mkdir()
    (folder / "m" / archive.CONFIG).write_text(json.dumps(config))
    (folder / "m" / archive.WEIGHTS).write_bytes(weights())
    return lambda: keras.saving.load_model(folder / "m")


def by_hdf5(folder, config):
    compiled = config.get("compile_config") if isinstance(config, dict) else None
    with h5py.File(folder / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.create_group("model_weights").attrs["layer_names"] = np.array([], "S1")
        if compiled:
            names = {"optimizer_config": compiled.get("optimizer"), **compiled}
            file.attrs["training_config"] = json.dumps(names)
    return lambda: keras.saving.load_model(folder / "m.h5")


def by_tfjs(folder, config):
    document = {"modelTopology": {"model_config": config}, "weightsManifest": []}
    (folder / "model.json").write_text(json.dumps(document))
    return lambda: keras.saving.load_model(folder / "model.json")


def by_json(folder, config):
    text = json.dumps(config)
    return lambda: keras.models.model_from_json(text)


def by_deserialize(folder, config):
    config = json.loads(json.dumps(config))
    return lambda: keras.saving.deserialize_keras_object(config, safe_mode=False)


def by_layers(folder, config):
    config = json.loads(json.dumps(config))
    return lambda: keras.layers.deserialize(config)


def by_from_config(folder, config):
    config = json.loads(json.dumps(config))

    def read():
        model = keras.Sequential.from_config(config["config"])
        if config.get("compile_config"):
            model.compile_from_config(config["compile_config"])

    return read


def by_estimator(folder, config):
    by_zip(folder, config)
    document = {
        "class_name": "KerasRegressor",
        "parameters": {},
        "models": [],
        "learned": {},
    }
    with zipfile.ZipFile(folder / "m.keras", "a") as file:
        file.writestr("estimator.json", json.dumps(document))
    return lambda: keras.wrappers.KerasRegressor.load(folder / "m.keras")


def by_functional(folder, config):
    """The same layers, and each in turn on the input, as a graph."""
    item = config["config"]
    layers = item["layers"][1:] if isinstance(item.get("layers"), list) else [config]
    made = []
    for number, one in enumerate(layers):
        call = node(f"x{number}", ["in", 0, 0])["inbound_nodes"]
        name = "a" if not number else f"x{number}"
        named = one.get("config") if isinstance(one.get("config"), dict) else {}
        one = {**one, "config": {**named, "name": name}}
        made.append({**one, "name": name, "inbound_nodes": call})
    graph = json.loads(json.dumps(functional(*made)["config"]))
    return lambda: keras.Model.from_config(graph)


def by_deserialize_of(kind):
    def way(folder, part):
        part = json.loads(json.dumps(part))
        deserialize = operator.attrgetter(kind)(keras).deserialize
        return lambda: deserialize(part)

    way.__name__ = f"by_{kind}_deserialize"
    return way


def by_parameter(folder, part):
    """As a parameter of an estimator."""
    document = {
        "class_name": "KerasRegressor",
        "parameters": {"optimizer": {"kind": "object", "value": part}},
        "models": [],
        "learned": {},
    }
    with zipfile.ZipFile(folder / "e.keras", "w") as file:
        file.writestr("estimator.json", json.dumps(document))

    def read():
        estimator = keras.wrappers.KerasRegressor.load(folder / "e.keras")
        if isinstance(estimator.optimizer, Missing):
            # What only the user may know is missing until it is passed.
            raise UnsafeFileError(estimator.optimizer.reason)

    return read


def by_backup(folder, part):
    """As the state of a callback."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    resuming = keras.callbacks.BackupAndRestore(str(folder))
    stopping = keras.callbacks.EarlyStopping("loss")
    keras.callbacks.CallbackList([stopping, resuming], model=model)
    state = resuming._fit_state().read(Position(1))
    state["callbacks"]["EarlyStopping 0"] = {"wait": json.loads(json.dumps(part))}
    backup_file.write(str(folder / "latest.npz"), state)
    return resuming.on_train_begin


WAYS = {
    way.__name__: way
    for way in (
        *(by_zip, by_folder, by_hdf5, by_tfjs, by_json, by_deserialize, by_layers),
        *(by_from_config, by_functional, by_estimator),
    )
}
WAYS_OF_PARTS = {
    way.__name__: way
    for way in (*map(by_deserialize_of, KINDS), by_parameter, by_backup)
}
# What their configs may declare depends on no file.
OF_PROGRAMS = ("by_from_config", "by_functional", "by_deserialize", "by_layers")


def applies(way, name):
    """Whether what a case holds can come by that way at all."""
    config = CONFIGS[name]
    if way in ("by_tfjs", "by_functional") and "compile_config" in config:
        return False  # these hold none
    if way in ("by_from_config", "by_functional") and "build_config" in config:
        return False  # it is that of the model, which these do not read
    if way in ("by_from_config", "by_functional") and "layers" not in config["config"]:
        return False
    # Within what a program may declare, and it takes no memory.
    return name != "many_huge" or way not in OF_PROGRAMS


def attempts(way):
    """Yield `(name of the case, config)` of what may come by that way."""
    if way in WAYS_OF_PARTS:
        yield from PARTS.items()
    else:
        yield from ((n, c) for n, c in CONFIGS.items() if applies(way, n))


def weights():
    """Return the bytes of an HDF5 file without arrays."""
    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        file.create_group("vars")
    return target.getvalue()


def largest():
    """Return the largest size of the process in MiB, on Linux since `forget()`."""
    if sys.platform == "linux":
        status = pathlib.Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def forget():
    """Let the largest size be the size of now."""
    if sys.platform == "linux":
        pathlib.Path("/proc/self/clear_refs").write_text("5")


def attempt(way, config):
    """Read a config by a way in; return the outcome, MiB and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        folder, temporary = pathlib.Path(folder, "read"), pathlib.Path(folder, "other")
        folder.mkdir()
        temporary.mkdir()
        read = (WAYS | WAYS_OF_PARTS)[way](folder, config)
        files = [path for path in folder.rglob("*") if path.is_file()]
        forget()
        before, started = largest(), time.process_time()
        outcome = "was read"
        with auditing.temporary_folder(temporary):
            try:
                with auditing.watching(*files, temporary=temporary):
                    read()
            except (UnsafeFileError, DamagedFileError) as error:
                outcome = "unsafe" if isinstance(error, UnsafeFileError) else "damaged"
            except Exception as error:
                outcome = repr(error)[:300]
        seconds, size = time.process_time() - started, largest() - before
        if [path for path in folder.rglob("*") if path.is_file()] != files:
            outcome = "left files"
    return outcome, size, seconds


def warm_up():
    """Read something good by each way, so that each has imported what it needs."""
    good = sequential(layer("ReLU"))  # without weights, as all of these
    good["compile_config"] = COMPILED
    for way_in in WAYS.values():
        with tempfile.TemporaryDirectory() as folder:
            way_in(pathlib.Path(folder), json.loads(json.dumps(good)))()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with tempfile.TemporaryDirectory() as folder:
        for name in ("m.weights.h5", "m.safetensors"):
            path = pathlib.Path(folder, name)
            model.save_weights(path)
            model.load_weights(path)
            keras.saving.inspect(path)
        keras.saving.KerasFileEditor(pathlib.Path(folder, "m.weights.h5"))
    sgd = layer("SGD", "keras.optimizers")
    for way_in in WAYS_OF_PARTS.values():
        with tempfile.TemporaryDirectory() as folder:
            try:
                way_in(pathlib.Path(folder), sgd)()
            except (UnsafeFileError, TypeError, ValueError):
                pass  # not each kind of part


def main():
    warnings.simplefilter("ignore")
    warm_up()
    tried = wrong = 0
    for way in WAYS | WAYS_OF_PARTS:
        results = [(name, *attempt(way, config)) for name, config in attempts(way)]
        passed = [
            (name, outcome) for name, outcome, *_ in results if outcome != "unsafe"
        ]
        size, seconds = (max(r[i] for r in results) for i in (2, 3))
        print(
            f"{way[3:]:32} {len(results):4} tried, {len(results) - len(passed):4} "
            f"stopped, at most {size:.1f} MiB, {seconds:.3f} s"
        )
        print(*(f"    {name}: {outcome}" for name, outcome in passed), sep="\n", end="")
        tried, wrong = tried + len(results), wrong + len(passed)
    print(f"{tried} tried, {tried - wrong} stopped")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
