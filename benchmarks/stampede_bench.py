"""How often the origin is asked when many processes miss the same key at once; exits non-zero above the goal."""

import sys
from collections import Counter

from tests.doubles.redis_callers import CallerProcesses, Trial
from tests.doubles.redis_server import BINARY, MISSING, RedisServer

PROCESSES, CALLERS, TRIALS, ORIGIN_S = 8, 50, 20, 0.2


def report(what: str, trials: list[Trial], goal: int) -> bool:
    counts = Counter(trial.fetches for trial in trials)
    shown = ", ".join(f"{fetches} in {times}" for fetches, times in sorted(counts.items()))
    slowest = sorted(trial.slowest_s for trial in trials)
    missed = sum(trial.fetches > goal for trial in trials)
    print(
        f"{what:<58} fetches {shown} of {len(trials)} trials (goal {goal}); "
        f"slowest caller median {slowest[len(slowest) // 2]:.2f} s, most {slowest[-1]:.2f} s"
    )
    return missed == 0


def main() -> int:
    if BINARY is None:
        print(MISSING)
        return 0
    with RedisServer() as server:
        with CallerProcesses(server.port, PROCESSES) as processes:
            cold = [processes.trial(f"cold-{n}", callers=CALLERS, origin_s=ORIGIN_S) for n in range(TRIALS)]
            fails = [processes.trial(f"fail-{n}", callers=CALLERS, origin_s=ORIGIN_S, fail=True) for n in range(TRIALS)]
            kills = [
                processes.trial(f"kill-{n}", callers=CALLERS, origin_s=ORIGIN_S, hang_first=True) for n in range(TRIALS)
            ]
        with CallerProcesses(server.port, PROCESSES, shared=False) as processes:
            alone = [processes.trial(f"alone-{n}", callers=CALLERS, origin_s=ORIGIN_S) for n in range(3)]
    report("for comparison, memory only", alone, PROCESSES)
    met = [
        report(f"{PROCESSES} processes x {CALLERS} callers, origin {ORIGIN_S} s", cold, 1),
        report("the same, origin fails", fails, 2),
        report("the same, holder killed with SIGKILL, its own fetch included", kills, 2),
    ]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
