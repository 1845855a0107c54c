"""Import of TensorFlow into the server process that the runs of a sweep are forked from, so that no run repeats it.

It only imports: were TensorFlow's runtime started here, its threads would be missing in the forked processes.
"""

from importlib import import_module

import_module("ablate.training.hardware").import_tensorflow()
