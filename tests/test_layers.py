from tests.conftest import Command


def test_the_published_network_is_printed_without_tensorflow(python_m: Command) -> None:
    finished = python_m("ablate.layers", "scale=paper", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert finished.returncode == 0
    lines = finished.stdout.splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "parameters", "MFLOPs", "receptive", "field"]
    assert lines[2].split() == ["conv1_1", "conv", "3x3", "256x256x64", "640", "79.7", "3"]
    assert lines[-3].split()[:4] == ["head", "conv", "1x1", "64x64x313"]
    assert lines[-1].startswith("32,235,385 trainable parameters")
    assert "ablate.colorization.model.architecture" in finished.stderr
    assert "tensorflow" not in finished.stderr


def test_a_mistake_ends_in_one_clear_line(forked_m: Command) -> None:
    finished = forked_m("ablate.layers", "depth=deep")
    assert finished.returncode == 1
    assert finished.stderr == "Error: unknown level: depth=deep. Allowed: depth=full, depth=reduced, depth=shallow\n"


def test_help_teaches(forked_m: Command) -> None:
    assert "python -m ablate.layers depth=shallow" in forked_m("ablate.layers", "--help").stdout
