"""Reading judge files: each with its document, so that later faults can be told with their place."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tracegauge.config.errors import ConfigError, nearest
from tracegauge.config.judge import KINDS, AskingJudge, JudgeSpec, MemberSpec, PanelJudge
from tracegauge.config.judge_fields import ValueType
from tracegauge.config.shipped import find_file
from tracegauge.config.validation import parse
from tracegauge.config.yaml_file import YamlDocument, load_yaml

MODEL_VARIABLE = "TRACEGAUGE_JUDGE_MODEL"
BASE_URL_VARIABLE = "OPENAI_BASE_URL"


@dataclass(frozen=True)
class ReadJudge:
    """A judge and the document that it was read from."""

    spec: JudgeSpec
    document: YamlDocument


def read_judge_files(
    paths: Iterable[str | Path], model: str | None = None, base_url: str | None = None
) -> list[ReadJudge]:
    """Read the judges of files and folders, like `load_judges`. Raises ConfigError with the faults of all files."""
    read: list[ReadJudge] = []
    faults: list[ConfigError] = []
    for file in _files(paths):
        try:
            read.append(_read(file, model, base_url))
        except ConfigError as error:
            faults.append(error)
    if not faults:
        faults = [*_twice(read), *_resolve_panels(read)]
    if faults:
        first, *others = faults
        raise ConfigError(first.message, first.file, first.line, first.column, first.hint, (*first.others, *others))
    return read


def read_judge(document: YamlDocument) -> JudgeSpec:
    """The judge of one document, as its file says. Raises ConfigError that lists every fault with its place."""
    kind = document.data.get("kind")
    if kind is None:
        raise document.error("the key 'kind' is missing", (), hint=f"one of {', '.join(KINDS)}")
    if kind not in KINDS:
        raise document.error(f"kind: {kind!r} is unknown", ("kind",), hint=nearest(str(kind), KINDS))
    return parse(document, KINDS[kind])


def _files(paths: Iterable[str | Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        found = find_file(path)
        if found.is_dir():
            inside = sorted([*found.glob("*.yaml"), *found.glob("*.yml")])
            if not inside:
                raise ConfigError("there are no judge files (*.yaml) in this folder", file=found)
            files.extend(inside)
        else:
            files.append(found)
    return list(dict.fromkeys(files))


def _read(file: Path, model: str | None, base_url: str | None) -> ReadJudge:
    document = load_yaml(file)
    spec = read_judge(document)
    if not isinstance(spec, AskingJudge):
        return ReadJudge(spec, document)
    chosen: dict[str, str] = {}
    if spec.model is None:
        named = model or os.environ.get(MODEL_VARIABLE)
        if not named:
            raise document.error(
                "this judge has no `model`",
                (),
                hint=f"add one, such as `model: openai:/gpt-4.1-mini`, or set {MODEL_VARIABLE}",
            )
        chosen["model"] = named
    url = base_url or os.environ.get(BASE_URL_VARIABLE)
    if spec.base_url is None and url and (spec.model or chosen["model"]).startswith("openai:/"):
        chosen["base_url"] = url
    data = {**document.data, **chosen}
    with_defaults = YamlDocument(document.file, data, document.keys, document.values, document.text)
    return ReadJudge(read_judge(with_defaults), document) if chosen else ReadJudge(spec, document)


def _twice(read: list[ReadJudge]) -> Iterable[ConfigError]:
    places: dict[str, str] = {}
    for one in read:
        name = one.spec.name
        if name in places:
            yield one.document.error(
                f"there are two judges {name!r}", ("name",), hint=f"the other is in {places[name]}"
            )
        places.setdefault(name, one.document.file)


def _resolve_panels(read: list[ReadJudge]) -> Iterable[ConfigError]:
    by_name = {one.spec.name: one.spec for one in read}
    for one in read:
        if isinstance(one.spec, PanelJudge):
            yield from _resolve(one.spec, one.document, by_name)


def _resolve(panel: PanelJudge, document: YamlDocument, by_name: Mapping[str, JudgeSpec]) -> Iterable[ConfigError]:
    members: list[MemberSpec] = []
    for number, name in enumerate(panel.members):
        place = ("members", number)
        member = by_name.get(name)
        if member is None:
            others = [other for other in by_name if other != panel.name]
            yield document.error(
                f"there is no judge {name!r} among the files that are loaded", place, hint=nearest(name, others)
            )
        elif isinstance(member, PanelJudge):
            yield document.error(f"the member {name!r} is a panel itself", place, hint="name the judges in it instead")
        elif name in panel.members[:number]:
            yield document.error(f"the member {name!r} is named twice", place)
        elif members and (member.value, member.scope) != (members[0].value, members[0].scope):
            yield document.error(
                f"the member {name!r} does not say the same type of value over the same content as {members[0].name!r}",
                place,
                hint="members of a panel must have the same `value`, and all judge a trace or all a conversation",
            )
        else:
            members.append(member)
    if len(members) < len(panel.members):
        return
    value = members[0].value
    if panel.combine == "median" and value.type not in ("integer", "float"):
        yield document.error("a median needs members that say numbers", ("combine",), hint="write combine: vote")
    if panel.combine == "vote" and value.type in ("float", "text"):
        yield document.error(
            f"members that say a {value.type} can't vote", ("members",), hint="only equal values add up"
        )
    if panel.on_tie != "fail" and not _may_say(value, panel.on_tie):
        yield document.error(f"the members never say {panel.on_tie!r}", ("on_tie",), hint="write one of their values")
    if panel.needed > len(members):
        yield document.error(f"the quorum is more than the {len(members)} members", ("quorum",))
    panel.resolve(tuple(members))


def _may_say(value: ValueType, said: bool | int | str) -> bool:
    match value.type:
        case "bool":
            return isinstance(said, bool)
        case "categories":
            return said in value.categories
        case "integer" if isinstance(said, int) and not isinstance(said, bool):
            return value.minimum is not None and value.maximum is not None and value.minimum <= said <= value.maximum
    return False
