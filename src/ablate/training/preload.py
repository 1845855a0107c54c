"""Imported by the process that the runs of a sweep are forked from: what each of them would have to import.

It only imports: were TensorFlow's runtime started here, its threads would be missing in the forked processes.
"""

from ablate.training.hardware import import_tensorflow

import_tensorflow()
