"""What judging costs, with a mock LLM in a process of its own as the endpoint. Each prints a table in Markdown.

    python bench/bench_judging.py speed     # judgements a second, beside a bare loop of calls and MLflow's evaluate()
    python bench/bench_judging.py memory    # the most memory that `judge run` takes, by how many traces there are
    python bench/bench_judging.py lag       # seconds from a trace's end to its assessment while `judge watch` runs

`judging_faults.py` beside this file has the table of faults.
"""

import argparse


def main() -> None:
    """Measure what is asked for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = options.add_subparsers(dest="what", required=True)
    speed = what.add_parser("speed")
    speed.add_argument("--traces", type=int, default=2000)
    speed.add_argument("--latency-ms", type=float, default=200.0, help="of the mock")
    speed.add_argument("--rounds", type=int, default=2)
    memory = what.add_parser("memory")
    memory.add_argument("--traces", type=int, nargs="+", default=[20_000, 100_000])
    lag = what.add_parser("lag")
    lag.add_argument("--seconds", type=float, default=120.0, help="for which traces finish")
    lag.add_argument("--rate", type=float, default=5.0, help="traces that finish in a second")
    lag.add_argument("--latency-ms", type=float, default=200.0, help="of the mock")
    lag.add_argument("--backlog", type=int, default=0, help="older traces that are due when it begins")
    given = options.parse_args()
    # Imported here, as pytest collects this file by its name and needs none of it.
    if given.what == "speed":
        from judging_speed import measure_speed

        measure_speed(given.traces, given.latency_ms, given.rounds)
    elif given.what == "memory":
        from judging_memory import measure_memory

        measure_memory(given.traces)
    else:
        from judging_lag import measure_lag

        measure_lag(given.seconds, given.rate, given.latency_ms, given.backlog)


if __name__ == "__main__":
    main()
