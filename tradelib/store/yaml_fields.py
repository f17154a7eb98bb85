"""A YAML file read field by field, so that whatever is wrong is told with file, line and field."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from tradelib.errors import TradelibError

REQUIRED = object()
MOST_BYTES, DEEPEST = 1_000_000, 20
#: The same, ten times as fast, where libyaml is there.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_fields(path: Path, kind: str, allowed: Mapping[str, tuple[str, ...]]) -> "Fields":
    """Read a file that holds one mapping, of a `kind`; `allowed` has the fields of each kind of mapping."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise TradelibError(f"{path.name}: it has more than {MOST_BYTES:,} bytes.", "Split it.")
    try:
        node = yaml.compose(data.decode("utf-8-sig"), Loader=LOADER)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, RecursionError) or "nesting" in str(error):  # libyaml counts for itself
            raise TradelibError(f"{path.name}: it is nested too deeply.", "No field needs that.") from None
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}:{mark.line + 1}" if mark else path.name
        raise TradelibError(f"{where}: not YAML: {getattr(error, 'problem', error)}.") from None
    return Fields(node, path.name, kind, allowed)


class Fields:
    """The fields of one mapping of a file, as text, each with its line."""

    def __init__(self, node, file: str, kind: str, allowed: Mapping[str, tuple[str, ...]]):
        self.file, self.line = file, node.start_mark.line + 1 if node else 1
        self.allowed = allowed
        if not isinstance(node, yaml.MappingNode):
            self.fail(kind, "needs fields, each as `name: value`.")
        self.nodes: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name, line = key.value, key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.fail(kind, "the name of a field is one word.", line=line)
            if kind in allowed and name not in allowed[kind]:
                self.fail(name, "is no field here.", f"Fields: {', '.join(allowed[kind])}.", line=line)
            if name in self.nodes:
                self.fail(name, "is there twice.", "Keep one of them.", line=line)
            self.nodes[name] = value

    def fail(self, field: str, problem: str, *advice: str, line: int | None = None):
        """Refuse the file: with its name, the line and the field."""
        raise TradelibError(f"{self.file}:{line or self.line}: {field}: {problem}", *advice)

    def read(self, name: str, convert: Callable, default=REQUIRED):
        """Convert a field's text; whatever is wrong with it is told with its place."""
        node = self.nodes.get(name)
        if node is None:
            if default is REQUIRED:
                self.fail(name, "is missing.")
            return default
        try:
            if isinstance(node, yaml.MappingNode):
                raise TradelibError("needs a value, not fields.")
            if isinstance(node, yaml.SequenceNode):
                if not all(isinstance(item, yaml.ScalarNode) for item in node.value):
                    raise TradelibError("needs a list of plain values.")
                return convert([item.value for item in node.value])
            return convert(node.value)
        except (ValueError, AttributeError, TypeError) as error:
            problem, *advice = str(error).split("\n  ")
            self.fail(name, problem, *advice, line=node.start_mark.line + 1)

    def entries(self, name: str, kind: str, *, required: bool) -> list["Fields"]:
        """The mappings of a list field."""
        node = self.nodes.get(name)
        if node is None and not required:
            return []
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.fail(name, "needs a list of entries, each beginning with a dash.")
        return [Fields(item, self.file, kind, self.allowed) for item in node.value]

    def values(self, name: str) -> dict[str, object]:
        """The values of a field that is a mapping itself: texts as they are written, lists and mappings.

        A text without quotation marks is `Bare`: what it stands for, a number or a word, is not decided here.
        """
        if name not in self.nodes:
            return {}
        inner = Fields(self.nodes[name], self.file, name, {})
        return {key: _value(node) for key, node in inner.nodes.items()}


class Bare(str):
    """A text that stands in a YAML file without quotation marks."""


def plain(value: object) -> object:
    """What bare texts stand for, here and inside: numbers, true, false and null; else they are texts: NO."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if not isinstance(value, Bare):
        return value
    try:
        return json.loads(value, parse_constant=lambda name: name)
    except ValueError:
        return str(value)


def _value(node: yaml.Node, depth: int = 0) -> object:
    if depth > DEEPEST:
        raise TradelibError("is nested too deeply.")
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, depth + 1) for one in node.value]
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _value(one, depth + 1) for key, one in node.value}
    return str(node.value) if node.style else Bare(node.value)


def word(text: str) -> str:
    """Take a text, with single spaces; an empty one, or a list, is refused."""
    if not isinstance(text, str) or not text.strip():
        raise TradelibError("needs a text.")
    return " ".join(text.split())


def one_of(text: str, allowed: tuple[str, ...]) -> str:
    """Take a text that is one of a few."""
    if text not in allowed:
        raise TradelibError(f"{text!r} is not allowed.", f"Give one of: {', '.join(allowed)}.")
    return text
