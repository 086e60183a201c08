"""Names of what tracegauge writes into the metadata of MLflow's assessments."""

from typing import Final

JUDGE: Final = "tracegauge.judge"
"""Name of the judge."""
JUDGE_DIGEST: Final = "tracegauge.judge_digest"
"""Digest of the judge that said it: another digest is another judge."""
CONTENT_DIGEST: Final = "tracegauge.content_digest"
"""Digest of what the judge saw."""
COST_USD: Final = "tracegauge.cost_usd"
"""US dollars; left out where the price is not known."""
LATENCY_MS: Final = "tracegauge.latency_ms"
"""Milliseconds from the first call to the verdict."""
MOCK: Final = "tracegauge.mock"
"""`true` where a mock answered: a rehearsal of the pipeline, not a statement about quality."""
