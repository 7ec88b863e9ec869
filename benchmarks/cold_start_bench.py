"""What this app adds to the start of an empty app of the same kind: time, memory, modules.

Fresh interpreters import and index either app in turn; the ratio is between medians of the same run.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNS = 9
EMPTY_APP = """
import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route="health")
async def health(req: Request) -> Response:
    return Response(b"{}", media_type="application/json")
"""
MEASURE = """
import json, resource, sys, time
started = time.perf_counter()
import function_app
function_app.app.get_functions()
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "mib": peak, "modules": len(sys.modules)}))
"""
Sample = dict[str, float]


def measure(app_dir: Path) -> Sample:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(app_dir)!r})\n{MEASURE}"]
    result = subprocess.run(command, cwd=app_dir, capture_output=True, text=True, check=True)
    sample: Sample = json.loads(result.stdout)
    return sample


def median(samples: list[Sample], name: str) -> float:
    return statistics.median(sample[name] for sample in samples)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder)
        (empty / "function_app.py").write_text(EMPTY_APP)
        # The first run of each compiles byte code and is not counted.
        measure(empty), measure(ROOT)
        pairs = [(measure(empty), measure(ROOT)) for _ in range(RUNS)]
    floor, ours = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    ratio = median(ours, "seconds") / median(floor, "seconds")
    extra = median(ours, "mib") - median(floor, "mib")
    print(f"import and index, empty app: {1000 * median(floor, 'seconds'):6.0f} ms  {median(floor, 'mib'):5.1f} MiB")
    print(f"import and index, this app:  {1000 * median(ours, 'seconds'):6.0f} ms  {median(ours, 'mib'):5.1f} MiB")
    print(f"ratio {ratio:.2f} (goal 1.10), memory +{extra:.1f} MiB (goal +6), modules {median(ours, 'modules'):.0f}")


if __name__ == "__main__":
    main()
