"""What a node of a workflow file does: ask the model, let it use tools, write its answer into the state."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode
from pydantic import ValidationError

from tracegauge.config.state_values import FieldValue
from tracegauge.config.workflow import Node, StateField
from tracegauge.workflows.answer_schema import answer_schema

NodeFunction = Callable[[Mapping[str, Any]], dict[str, Any]]
"""From the state to what changes in it."""

MOST_TOOL_ROUNDS = 10
"""How often in a row the model of one node may call tools."""


def make_node(
    node: Node, fields: Mapping[str, StateField], model: BaseChatModel, tools: Sequence[BaseTool]
) -> NodeFunction:
    """The node's function. It raises ValueError for an answer that doesn't fit the state, and RuntimeError for a model
    that calls tools without end."""
    ask = _structured(node, fields, model, tools) or _text(node, model, tools)
    values = {name: FieldValue(fields[name]) for name in node.outputs}

    def run(state: Mapping[str, Any]) -> dict[str, Any]:
        inputs = {name: template.render(state) for name, template in node.inputs.items()}
        answer = ask(node.prompt.render(state, inputs))
        return {name: _fitting(node.id, name, value, answer) for name, value in values.items()}

    return run


Ask = Callable[[str], Mapping[str, Any]]


def _text(node: Node, model: BaseChatModel, tools: Sequence[BaseTool]) -> Ask:
    """The answer is one text."""
    converse = _conversation(node, model, tools)
    return lambda prompt: {node.outputs[0]: converse(prompt)[-1].text}


def _structured(
    node: Node, fields: Mapping[str, StateField], model: BaseChatModel, tools: Sequence[BaseTool]
) -> Ask | None:
    """The answer is an object with a property for each output; None where one text is wanted."""
    schema = answer_schema(node, fields)
    if schema is None:
        return None
    structured = model.with_structured_output(schema)
    converse = _conversation(node, model, tools) if tools else None

    def ask(prompt: str) -> Mapping[str, Any]:
        messages = (
            [*converse(prompt), HumanMessage("Give this answer in the form that is asked for.")] if converse else prompt
        )
        answer = structured.invoke(messages)
        if not isinstance(answer, Mapping):
            message = f"node {node.id!r}: the model gave no answer in the form of the output schema"
            raise ValueError(message)  # noqa: TRY004 (the value that a model gave is wrong, not our type)
        return answer

    return ask


def _conversation(node: Node, model: BaseChatModel, tools: Sequence[BaseTool]) -> Callable[[str], list[AnyMessage]]:
    """The model and its tools in turns, until it calls none; its answer is the last message."""
    if not tools:
        return lambda prompt: [HumanMessage(prompt), model.invoke(prompt)]
    with_tools = model.bind_tools(tools)
    tool_node = ToolNode(tools, handle_tool_errors=False)

    def converse(prompt: str) -> list[AnyMessage]:
        messages: list[AnyMessage] = [HumanMessage(prompt)]
        for _ in range(MOST_TOOL_ROUNDS + 1):
            answer = with_tools.invoke(messages)
            messages.append(answer)
            if not (isinstance(answer, AIMessage) and answer.tool_calls):
                return messages
            messages.extend(tool_node.invoke({"messages": messages})["messages"])
        raise RuntimeError(f"node {node.id!r}: the model still calls tools after {MOST_TOOL_ROUNDS} rounds")

    return converse


def _fitting(node: str, output: str, value: FieldValue, answer: Mapping[str, Any]) -> Any:
    try:
        return value.fitting(answer[output])
    except KeyError:
        raise ValueError(f"node {node!r}: the model's answer has no {output!r}") from None
    except ValidationError as error:
        why = error.errors(include_url=False)[0]["msg"]
        raise ValueError(
            f"node {node!r}: the model's answer {answer[output]!r} does not fit {output!r}: {why}"
        ) from error
