"""Checks of nodes: placeholders name what there is, and answers fit the state."""

from collections.abc import Iterator, Mapping

from tracegauge.config.errors import nearest
from tracegauge.config.field_checks import path_faults
from tracegauge.config.field_type import FieldType
from tracegauge.config.placeholders import Template
from tracegauge.config.validation import PlacedError
from tracegauge.config.workflow import Node, StateField, WorkflowFile
from tracegauge.config.yaml_file import KeyPath

ITEM_NAMES = ("item", "index")
"""What a node that runs once per item sees beside the state."""


def node_faults(node: Node, path: KeyPath, workflow: WorkflowFile) -> Iterator[PlacedError]:
    """What is wrong with one node, which stands at `path`."""
    fields = workflow.state.fields
    per_item = any(edge.parallel and edge.parallel.target_node == node.id for edge in workflow.edges)
    more = ITEM_NAMES if per_item else ()
    yield from _template_faults(node.prompt, (*path, "prompt"), fields, (*more, *node.inputs))
    for name, template in node.inputs.items():
        yield from _template_faults(template, (*path, "inputs", name), fields, more)
    for number, output in enumerate(node.outputs):
        place = (*path, "outputs", number)
        if output not in fields:
            yield PlacedError(f"there is no state field {output!r}", *place, of_key=False, hint=nearest(output, fields))
        elif output in node.outputs[:number]:
            yield PlacedError(f"{output!r} is given twice", *place, of_key=False)
        else:
            yield from _output_faults(node, output, path, number, fields[output])


def _template_faults(
    template: Template, path: KeyPath, fields: Mapping[str, StateField], more: tuple[str, ...]
) -> Iterator[PlacedError]:
    for placeholder in dict.fromkeys(template.placeholders):
        name, *parts = placeholder.path
        if placeholder.of_state or name not in more:
            known = () if placeholder.of_state else more
            yield from path_faults(placeholder.path, fields, path, "placeholder", known)
        elif parts and name != "item":
            message = f"the placeholder {'.'.join(placeholder.path)!r} goes into {name!r}, which has no parts"
            yield PlacedError(message, *path, of_key=False, hint=f"write {{{name}}}")


def _output_faults(node: Node, output: str, path: KeyPath, number: int, field: StateField) -> Iterator[PlacedError]:
    schema = node.output_schema
    if schema is None:
        return
    if not schema.fields:
        if len(node.outputs) > 1:
            yield PlacedError(
                "one value can't fill several outputs: use an object with `fields`", *path, "output_schema"
            )
        elif not field.type.takes(schema.type):
            yield _mismatch(output, field.type, schema.type, (*path, "output_schema", "type"))
        return
    for place, part in enumerate(schema.fields):
        if part.name == output:
            if not field.type.takes(part.type):
                yield _mismatch(output, field.type, part.type, (*path, "output_schema", "fields", place, "type"))
            return
    known = [part.name for part in schema.fields]
    message = f"the output {output!r} is no field of output_schema"
    yield PlacedError(message, *path, "outputs", number, of_key=False, hint=nearest(output, known))


def _mismatch(output: str, wanted: FieldType, given: FieldType, place: KeyPath) -> PlacedError:
    message = f"the answer has {given} where the state field {output!r} has {wanted}"
    return PlacedError(message, *place, of_key=False, hint=f"write {wanted} here, or change the state field")
