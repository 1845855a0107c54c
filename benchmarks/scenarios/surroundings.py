"""Surroundings of a command that it does not expect."""

from scenarios.frame import Place, scenario

GROUP = "surroundings"


@scenario(GROUP, "no home, no terminal, an encoding of ASCII")
def bare(place: Place) -> str:
    """As in a container or a scheduler's job."""
    env = {"HOME": "/nonexistent", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "TERM": "dumb"}
    place.train("data=sample", "study.name=mine", env=env, says="Evaluated: ")
    place.run("ablate.report", "study=mine", "out=report", env=env)
    return "the run has finished, the report is written"


@scenario(GROUP, "a project folder with spaces, quotes and percent signs in its name")
def odd_folder(place: Place) -> str:
    """The store's address and the artifacts' are in it."""
    folder = place.folder / "it's 100% a #folder?"
    folder.mkdir()
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    place.train("data=sample", "study.name=mine", f"tracking.uri='{uri.replace(chr(39), chr(92) + chr(39))}'")
    place.run("ablate.report", "study=mine", f"out={folder / 'report'}", env={"MLFLOW_TRACKING_URI": uri})
    return "the run and its report are in it"
