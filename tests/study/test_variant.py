from ablate.study.variant import variant_name

DEFAULTS = {"optimizer": "adam", "output_res": "full", "data": "sample", "scale": "laptop", "regularizer": "none"}


def name(*overrides: str, **choices: str) -> str:
    return variant_name(overrides, choices={**DEFAULTS, **choices}, defaults=DEFAULTS)


def test_the_baseline_differs_in_nothing() -> None:
    assert name() == "baseline"
    assert name("optimizer=adam") == "baseline"


def test_levels_are_named_in_alphabetical_order() -> None:
    both = name("output_res=quarter", "optimizer=adadelta", output_res="quarter", optimizer="adadelta")
    assert both == "optimizer=adadelta,output_res=quarter"


def test_keys_are_named() -> None:
    assert name("optimizer.learning_rate=1e-3", "++loss.mix=0.3") == "loss.mix=0.3,optimizer.learning_rate=0.001"


def test_what_all_variants_share_is_not() -> None:
    shared = ["seed=3", "study.name=x", "tracking.uri=null", "hardware.threads=2", "data=folder", "data.root=a"]
    assert name(*shared, "scale=smoke", data="folder", scale="smoke") == "baseline"


def test_what_follows_from_the_scale_is_no_difference() -> None:
    paper = {**DEFAULTS, "scale": "paper", "regularizer": "l2"}
    assert variant_name(["scale=paper"], choices=paper, defaults=paper) == "baseline"


def test_keys_that_change_results_are_named_in_every_section() -> None:
    assert name("data.image_size=32") == "data.image_size=32"
    assert name("hardware.precision=mixed_bfloat16") == "hardware.precision=mixed_bfloat16"
    assert name("scale.learning_rates.adam=0.1", "data.memory_gib=1") == "scale.learning_rates.adam=0.1"
