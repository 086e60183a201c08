"""Checks of traces that need no model. Each module is the source of one judge: a changed module is another judge."""
