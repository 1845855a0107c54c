"""Analysis of the framework's code in the server process that the runs of a sweep are forked from.

What a file means is kept by its contents: a run reads the files again, and analyses only those that differ.
"""

from ablate.execution.code_version import IRRELEVANT, OWN_LOOP, TRAINING, import_closure

for _training in (TRAINING, OWN_LOOP):
    import_closure(("ablate.tasks.array_task", "ablate.tasks.dataset_task", _training), IRRELEVANT)
