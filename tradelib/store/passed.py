"""A value as a file for other processes of this machine, whose tables they share and do not copy."""

import mmap
import pickle
from pathlib import Path
from typing import Any

ALIGNED = 64  # bytes: where each table's column begins


def write(value: object, path: Path) -> None:
    """Write a value, the columns of its tables as they lie in memory."""
    columns: list[pickle.PickleBuffer] = []
    frame = pickle.dumps(value, protocol=5, buffer_callback=columns.append)
    lying = [column.raw() for column in columns]
    with path.open("wb") as file:
        pickle.dump((len(frame), [one.nbytes for one in lying]), file)
        file.write(frame)
        for one in lying:
            file.write(bytes(-file.tell() % ALIGNED))
            file.write(one)


def read(path: Path) -> Any:
    """Read a value; what is written into its tables stays with who writes it."""
    with path.open("rb") as file:
        length, sizes = pickle.load(file)
        at, whole = file.tell(), mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    view, columns = memoryview(whole), []
    frame, at = view[at : at + length], at + length
    for size in sizes:
        at += -at % ALIGNED
        columns.append(view[at : at + size])
        at += size
    return pickle.loads(frame, buffers=columns)
