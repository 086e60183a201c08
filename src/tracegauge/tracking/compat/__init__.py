"""What is private in MLflow, or differs between its versions: a file for each thing. Nothing else may know it.

Other rooms than tracking find here what they may use.
"""

from tracegauge.tracking.compat.global_state import tracking_uri

__all__ = ["tracking_uri"]
