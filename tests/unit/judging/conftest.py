from collections.abc import Callable
from typing import Any

import pytest

from tracegauge.config.judge import JudgeSpec
from tracegauge.config.judge_files import read_judge
from tracegauge.config.yaml_file import parse_yaml
from tracegauge.judging.content import Content
from tracegauge.judging.example_traces import traces_of
from tracegauge.judging.examples import Example


def spec_of(text: str, **more: str) -> JudgeSpec:
    """A judge from YAML without the keys that all have."""
    lines = ["schema_version: '1.0'", "name: it", *(f"{key}: {value}" for key, value in more.items()), text]
    return read_judge(parse_yaml("\n".join(lines), "judge.yaml"))


@pytest.fixture
def spec() -> Callable[..., JudgeSpec]:
    return spec_of


@pytest.fixture
def trace() -> Callable[..., Any]:
    def make(**parts: Any) -> Any:
        return traces_of(Example.model_validate({"item": "one", "label": True, "source": "synthetic", **parts}))[0]

    return make


@pytest.fixture
def said(start_mock_llm: Any) -> Callable[..., Any]:
    """What a judge says of a content, asked of a mock with this script."""
    import asyncio

    import httpx

    from tracegauge.judging.build import build_judge

    def judge(script: Any, text: str, content: Content | None = None) -> Any:
        url = script if isinstance(script, str) else start_mock_llm(script).url
        judge_spec = spec_of(text, model="openai:/gpt-4.1-mini", base_url=url)

        async def run() -> Any:
            async with httpx.AsyncClient() as http:
                built = build_judge(judge_spec, {}, http)
                try:
                    return await built.judge(content or Content(inputs="How are you?", outputs="Fine."))
                finally:
                    await built.aclose()

        return asyncio.run(run())

    return judge
