"""Cold import time of feltsense, beside numpy alone (the floor) and NeuroKit2 (the alternative), in one run.

Each figure is the median of fresh interpreters; the interpreter's own start is subtracted.
"""

import statistics
import subprocess
import sys
import time

RUNS = 7


def seconds(code: str) -> float:
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> None:
    start = seconds("pass")
    rows = {
        "numpy (floor)": "import numpy",
        "feltsense": "import feltsense",
        "feltsense, every public name": "import feltsense\nfor n in feltsense.__all__: getattr(feltsense, n)",
        "neurokit2 (alternative)": "import neurokit2",
    }
    cost = {name: seconds(code) - start for name, code in rows.items()}
    for name, value in cost.items():
        ratio = value / cost["numpy (floor)"]
        faster = cost["neurokit2 (alternative)"] / value
        print(f"{name:30} {value:6.3f} s   {ratio:6.1f} x numpy   {faster:6.1f} x faster than neurokit2")


if __name__ == "__main__":
    main()
