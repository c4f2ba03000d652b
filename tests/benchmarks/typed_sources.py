"""Typed versions of some of pyperformance's benchmarks, as a person would write them who types them: replacements in their sources.

Their files are not in this repository; `typed` makes the text out of the one that is installed. Functions that only drive a
benchmark stay without types.
"""

from __future__ import annotations

import re

HEAD = "# mypy: allow-untyped-defs, allow-incomplete-defs\n"

SIGNATURES: dict[str, dict[str, str]] = {
    "richards": {
        "Packet.__init__": "self, l: 'Packet | None', i: int, k: int) -> None",
        "Packet.append_to": "self, lst: 'Packet | None') -> 'Packet'",
        "DeviceTaskRec.__init__": "self) -> None",
        "IdleTaskRec.__init__": "self) -> None",
        "HandlerTaskRec.__init__": "self) -> None",
        "HandlerTaskRec.workInAdd": "self, p: Packet) -> Packet",
        "HandlerTaskRec.deviceInAdd": "self, p: Packet) -> Packet",
        "WorkerTaskRec.__init__": "self) -> None",
        "TaskState.__init__": "self) -> None",
        "TaskState.packetPending": "self) -> 'TaskState'",
        "TaskState.waiting": "self) -> 'TaskState'",
        "TaskState.running": "self) -> 'TaskState'",
        "TaskState.waitingWithPacket": "self) -> 'TaskState'",
        "TaskState.isPacketPending": "self) -> bool",
        "TaskState.isTaskWaiting": "self) -> bool",
        "TaskState.isTaskHolding": "self) -> bool",
        "TaskState.isTaskHoldingOrWaiting": "self) -> bool",
        "TaskState.isWaitingWithPacket": "self) -> bool",
        "trace": "a: object) -> None",
        "TaskWorkArea.__init__": "self) -> None",
        "Task.__init__": "self, i: int, p: int, w: 'Packet | None', initialState: TaskState, r: TaskRec) -> None",
        "Task.fn": "self, pkt: 'Packet | None', r: TaskRec) -> 'Task | None'",
        "Task.addPacket": "self, p: Packet, old: 'Task') -> 'Task'",
        "Task.runTask": "self) -> 'Task | None'",
        "Task.waitTask": "self) -> 'Task'",
        "Task.hold": "self) -> 'Task | None'",
        "Task.release": "self, i: int) -> 'Task'",
        "Task.qpkt": "self, pkt: Packet) -> 'Task'",
        "Task.findtcb": "self, id: int) -> 'Task'",
        "DeviceTask.__init__": "self, i: int, p: int, w: 'Packet | None', s: TaskState, r: TaskRec) -> None",
        "DeviceTask.fn": "self, pkt: 'Packet | None', r: TaskRec) -> 'Task | None'",
        "HandlerTask.__init__": "self, i: int, p: int, w: 'Packet | None', s: TaskState, r: TaskRec) -> None",
        "HandlerTask.fn": "self, pkt: 'Packet | None', r: TaskRec) -> 'Task | None'",
        "IdleTask.__init__": "self, i: int, p: int, w: object, s: TaskState, r: TaskRec) -> None",
        "IdleTask.fn": "self, pkt: 'Packet | None', r: TaskRec) -> 'Task | None'",
        "WorkTask.__init__": "self, i: int, p: int, w: 'Packet | None', s: TaskState, r: TaskRec) -> None",
        "WorkTask.fn": "self, pkt: 'Packet | None', r: TaskRec) -> 'Task | None'",
        "schedule": ") -> None",
        "Richards.run": "self, iterations: int) -> bool",
    },
    "float": {
        "Point.__init__": "self, i: int) -> None",
        "Point.__repr__": "self) -> str",
        "Point.normalize": "self) -> None",
        "Point.maximize": "self, other: 'Point') -> 'Point'",
        "maximize": "points: 'list[Point]') -> Point",
        "benchmark": "n: int) -> Point",
    },
    "spectral_norm": {
        "eval_A": "i: int, j: int) -> float",
        "eval_times_u": "func: 'Callable[[tuple[int, list[float]]], float]', u: 'list[float]') -> 'list[float]'",
        "eval_AtA_times_u": "u: 'list[float]') -> 'list[float]'",
        "part_A_times_u": "i_u: 'tuple[int, list[float]]') -> float",
        "part_At_times_u": "i_u: 'tuple[int, list[float]]') -> float",
    },
    "nbody": {
        "combinations": "l: 'list[Body]') -> 'list[tuple[Body, Body]]'",
        "advance": "dt: float, n: int, bodies: 'list[Body]' = SYSTEM, pairs: 'list[tuple[Body, Body]]' = PAIRS) -> None",
        "report_energy": "bodies: 'list[Body]' = SYSTEM, pairs: 'list[tuple[Body, Body]]' = PAIRS, e: float = 0.0) -> float",
        "offset_momentum": "ref: 'Body', bodies: 'list[Body]' = SYSTEM, px: float = 0.0, py: float = 0.0, pz: float = 0.0) "
        "-> None",
    },
    "fannkuch": {"fannkuch": "n: int) -> int"},
    "nqueens": {
        "permutations": "iterable: 'Iterable[int]', r: 'int | None' = None) -> 'Iterator[tuple[int, ...]]'",
        "n_queens": "queen_count: int) -> 'Iterator[tuple[int, ...]]'",
        "bench_n_queens": "queen_count: int) -> None",
    },
}
"""By benchmark and qualified name: the parameters and what is returned."""

EDITS: dict[str, list[tuple[str, str]]] = {
    "richards": [
        ("        self.pending = None\n", "        self.pending: 'Packet | None' = None\n"),
        (
            "        self.work_in = None\n        self.device_in = None\n",
            "        self.work_in: 'Packet | None' = None\n        self.device_in: 'Packet | None' = None\n",
        ),
        (
            "        self.taskTab = [None] * TASKTABSIZE\n\n        self.taskList = None\n",
            "        self.taskTab: 'list[Task | None]' = [None] * TASKTABSIZE\n\n        self.taskList: 'Task | None' = None\n",
        ),
        ("            msg = self.input\n", "            msg = self.input\n            assert msg is not None\n"),
        ("            wkq = Packet(None, 0, K_WORK)\n", "            wkq: 'Packet | None' = Packet(None, 0, K_WORK)\n"),
    ],
    "float": [("    points = [None] * n\n", "    points: 'list[Point]' = [None] * n  # type: ignore\n")],
    "spectral_norm": [
        ("import pyperf\n", "from collections.abc import Callable\n\nimport pyperf\n"),
        ("    partial_sum = 0\n", "    partial_sum = 0.0\n"),
    ],
    "nbody": [
        ("import pyperf\n", "from typing import Tuple, List\n\nimport pyperf\n\nBody = Tuple[List[float], List[float], float]\n")
    ],
    "fannkuch": [],
    "nqueens": [("import pyperf\n", "from collections.abc import Iterable, Iterator\n\nimport pyperf\n")],
}
"""By benchmark: text, and what stands for it."""


def typed(name: str, text: str) -> str:
    """Return a benchmark's source with types."""
    for old, new in EDITS[name]:
        if old not in text:
            msg = f"{name} has no {old!r}: this is another pyperformance than 1.14"
            raise ValueError(msg)
        text = text.replace(old, new)
    lines, out, left = iter(text.splitlines(keepends=True)), [HEAD], dict(SIGNATURES[name])
    around: list[tuple[int, str]] = []
    for line in lines:
        found = re.match(r"( *)(class|def) (\w+)", line)
        written = line
        if found:
            around = [each for each in around if each[0] < len(found[1])]
            qualified = ".".join([*(each for _, each in around), found[3]])
            around.append((len(found[1]), found[3]))
            if found[2] == "def" and qualified in left:
                while not line.rstrip().endswith(":"):
                    line = next(lines)  # noqa: PLW2901 - the parameters that follow are replaced, too
                written = f"{found[1]}def {found[3]}({left.pop(qualified)}:\n"
        out.append(written)
    if left:
        msg = f"{name} has no {', '.join(left)}: this is another pyperformance than 1.14"
        raise ValueError(msg)
    return "".join(out)
