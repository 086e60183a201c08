"""The other side of a comparison: another revision of the code, or other packages, measured in the same campaign.

reference (what the user names) → worktree (the code) → environment (the packages) → side (what workers run on).
"""

from tracegauge.measure.against.reference import Reference, RequirementReference, Revision, parse_reference
from tracegauge.measure.against.side import ONE_SIDE, Sides, old_cells, open_other_side, shared_campaign

__all__ = [
    "ONE_SIDE",
    "Reference",
    "RequirementReference",
    "Revision",
    "Sides",
    "old_cells",
    "open_other_side",
    "parse_reference",
    "shared_campaign",
]
