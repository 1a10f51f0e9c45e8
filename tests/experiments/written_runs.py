"""Run directories as training leaves them, written without training."""

from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from rnnscope.experiments.runs.directory import RunDirectory
from tensorboard_gradient_flow.summaries import write_gradient
from tensorboard_gradient_flow.writer import RunWriter

STEPS = 20


def config(cell="lstm", dataset="adding", seed=1, name="test", **options):
    """A small configuration; options are written as `cell__units=8`."""
    composed = OmegaConf.create(
        {
            "cell": {"_target_": f"rnnscope.{cell}", "name": cell, "units": 64, "dropout": 0.0},
            "architecture": {"depth": 1, "skip": None, "output_units": []},
            "dataset": {
                "_target_": f"rnnscope.experiments.data.datasets.{dataset}",
                "name": dataset,
                "requires": {},
                "length": 100,
            },
            "optimizer": {"_target_": "keras.optimizers.Adam", "name": "adam", "learning_rate": 0.003},
            "telemetry": {"every": 10, "signals": ["h", "c"]},
            "seed": seed,
            "name": name,
            "rerun": False,
        }
    )
    for key, value in options.items():
        OmegaConf.update(composed, key.replace("__", "."), value)
    return composed


def begun(folder, *, seed=1, key=None, **options):
    """A run that has only begun."""
    composed = config(seed=seed, **options)
    told = "-".join(f"{value}" for value in options.values())
    run = RunDirectory(Path(folder) / (key or f"{composed.cell.name}-{composed.dataset.name}-{told}-s{seed}"))
    run.path.mkdir(parents=True)
    overrides = [f"{name.replace('__', '.')}={value}" for name, value in options.items()]
    run.begin(composed, [*overrides, f"seed={seed}"])
    return run


def result(value, *, metric="mae", baselines=None, parameters=1000, epochs=4, seconds=8.0, horizons=(3, 12)):
    """What `result.json` holds."""
    layers = {f"layer_{number}": {"horizon": far, "steps": STEPS - 1} for number, far in enumerate(horizons, start=1)}
    return {
        "metrics": {metric: value, "loss": 0.5},
        "headline": metric,
        "baselines": {name: {metric: score} for name, score in (baselines or {"training mean": 0.4}).items()},
        "parameters": parameters,
        "epochs": epochs,
        "steps": epochs * 10,
        "solved_at_step": None,
        "speed": {
            "steps_per_second": 100.0,
            "timesteps_per_second": 3200.0 * STEPS,
            "share_data": 0.1,
            "share_step": 0.8,
            "share_logging": 0.1,
        },
        "gradient": layers,
        "seconds": seconds,
    }


def completed(folder, value, *, seed=1, key=None, of_result=None, **options):
    """A run that has ended well."""
    run = begun(folder, seed=seed, key=key, **options)
    written = result(value, **(of_result or {}))
    metric = written["headline"]
    curve = (value or 0) + np.linspace(1, 0, written["epochs"])
    run.write_metrics(
        [
            {"epoch": epoch, "step": epoch * 10, metric: float(each), f"val_{metric}": float(each) + 0.1}
            for epoch, each in enumerate(curve, start=1)
        ]
    )
    run.write_result(written)
    run.set_state("completed")
    return run


def with_profiles(run, profiles, layer="layer_1", **metadata):
    """Adds an event file with one record for every profile `[T]`."""
    with RunWriter(run.path) as writer:
        for step, norms in enumerate(profiles):
            about = {"direction": "forward", "cell": "LSTMCell", "units": 8} | metadata
            write_gradient(writer, layer, "h", np.asarray(norms), step, **about)
            writer.scalar("loss/train", 1.0, step)
    return run
