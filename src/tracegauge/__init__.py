"""tracegauge: what tracing LangGraph agents with MLflow costs, and how good their answers are."""

__version__ = "0.1.0"
