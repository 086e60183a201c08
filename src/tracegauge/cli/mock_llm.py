"""`tracegauge mock-llm`: an OpenAI-compatible server that answers by a script."""

import re
from pathlib import Path
from typing import Annotated

import typer

from tracegauge.config.errors import ConfigError

_LATENCY = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s)")


def mock_llm(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.")] = 8040,
    latency: Annotated[
        str | None, typer.Option(help="Time to the first byte of an answer, such as 200ms or 1.5s.")
    ] = None,
    script: Annotated[Path | None, typer.Option(help="YAML file of rules, faults and more.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed gives other answers and other faults.")] = None,
) -> None:
    """Serve chat completions and embeddings in OpenAI's form, with made-up or scripted answers and injected faults.

    Every answer's model name says that it is a mock.

    Example: tracegauge mock-llm --latency 200ms --script examples/mock_llm/faults.yaml
    """
    from tracegauge.config.shipped import find_file
    from tracegauge.config.validation import parse
    from tracegauge.mock_llm import MockScript, serve

    given = parse(find_file(script), MockScript) if script else MockScript()
    changed: dict[str, float] = {}
    if latency is not None:
        changed["latency_ms"] = _milliseconds(latency)
    if seed is not None:
        changed["seed"] = seed
    try:
        serve(given.model_copy(update=changed), port, _tell)
    except OSError as error:
        raise ConfigError(f"port {port} can't be used: {error.strerror}", hint="name another with --port") from None


def _tell(url: str) -> None:
    typer.echo(f"mock LLM at {url}")
    typer.echo(f"use it:  export OPENAI_BASE_URL={url} OPENAI_API_KEY=mock")


def _milliseconds(text: str) -> float:
    found = _LATENCY.fullmatch(text.strip())
    if not found:
        raise ConfigError(f"--latency {text!r} is no duration", hint="write 200ms or 1.5s")
    return float(found[1]) * (1 if found[2] == "ms" else 1000)
