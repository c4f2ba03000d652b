from _speedup import facts
