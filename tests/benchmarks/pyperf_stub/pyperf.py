"""Stands in for pyperf in `speed.py`: the same calls, one process, and the best time of one loop instead of a distribution."""

import argparse
import asyncio
import os
import time

perf_counter = time.process_time if os.environ.get("SPEED_CLOCK") == "processor" else time.perf_counter
TIMES = {}
"""Name of each benchmark → the best seconds of one loop."""

_SAMPLE, _SPENT = 0.05, float(os.environ.get("SPEED_SECONDS", "0.5"))


class Runner:
    """Takes the calls of pyperf.Runner that pyperformance's benchmarks make."""

    def __init__(self, **_options):
        self.metadata = {}
        self.argparser = argparse.ArgumentParser()

    def parse_args(self, _words=None):
        self.args = self.argparser.parse_args([])
        return self.args

    def bench_time_func(self, name, function, *args, inner_loops=1, **_options):
        loops, spent, best = 1, 0.0, float("inf")
        while spent < _SPENT or best == float("inf"):
            seconds = function(loops, *args)
            spent += seconds
            if seconds < _SAMPLE:
                loops *= 2
                continue
            best = min(best, seconds / loops / inner_loops)
        TIMES[name] = best

    def bench_func(self, name, function, *args, **options):
        def timed(loops, *values):
            begin = perf_counter()
            for _ in range(loops):
                function(*values)
            return perf_counter() - begin

        self.bench_time_func(name, timed, *args, **options)

    def bench_async_func(self, name, function, *args, **options):
        def timed(loops, *values):
            async def main():
                begin = perf_counter()
                for _ in range(loops):
                    await function(*values)
                return perf_counter() - begin

            return asyncio.run(main())

        self.bench_time_func(name, timed, *args, **options)
