"""Whatever the shape of a fork that is let through: each of its nodes runs once, and joins run after what they join."""

import re
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from langchain_core.callbacks import BaseCallbackHandler

from tracegauge.config.errors import ConfigError
from tracegauge.config.loading import load_workflow_file
from tracegauge.config.workflow import WorkflowFile
from tracegauge.config.yaml_file import parse_yaml
from tracegauge.workflows.build import build_graph

YES, NO = "condition: {logic: 1 < 2}", "condition: {logic: 2 < 1}"
DEFAULT = "condition: {logic: default}"
ITEMS = "parallel: {items_field: items, target_node: %s, collect_field: got}"


def workflow_of(edges: list[str]) -> WorkflowFile:
    """A workflow with these edges; its nodes are the names of one letter and digits, and write a field each."""
    nodes = sorted({name for edge in edges for name in re.findall(r"\b[a-z]\d*\b", edge)})
    fields = [f"o_{node}: {{type: str}}" for node in nodes]
    fields += ['items: {type: "list[str]"}', 'got: {type: "list[str]"}', "done: {type: bool}"]
    return load_workflow_file(
        parse_yaml(
            "\n".join(
                [
                    'schema_version: "1.0"\nflow: {name: forks}',
                    "state:\n  fields:",
                    *(f"    {field}" for field in fields),
                    "nodes:",
                    *(f"  - {{id: {node}, prompt: {node}, outputs: [o_{node}]}}" for node in nodes),
                    "edges:",
                    *(f"  - {{{edge}}}" for edge in edges),
                ]
            ),
            "forks.yaml",
        )
    )


class _Prompts(BaseCallbackHandler):
    def __init__(self) -> None:
        self.order: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.order.append(messages[0][-1].text)


def order_of(workflow: WorkflowFile, **inputs: Any) -> list[str]:
    """The nodes in the order in which they ran; the prompt of each is its name."""
    prompts = _Prompts()
    build_graph(workflow).invoke(inputs, {"callbacks": [prompts]})
    return prompts.order


def last_of(*edges: str, **inputs: Any) -> tuple[str, dict[str, int]]:
    order = order_of(workflow_of(list(edges)), **inputs)
    return order[-1], {node: order.count(node) for node in sorted(set(order))}


def test_branches_of_different_length() -> None:
    edges = ("from: START, to: [a, b]", "from: a, to: c", "from: b, to: j", "from: c, to: j", "from: j, to: END")
    assert last_of(*edges) == ("j", {"a": 1, "b": 1, "c": 1, "j": 1})


@pytest.mark.parametrize("long", [False, True])
def test_a_fork_in_a_branch_of_a_fork(long: bool) -> None:
    """Whichever of the two joins could run first."""
    edges = ["from: START, to: [a, b]", "from: a, to: [c, d]", "from: c, to: e", "from: d, to: e", "from: e, to: j"]
    edges += ["from: b, to: f", "from: f, to: g", "from: g, to: h", "from: h, to: j"] if long else ["from: b, to: j"]
    last, counts = last_of(*edges, "from: j, to: END")
    assert last == "j"
    assert set(counts.values()) == {1}


def test_some_branches_meet_before_the_others() -> None:
    edges = ("from: START, to: [a, b, c]", "from: a, to: d", "from: b, to: d", "from: d, to: j", "from: c, to: j")
    assert last_of(*edges, "from: j, to: END") == ("j", {"a": 1, "b": 1, "c": 1, "d": 1, "j": 1})


def test_forks_inside_each_other_meet_in_one_node() -> None:
    edges = ("from: START, to: [a, b]", "from: a, to: [c, d]", "from: c, to: j", "from: d, to: j", "from: b, to: j")
    assert last_of(*edges, "from: j, to: END") == ("j", {"a": 1, "b": 1, "c": 1, "d": 1, "j": 1})


@pytest.mark.parametrize("logic", [YES, NO])
def test_a_branch_with_routes_to_the_join(logic: str) -> None:
    edges = (
        "from: START, to: [a, b]",
        f"from: a, routes: [{{{logic}, to: c}}, {{{DEFAULT}, to: j}}]",
        "from: c, to: j",
    )
    last, counts = last_of(*edges, "from: b, to: j", "from: j, to: END")
    assert (last, counts["j"]) == ("j", 1)
    assert ("c" in counts) == (logic == YES)


@pytest.mark.parametrize("logic", [YES, NO])
def test_one_of_two_forks_that_meet_in_the_same_node(logic: str) -> None:
    edges = ["from: START, to: s", f"from: s, routes: [{{{logic}, to: a}}, {{{DEFAULT}, to: b}}]"]
    edges += [
        "from: a, to: [a1, a2]",
        "from: b, to: [b1, b2]",
        *(f"from: {x}, to: j" for x in ("a1", "a2", "b1", "b2")),
    ]
    side = "a" if logic == YES else "b"
    assert last_of(*edges, "from: j, to: END") == ("j", dict.fromkeys((side, f"{side}1", f"{side}2", "j", "s"), 1))


def test_a_join_that_can_be_reached_without_the_fork() -> None:
    edges = ["from: START, to: s", f"from: s, routes: [{{{NO}, to: a}}, {{{DEFAULT}, to: j}}]", "from: a, to: [b, c]"]
    assert last_of(*edges, "from: b, to: j", "from: c, to: j", "from: j, to: END") == ("j", {"j": 1, "s": 1})


@pytest.mark.parametrize("items", [[], ["x"], ["x", "y", "z"]])
def test_items_in_a_branch_that_ends_in_a_node(items: list[str]) -> None:
    edges = ("from: START, to: [a, b]", f"from: a, {ITEMS % 'c'}", "from: c, to: d", "from: d, to: j", "from: b, to: j")
    last, counts = last_of(*edges, "from: j, to: END", items=items)
    assert last == "j"
    assert counts == {"a": 1, "b": 1, "d": 1, "j": 1, **({"c": len(items)} if items else {})}


def test_a_loop_in_a_branch() -> None:
    loop = "from: a, loop: {condition_field: done, max_iterations: 3, exit_to: j}"
    last, counts = last_of("from: START, to: [a, b]", loop, "from: b, to: j", "from: j, to: END")
    assert (last, counts) == ("j", {"a": 3, "b": 1, "j": 1})


@pytest.mark.parametrize(
    ("edges", "said"),
    [
        (["from: START, to: [a, j]", "from: a, to: j"], "'j' can't run at the same time as what leads to it"),
        (["from: START, to: [a, b]", "from: a, to: b", "from: b, to: j"], "'b' can't run at the same time as"),
        (
            [
                "from: START, to: [a, b]",
                f"from: a, routes: [{{{YES}, to: c}}, {{{DEFAULT}, to: j}}]",
                "from: b, to: c",
                "from: c, to: j",
            ],
            "the branches 'a' and 'b' can both come to 'c', before all meet in 'j'",
        ),
        (
            [
                "from: START, to: s",
                "from: s, to: [a, b]",
                f"from: a, routes: [{{{NO}, to: s}}, {{{DEFAULT}, to: j}}]",
                "from: b, to: j",
            ],
            "the branch 'a' can come back to 's' before it meets the others in 'j'",
        ),
        (
            [
                "from: START, to: s",
                f"from: s, routes: [{{{YES}, to: a}}, {{{DEFAULT}, to: b}}]",
                "from: a, to: [b, c]",
                "from: b, to: j",
                "from: c, to: j",
            ],
            "'s' leads into the branch 'b', but 'j' waits for all branches",
        ),
        (
            ["from: START, to: [a, b]", f"from: a, {ITEMS % 'c'}", "from: c, to: j", "from: b, to: j"],
            "'j' can't wait for the branch 'a', which does not end in one node that always runs",
        ),
        (["from: START, to: [a, END]", "from: a, to: j"], "a fork leads to nodes, not to END"),
    ],
)
def test_forks_that_can_not_be_waited_for_are_refused(edges: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        workflow_of([*edges, "from: j, to: END"])
    assert said in caught.value.message
    assert caught.value.hint or "END" in said


Block = tuple[str, list[Any]]
"""A part of a workflow: a node, blocks one after the other, at the same time, or one of them (routes)."""

blocks: st.SearchStrategy[Block] = st.recursive(
    st.just(("node", [])),
    lambda inner: st.tuples(
        st.sampled_from(["sequence", "fork", "fork", "choice"]), st.lists(inner, min_size=2, max_size=3)
    ),
    max_leaves=7,
)


def edges_of(block: Block, after: str, edges: list[str]) -> str:
    """Add the edges of a block that leads to `after`; gives its first node."""
    kind, parts = block
    if kind == "sequence":
        for part in reversed(parts):
            after = edges_of(part, after, edges)
        return after
    targets = [edges_of(part, after, edges) for part in parts] or [after]
    name = f"{kind[0]}{len(edges)}"
    if kind == "choice":  # the second one is taken, or none of them
        ways = ", ".join(f"{{{YES if i else NO}, to: {target}}}" for i, target in enumerate(targets))
        edges.append(f"from: {name}, routes: [{ways}, {{{DEFAULT}, to: {after}}}]")
    else:
        edges.append(f"from: {name}, to: {targets[0] if len(targets) == 1 else '[' + ', '.join(targets) + ']'}")
    return name


@settings(max_examples=60)
@given(blocks)
def test_no_node_runs_twice_or_before_what_it_waits_for(block: Block) -> None:
    edges = ["from: z, to: END"]
    edges.append(f"from: START, to: {edges_of(block, 'z', edges)}")
    try:
        workflow = workflow_of(edges)
    except ConfigError as error:
        if "can't wait for the branch" not in error.message:
            raise
        return
    order = order_of(workflow)
    event(f"{sum(edge.to is not None and len(edge.to) > 1 for edge in workflow.edges)} forks")
    assert len(set(order)) == len(order)
    assert order[-1] == "z", "everything else is done"
    for edge in workflow.edges:
        if edge.to is not None and edge.from_ in order:
            assert all(order.index(edge.from_) < order.index(target) for target in edge.to if target != "END")
    if all(edge.to is not None for edge in workflow.edges):
        assert set(order) == {node.id for node in workflow.nodes}
