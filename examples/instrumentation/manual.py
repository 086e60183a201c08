"""`plain.py`, traced with spans written by hand."""

from typing import TypedDict

import mlflow
from langchain_core.messages import AIMessage
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from mlflow.entities import SpanType
from mlflow.tracing.constant import SpanAttributeKey

from tracegauge.workflows import ScriptedChatModel


class Article(TypedDict, total=False):
    topic: str
    outline: str
    draft: str
    text: str


MODEL = ScriptedChatModel()


def ask(prompt: str) -> AIMessage:
    with mlflow.start_span("chat", span_type=SpanType.CHAT_MODEL) as span:
        span.set_inputs({"prompt": prompt})
        answer = MODEL.invoke(prompt)
        span.set_outputs(answer.text)
        span.set_attribute(SpanAttributeKey.CHAT_USAGE, answer.usage_metadata)
        return answer


@mlflow.trace
def outline(state: Article) -> Article:
    return {"outline": ask(f"Outline an article about {state['topic']}.").text}


@mlflow.trace
def draft(state: Article) -> Article:
    return {"draft": ask(f"Write it: {state['outline']}").text}


@mlflow.trace
def edit(state: Article) -> Article:
    return {"text": ask(f"Edit it: {state['draft']}").text}


def build() -> CompiledStateGraph:
    return StateGraph(Article).add_sequence([outline, draft, edit]).set_entry_point("outline").compile()


def main(topic: str = "tidal power") -> str:
    mlflow.set_experiment("instrumentation")
    with mlflow.start_span("article", span_type=SpanType.CHAIN) as span:
        span.set_inputs({"topic": topic})
        article = build().invoke({"topic": topic})
        span.set_outputs(article)
    return article["text"]


if __name__ == "__main__":
    print(main())
    mlflow.flush_trace_async_logging()
