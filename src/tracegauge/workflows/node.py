"""What a node of a workflow file does: prompt, model, tools, outputs."""

from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from tracegauge.config.field_type import SCALARS, FieldType
from tracegauge.config.placeholders import parse_template
from tracegauge.config.workflow import Node, OutputSchema, StateField
from tracegauge.workflows.state import coerce
from tracegauge.workflows.tools import make_tool

_TOOL_STEPS = 20
"""LangGraph's bound on the steps of a node's own loop of model and tools."""


def make_node(
    node: Node, fields: Mapping[str, StateField], model: BaseChatModel
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The node's function from state to changes of the state. Raises ConfigError for an unknown tool."""
    prompt = parse_template(node.prompt)
    inputs = {name: parse_template(template) for name, template in node.inputs.items()}
    ask = _with_tools(node, model) if node.tools else _plain(node, model)

    def run(state: dict[str, Any]) -> dict[str, Any]:
        values = {**state, **{name: template.render(state) for name, template in inputs.items()}}
        answer = ask(prompt.render(values))
        if node.output_schema is not None and node.output_schema.fields:
            return {name: coerce(answer[name], fields[name].type) for name in node.outputs}
        value = answer["value"] if isinstance(answer, dict) and set(answer) == {"value"} else answer
        return {name: coerce(value, fields[name].type) for name in node.outputs}

    return run


def _plain(node: Node, model: BaseChatModel) -> Callable[[str], Any]:
    if node.output_schema is None or node.output_schema.type.name == "str":
        return lambda prompt: model.invoke(prompt).text
    structured = model.with_structured_output(json_schema(node.id, node.output_schema))
    return lambda prompt: structured.invoke(prompt)


def _with_tools(node: Node, model: BaseChatModel) -> Callable[[str], Any]:
    agent = _agent(node, model)
    structured = None
    if node.output_schema is not None and node.output_schema.type.name != "str":
        structured = model.with_structured_output(json_schema(node.id, node.output_schema))

    def ask(prompt: str) -> Any:
        result = agent.invoke({"messages": [HumanMessage(prompt)]}, {"recursion_limit": _TOOL_STEPS})
        text = result["messages"][-1].text
        return structured.invoke(text) if structured else text

    return ask


def _agent(node: Node, model: BaseChatModel) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Model and tools in turns, until the model calls no more tools."""
    tools = [make_tool(use) for use in node.tools]
    with_tools = model.bind_tools(tools)
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [with_tools.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode(tools, handle_tool_errors=False))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition, ["tools", END])
    graph.add_edge("tools", "model")
    return graph.compile(name=f"{node.id}_agent")


def json_schema(title: str, schema: OutputSchema) -> dict[str, Any]:
    """The output schema as JSON Schema of an object, which is what models take; one value is its `value`."""
    parts = {field.name: (field.type, field.description) for field in schema.fields} or {
        "value": (schema.type, schema.description)
    }
    return {
        "title": title,
        "description": schema.description or f"The answer of {title}.",
        "type": "object",
        "properties": {
            name: {**_schema_of(type_), **({"description": description} if description else {})}
            for name, (type_, description) in parts.items()
        },
        "required": list(parts),
        "additionalProperties": False,
    }


_JSON_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def _schema_of(type_: FieldType) -> dict[str, Any]:
    if type_.name in SCALARS:
        return {"type": _JSON_TYPES[type_.name]}
    if type_.name == "list":
        return {"type": "array", "items": _schema_of(type_.arguments[0]) if type_.arguments else {"type": "string"}}
    return {"type": "object", **({"additionalProperties": _schema_of(type_.arguments[1])} if type_.arguments else {})}
