"""Tasks, keys and the schedule; knows nothing of compilers."""
