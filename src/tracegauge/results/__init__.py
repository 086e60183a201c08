"""The records that stages hand on: typed, versioned, without MLflow."""

from tracegauge.results.cell import Cell
from tracegauge.results.environment import Environment
from tracegauge.results.metrics import METRICS, Metric, metric
from tracegauge.results.sample import Failure, Measurement, ReadCost, Sample, StoreCounts
from tracegauge.results.verdict import CampaignVerdict, CriterionVerdict, Verdict

__all__ = [
    "METRICS",
    "CampaignVerdict",
    "Cell",
    "CriterionVerdict",
    "Environment",
    "Failure",
    "Measurement",
    "Metric",
    "ReadCost",
    "Sample",
    "StoreCounts",
    "Verdict",
    "metric",
]
