"""`plain.py`, traced by `mlflow.langchain.autolog()`."""

from typing import TypedDict

import mlflow
from langchain_core.messages import AIMessage
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph

from tracegauge.workflows import ScriptedChatModel


class Article(TypedDict, total=False):
    topic: str
    outline: str
    draft: str
    text: str


MODEL = ScriptedChatModel()


def ask(prompt: str) -> AIMessage:
    return MODEL.invoke(prompt)


def outline(state: Article) -> Article:
    return {"outline": ask(f"Outline an article about {state['topic']}.").text}


def draft(state: Article) -> Article:
    return {"draft": ask(f"Write it: {state['outline']}").text}


def edit(state: Article) -> Article:
    return {"text": ask(f"Edit it: {state['draft']}").text}


def build() -> CompiledStateGraph:
    return StateGraph(Article).add_sequence([outline, draft, edit]).set_entry_point("outline").compile()


def main(topic: str = "tidal power") -> str:
    mlflow.set_experiment("instrumentation")
    mlflow.langchain.autolog()
    return build().invoke({"topic": topic})["text"]


if __name__ == "__main__":
    print(main())
    mlflow.flush_trace_async_logging()
