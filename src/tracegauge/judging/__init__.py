"""Judges: from their files to scores of traces, and to evidence that the scores deserve trust."""
