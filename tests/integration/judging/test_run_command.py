"""What `judge run` and `judge status` say to people."""

import json

from typer.testing import CliRunner

from tracegauge.cli.judge import judge

JUDGE = 'schema_version: "1.0"\nkind: llm\nname: good\nmodel: openai:/mock\nbase_url: {url}\n'
CODE = 'schema_version: "1.0"\nkind: code\nname: quick\nfunction: judges.py:quick\n'


def test_a_run_says_what_was_due_and_what_became_of_it(make_store, traces, mock_llm, workdir):
    uri = make_store([*traces(2), *traces("silent", outputs=None)])
    (workdir / "judges.py").write_text("def quick(trace):\n    return True\n")
    (workdir / "quick.yaml").write_text(CODE)
    judges = JUDGE.format(url=mock_llm.url) + 'instructions: "Is {{ outputs }} a good answer?"\n'
    (workdir / "good.yaml").write_text(judges)

    def told(command, *more):
        arguments = [command, "good.yaml", "quick.yaml", "--store", uri, *more]
        done = CliRunner().invoke(judge, arguments, standalone_mode=False, catch_exceptions=False)
        return done.output.splitlines()

    def as_json(*more):
        arguments = ["run", "good.yaml", "quick.yaml", "--store", uri, "--json", *more]
        return json.loads(CliRunner().invoke(judge, arguments, standalone_mode=False, catch_exceptions=False).stdout)

    good, quick = told("run", "--dry-run")
    assert good.startswith("good: 3 due, about 2 calls, ")  # one holds nothing to judge
    assert good.endswith(" out, price not known")
    assert quick == "quick: 3 due, no calls"
    estimates = as_json("--dry-run")["estimates"]
    assert [(one["judge"], one["due"], one["calls"]) for one in estimates] == [("good", 3, 2), ("quick", 3, 0)]
    assert estimates[0]["usage"]["input_tokens"] > 0
    assert told("run")[:3] == [
        "good: 2 scored, 1 failed",
        "quick: 3 scored",
        "`tracegauge judge status` with the same judges and store tells why they failed",
    ]
    assert told("run")[:2] == ["good: 1 failed", "quick: nothing due"]
    shown = told("status")
    assert sum("; over all that is due between " in line for line in shown) == 1
    assert "  passed 100.0% [43.9%, 100.0%] of 3 scored" in shown  # all that is due: no bounds

    again = as_json("--minimum-pass-rate", "0.5")
    nothing = {"scored": 0, "failed": 0, "skipped_by_budget": 0, "error": None}
    assert again["judges"] == [{"judge": "good", **nothing}, {"judge": "quick", **nothing}]  # a failure waits
    assert again["below_minimum_pass_rate"] == []
