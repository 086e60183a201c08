"""`plain.py`, traced the 2.9 way: a run for the workflow, a nested run for each node."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def track_workflow(topic: str) -> Iterator[None]:
    started = time.time()
    with mlflow.start_run(run_name="article"):
        mlflow.log_params({"workflow_name": "article", "global_model": "scripted"})
        mlflow.log_dict({"topic": topic}, "inputs.json")
        try:
            yield
        except Exception as error:
            mlflow.log_metric("status", 0)
            mlflow.log_dict({"error_type": type(error).__name__, "error": str(error)}, "error.json")
            raise
        mlflow.log_metrics({"status": 1, "duration_seconds": time.time() - started})


@contextmanager
def track_node(node_id: str) -> Iterator[None]:
    started = time.time()
    with mlflow.start_run(run_name=f"node_{node_id}", nested=True):
        mlflow.log_params({"node_id": node_id, "node_model": "scripted"})
        yield
        mlflow.log_metric("node_duration_ms", (time.time() - started) * 1000)


def ask(prompt: str) -> AIMessage:
    answer = MODEL.invoke(prompt)
    mlflow.log_metrics({key: answer.usage_metadata[key] for key in ("input_tokens", "output_tokens")})
    mlflow.log_text(prompt, "prompt.txt")
    mlflow.log_text(answer.text, "response.txt")
    return answer


def outline(state: Article) -> Article:
    with track_node("outline"):
        return {"outline": ask(f"Outline an article about {state['topic']}.").text}


def draft(state: Article) -> Article:
    with track_node("draft"):
        return {"draft": ask(f"Write it: {state['outline']}").text}


def edit(state: Article) -> Article:
    with track_node("edit"):
        return {"text": ask(f"Edit it: {state['draft']}").text}


def build() -> CompiledStateGraph:
    return StateGraph(Article).add_sequence([outline, draft, edit]).set_entry_point("outline").compile()


def main(topic: str = "tidal power") -> str:
    mlflow.set_experiment("instrumentation")
    with track_workflow(topic):
        article = build().invoke({"topic": topic})
        mlflow.log_dict(article, "outputs.json")
    return article["text"]


if __name__ == "__main__":
    print(main())
