"""The child process that uses the vendor's Python SDK, unchanged. Reports the same members as ours.rs."""

import json
import sys
import time

from keeper_secrets_manager_core import SecretsManager
from keeper_secrets_manager_core.storage import InMemoryKeyValueStorage

mode, times, config, _ca = sys.argv[1:]
text = open(config).read()


def once():
    manager = SecretsManager(config=InMemoryKeyValueStorage(text))
    records = manager.get_secrets()
    if mode == "get":
        return sum(len(record.title) for record in records)
    return sum(len(file.get_file_data()) for file in records[0].files)


def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1])


walls, size = [], 0
before = time.process_time()
for _ in range(int(times)):
    start = time.perf_counter()
    size = once()
    walls.append((time.perf_counter() - start) * 1e3)
cpu = (time.process_time() - before) * 1e3 / int(times)
total = sum(walls)
walls.sort()
print(json.dumps({"wall_ms": walls[len(walls) // 2], "wall_sum_ms": total, "cpu_ms": cpu, "peak_kib": peak(), "bytes": size}))
