"""YAML files become frozen, typed models; whatever is wrong in them is told with file, line and column."""
