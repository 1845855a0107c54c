"""MLflow's table of packages and their modules, in the server process that the runs of a sweep are forked from.

MLflow makes it where the first model is logged; that takes half a second.
"""

from mlflow.utils.requirements_utils import warn_dependency_requirement_mismatches

warn_dependency_requirement_mismatches(["mlflow"])
