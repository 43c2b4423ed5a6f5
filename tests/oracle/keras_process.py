"""Real Keras, in a process of its own: one an engine, for all tests of this folder.

To import Keras takes longer than most of what it is asked. `Keras(engine)` starts a
process; `call("file.py", "function", *arguments)` gives what `function(keras,
*arguments)` of the file beside this one returns there.

Torch runs op by op and compiles nothing: it is the engine for all that does not
depend on the engine of Keras. TensorFlow runs op by op here too.
"""

import importlib.util
import os
import pathlib
import pickle
import subprocess
import sys
import traceback

FOLDER = pathlib.Path(__file__).parent


class Keras:
    """A process with Keras on an engine."""

    def __init__(self, engine):
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "KERAS_BACKEND": engine, "JAX_PLATFORMS": "cpu"},
        )

    def call(self, file, function, *arguments):
        """Return what the function of a file gives with Keras and the arguments."""
        pickle.dump((file, function, arguments), self._process.stdin)
        self._process.stdin.flush()
        works, found = pickle.load(self._process.stdout)
        assert works, found
        return found

    def close(self):
        """End the process, which has nothing to keep."""
        self._process.kill()
        self._process.communicate()


def serve():
    """Answer calls until the other side closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed is no answer
    # Keras imports these for parts that no test here asks of it.
    engine = os.environ["KERAS_BACKEND"]
    unused = {"sklearn", "matplotlib", "jax", "torch"} - {engine}
    sys.modules.update(dict.fromkeys(unused))
    if engine == "tensorflow":
        import tensorflow

        tensorflow.config.run_functions_eagerly(True)
    import keras

    modules = {}
    while True:
        try:
            file, function, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            if file not in modules:
                spec = importlib.util.spec_from_file_location(file, FOLDER / file)
                modules[file] = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(modules[file])
            keras.utils.clear_session()
            found = True, getattr(modules[file], function)(keras, *arguments)
            answer = pickle.dumps(found)
        except Exception:
            answer = pickle.dumps((False, traceback.format_exc()[-3000:]))
        answers.write(answer)
        answers.flush()


if __name__ == "__main__":
    serve()
