"""Judging every trace that is due, once, at the speed of the endpoint: what `judge run` and `judge watch` share."""
