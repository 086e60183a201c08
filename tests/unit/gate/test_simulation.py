"""The simulation that proves the gate decides exactly as the gate does."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tracegauge.gate import judge_campaign
from tracegauge.results import Verdict

FILE = Path(__file__).parents[3] / "bench" / "gate_accuracy" / "simulation.py"


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location("gate_accuracy_simulation", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_decides_as_the_gate_does(build, simulation):
    looks = (8, 12, 18)
    rng = np.random.default_rng(7)
    log_ratios = np.concatenate([rng.normal(mean, 0.04, (8, looks[-1])) for mean in (0.0, 0.05, 0.14)])
    simulated = simulation.decide(log_ratios, 0.0, looks)
    seen = set()
    for row, ratios in enumerate(log_ratios):
        samples = build.latencies(1000 * np.exp(ratios), [1000.0] * looks[-1])
        found = judge_campaign(build.campaign(samples, build.ratio(), looks=looks)).criteria[0]
        assert simulated.passed[row] == (found.verdict is Verdict.PASS)
        assert simulated.regressed[row] == (found.verdict is Verdict.REGRESSED)
        assert simulated.blocks[row] == found.blocks
        seen.add(found.verdict)
    assert seen == set(Verdict)


@pytest.mark.parametrize("world", ["log-normal", "heavy tails", "drift", "autocorrelated", "bimodal"])
def test_each_world_has_the_standard_deviation_that_it_says(simulation, world):
    noise = simulation.WORLDS[world](np.random.default_rng(8), 4000, 8)
    assert np.std(noise) == pytest.approx(1, abs=0.1)
