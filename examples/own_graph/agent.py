"""A ReAct-style agent as a team might have it: asynchronous nodes, tools, and messages as its state.

It uses a scripted model, so that it runs without an API key. With OPENAI_API_KEY set it asks a real one
(`pip install langchain langchain-openai`); OPENAI_BASE_URL points it at any compatible server.
"""

import os
from typing import Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import SystemMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

PRICES = {"tea": 3.2, "coffee": 4.1, "cake": 5.5}


@tool
async def price_of(item: Literal["tea", "coffee", "cake"]) -> float:
    """The price of an item on the menu, in euros."""
    return PRICES[item]


@tool
async def opening_hours(day: Literal["weekday", "saturday", "sunday"]) -> str:
    """When the café is open."""
    return {"weekday": "7:00 to 18:00", "saturday": "8:00 to 18:00", "sunday": "closed"}[day]


TOOLS = [price_of, opening_hours]


def make_model() -> BaseChatModel:
    if os.environ.get("OPENAI_API_KEY"):
        from langchain.chat_models import init_chat_model

        return init_chat_model(os.environ.get("OPENAI_MODEL", "gpt-4o-mini"), model_provider="openai")
    from tracegauge.workflows import ScriptedChatModel

    return ScriptedChatModel()


MODEL = make_model().bind_tools(TOOLS)
SYSTEM = SystemMessage("You answer guests of a small café. Use the tools rather than guess.")


async def answer(state: MessagesState) -> dict:
    return {"messages": [await MODEL.ainvoke([SYSTEM, *state["messages"]])]}


async def note_topic(state: MessagesState) -> dict:
    """A node without a model, for things that every agent has around its loop."""
    return {}


def tools_or_end(state: MessagesState) -> str:
    return "tools" if state["messages"][-1].tool_calls else END


builder = StateGraph(MessagesState)
builder.add_node("note_topic", note_topic)
builder.add_node("answer", answer)
builder.add_node("tools", ToolNode(TOOLS))
builder.add_edge(START, "note_topic")
builder.add_edge("note_topic", "answer")
builder.add_conditional_edges("answer", tools_or_end, ["tools", END])
builder.add_edge("tools", "answer")

graph = builder.compile(name="cafe_agent")
