"""Papermill's engine as tradelib has it: within bounds, without keys, and without waiting for nothing."""

import os
import time
from pathlib import Path
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager, jupyter_path
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine
from papermill.execute import raise_for_execution_errors
from traitlets.config import Config

from tradelib.sources import keys

MOST_PRINTED, MOST_SHOWN = 1_000_000, 50_000_000  # characters: that a cell may print, and all may show
LONGEST_LINE = 10_000  # characters of an error
LONGEST_SOCKET = 90  # characters; systems allow 103 or more
REPLY_S, CONNECTED_S = 1, 0.05  # seconds: until a kernel is asked again, for no answer or for half of one
AGAIN_MS = 5  # between two tries to connect to a kernel that is about to be there


class Client(AsyncKernelClient):
    """A client that takes a kernel for ready when it has heard all of the answer to its first question.

    Jupyter's own waits for 0.2 s of silence then, on each run, and tries to connect every 0.1 s.
    """

    def _context_default(self):
        context = super()._context_default()
        context.reconnect_ivl = AGAIN_MS
        return context

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Ask until the answer comes, on both channels; an error if the kernel dies, or it takes too long."""
        began = time.monotonic()
        while not await self._is_heard(self.kernel_info()):
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if timeout is not None and time.monotonic() - began > timeout:
                raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")

    async def _is_heard(self, question: str) -> bool:
        """Whether a kernel's answer came, and told to everybody, that it has nothing more to do."""
        try:
            while (reply := await self.shell_channel.get_msg(timeout=REPLY_S))["parent_header"].get(
                "msg_id"
            ) != question:
                pass
            while True:
                told = await self.iopub_channel.get_msg(timeout=CONNECTED_S)
                mine = told["parent_header"].get("msg_id") == question
                if mine and told["content"].get("execution_state") == "idle":
                    self._handle_kernel_info_reply(reply)
                    return True
        except Empty:  # it starts still, or is not connected yet
            return False


class Bounded(PapermillNotebookClient):
    """A run of a notebook that shows no more than it may."""

    shown = 0

    def create_kernel_manager(self):
        """Return the manager of the kernel to be."""
        manager = super().create_kernel_manager()
        manager.client_factory = Client
        # left to itself it imports IPython, to look where kernels were kept before Jupyter
        manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=jupyter_path("kernels"))
        return manager

    def process_message(self, msg, cell, cell_index):
        """Take what a kernel sends, cut to what it may."""
        self.shown += bounded(msg["content"], cell)
        if self.shown > MOST_SHOWN:
            raise RuntimeError(f"it shows more than {MOST_SHOWN:,} characters, in cell {cell_index + 1}")
        return super().process_message(msg, cell, cell_index)


class Keyless(NBClientEngine):
    """Run a notebook in a kernel that gets no keys."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man, kernel_name, *, execution_timeout, config, extra_arguments, **_
    ):
        """Run the cells."""
        options = {"timeout": execution_timeout, "config": config, "extra_arguments": extra_arguments}
        return Bounded(nb_man, kernel_name=kernel_name, **options).execute(env=keys.without(os.environ))


def run(book: dict, kernel: str, **options) -> None:
    """Run the cells of a notebook that papermill has prepared; raise what one of them raised.

    It is written nowhere: papermill's own way, twice for each cell, takes a fifth of the work of a brief in a
    sweep, and once at the end a hundredth.
    """
    Keyless.execute_notebook(book, kernel, log_output=False, **options)
    raise_for_execution_errors(book, None)


def bounded(content: dict, cell: dict) -> int:
    """Cut what a message brings to what a cell may print; return how much of it there is."""
    if "text" in content:
        printed = sum(len(output.get("text", "")) for output in cell.get("outputs", []))
        room = MOST_PRINTED - printed  # below zero once it was told
        if len(content["text"]) > room:
            more = f"\n... cut: a cell may print {MOST_PRINTED:,} characters\n" if room >= 0 else ""
            content["text"] = content["text"][: max(0, room)] + more
        return len(content["text"])
    for name in ("evalue", "traceback"):  # of an error
        if isinstance(content.get(name), list):
            content[name] = [line[:LONGEST_LINE] for line in content[name]]
        elif name in content:
            content[name] = content[name][:LONGEST_LINE]
    return sum(len(str(value)) for value in content.get("data", {}).values())


def kernel_config(folder: Path):
    """Talk to the kernel through files where the system can, not through open TCP ports.

    Each run has a folder of its own for them: left to itself, every kernel started in one working
    directory would use the same names, and runs at the same time would hear each other.
    """
    address = str(folder / "k")
    if os.name == "nt" or len(address) > LONGEST_SOCKET:
        return Config({"KernelManager": {"transport": "tcp"}})
    own = {"transport": "ipc", "ip": address, "connection_file": str(folder / "kernel.json")}
    return Config({"KernelManager": own})
