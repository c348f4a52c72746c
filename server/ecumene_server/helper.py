"""What every program is that the server starts beside itself: it reads one pipe, writes another, and goes with it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

import torch


def run(serve: Callable[[BinaryIO, BinaryIO], None], niceness: int) -> None:
    """Serves on standard input and output until the parent closes them.

    Args:
        serve: Reads the first stream and writes the second until the first ends.
        niceness: How far the program stands back where there are too few cores.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the pipes
    os.nice(niceness)
    torch.set_num_threads(1)
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads what Python flushes at the end
