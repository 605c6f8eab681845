"""How long `vidreid --help` takes, of nine calls: python tests/benchmarks/startup.py; writes results/startup.json."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

CALLS = 9


def main():
    program = Path(sys.executable).with_name("vidreid")
    taken = []
    for _ in range(CALLS):
        start = time.perf_counter()
        subprocess.run([program, "--help"], check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    found = {"help_s": {"median": round(statistics.median(taken), 3), "worst": round(max(taken), 3)}}
    (Path(__file__).parent / "results" / "startup.json").write_text(json.dumps(found, indent=1) + "\n")
    print(found)


if __name__ == "__main__":
    main()
