"""A YAML file read field by field, so that whatever is wrong is told with file, line and field."""

from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from tradelib.errors import TradelibError

REQUIRED = object()


def read_fields(path: Path, kind: str, allowed: Mapping[str, tuple[str, ...]]) -> "Fields":
    """Read a file that holds one mapping, of a `kind`; `allowed` has the fields of each kind of mapping."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
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
        self.nodes = {key.value: value for key, value in node.value}
        for key, _ in node.value:
            if kind in allowed and key.value not in allowed[kind]:
                advice = f"Fields: {', '.join(allowed[kind])}."
                self.fail(key.value, "is no field here.", advice, line=key.start_mark.line + 1)

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
            many = isinstance(node, yaml.SequenceNode)
            return convert([item.value for item in node.value] if many else node.value)
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

    def texts(self, name: str) -> dict[str, str]:
        """The values of a field that is a mapping itself, as they are written: NO stays NO."""
        if name not in self.nodes:
            return {}
        inner = Fields(self.nodes[name], self.file, name, {})
        return {key: inner.read(key, str) for key in inner.nodes}


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
