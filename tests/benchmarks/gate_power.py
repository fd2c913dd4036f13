#!/usr/bin/env python3
"""The operating characteristic of `connbench gate`: how often it errs, and which changes it finds.

  gate_power.py same --models fork,thread --gates 2 [--relinked] [--budget 1min] [--rounds FILE]
  gate_power.py planted --where query --percent 5 --gates 3 [--model thread] [--budget 10min]
  gate_power.py page

`same` holds a model against itself, with --relinked against the same objects linked in another
order. `planted` holds it against a server of the same program that burns CPU time: in the query
path (where=query: a share of a request), in the connect path (connect: a share of a request that
connects), or a share of the server's CPU time per transaction (cpu). A share is turned into work by
two gates before: they measure a large burn, and then one of some 20 %.
`page` makes docs/gate-power.md, from gates and rounds of quiet machines and of busy ones: a
machine is quiet if other programs and its hypervisor take at most 5 % of its CPU time.

Each gate adds a line to testdata/gate_power.jsonl: what was asked, how it ended, each row's
verdict, ratio and interval, and how busy the machine was. --rounds adds every round's figures to a
CSV file, from which the program gate_power_curve draws gates (harness/gate/testing).
"""
import argparse
import csv
import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORDS = ROOT / "tests/benchmarks/testdata/gate_power.jsonl"
PAGE = ROOT / "docs/gate-power.md"
BURN = ROOT / "tests/benchmarks/planted_burn.c"
# Of what a burn is a share: the workload, and the row that shows it.
PLACES = {"query": ("steady", "throughput_tps", "PLANTED_TURNS_PER_RECEIVE"),
          "connect": ("churn", "request_us_mean", "PLANTED_TURNS_PER_ACCEPT"),
          "cpu": ("steady", "server_cpu_us_per_transaction", "PLANTED_TURNS_PER_RECEIVE")}
NEAR_SHARE = 0.2  # of a row's figure: the burn by which one percent is measured
QUIET_SHARE = 0.05  # of the CPU time, by other programs and the hypervisor together
ROUNDS = {"quiet": ROOT / "harness/gate/testing/recorded_rounds.csv",
          "busy": ROOT / "harness/gate/testing/recorded_rounds_busy.csv"}
VERDICT_OF_EXIT = {0: "nothing worse", 3: "INVALID", 4: "worse", 5: "not decided"}


class Gate:
    def __init__(self, options, folder):
        self.options = options
        self.folder = pathlib.Path(folder)

    def run(self, base, candidate, budget, *more):
        """Exit code, the verdict as JSON, and the folder of the run."""
        output = self.folder / f"run-{random.getrandbits(32):08x}"
        command = [self.options.connbench, "gate", base, candidate, "--budget", budget, "--format",
                   "json", "--seed", random.getrandbits(31), "-o", output,
                   "--calibration", self.folder / "none.json", *more]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              check=False)
        if done.returncode not in VERDICT_OF_EXIT:
            sys.exit(f"exit code {done.returncode}: {done.stdout}{done.stderr}")
        return done.returncode, json.loads(done.stdout), output


def build_folder(folder, program, environment):
    """A folder for build:DIR/MODEL whose server is `program` with this environment."""
    folder.mkdir()
    words = " ".join(f"{name}={value}" for name, value in environment.items())
    script = folder / "connbench-serve"
    script.write_text(f'#!/bin/sh\nexec env {words} "{program}" "$@"\n')
    script.chmod(0o755)
    return f"build:{folder}"


def compile_burn(folder):
    library, meter = folder / "planted_burn.so", folder / "planted_burn"
    for flags, out in ((["-shared", "-fPIC"], library), (["-DPLANTED_MAIN"], meter)):
        subprocess.run(["cc", "-O1", *flags, "-o", str(out), str(BURN), "-ldl"], check=True)
    turn_ns = min(float(subprocess.run([str(meter)], capture_output=True, text=True,
                                       check=True).stdout) for _ in range(5))
    return library, turn_ns


def relink(options, folder):
    """The server's program, linked from the same objects and archives in another order."""
    build = options.connbench.parents[1]
    serve = options.connbench.parent.relative_to(build) / "connbench-serve"
    commands = subprocess.run(["ninja", "-C", str(build), "-t", "commands", str(serve)],
                              capture_output=True, text=True, check=True).stdout.splitlines()
    words = next(line for line in reversed(commands) if f"-o {serve}" in line).split(" && ")
    words = next(part for part in words if f"-o {serve}" in part).split()
    inputs = [at for at, word in enumerate(words) if word.endswith((".o", ".a"))]
    shuffled = [words[at] for at in inputs]
    random.shuffle(shuffled)
    for at in inputs[1:]:
        words[at] = ""
    # A group, because archives find each other in any order only there.
    words[inputs[0]] = "-Wl,--start-group " + " ".join(shuffled) + " -Wl,--end-group"
    words[words.index("-o") + 1] = str(folder / "connbench-serve")
    folder.mkdir()
    subprocess.run(" ".join(words), shell=True, cwd=build, check=True)
    return f"build:{folder}"


def row_of(verdict, workload, metric):
    return next(row for row in verdict["rows"]
                if row["workload"] == workload and row["metric"] == metric)


def effect_of(gate, plain, library, where, model, turns):
    """By how much a burn of so many turns makes the row worse, and what to say of it."""
    workload, metric, variable = PLACES[where]
    slow = build_folder(gate.folder / f"slow-by-{turns}", server_of(gate.options),
                        {"LD_PRELOAD": library, variable: turns})
    _, verdict, _ = gate.run(f"{plain}/{model}", f"{slow}/{model}", gate.options.calibrating_budget,
                             "-w", workload)
    row = row_of(verdict, workload, metric)
    effect = (1 / row["ratio"] if row["better"] == "higher" else row["ratio"]) - 1
    if effect <= 0:
        sys.exit(f"a burn of {turns} turns changed {metric} by {effect:.1%}: too noisy here")
    print(f"{turns} turns make {workload} {metric} {effect:.1%} worse "
          f"({row['ratio_low']} to {row['ratio_high']})", flush=True)
    return effect


def turns_for(gate, library, turn_ns, where, model):
    """Turns that make the row one percent worse. A large burn is easily measured, but may cost more
    than its share, so it only says which burn to measure: one that is near those that matter."""
    base_us = 20 if PLACES[where][0] == "steady" else 500
    plain = build_folder(gate.folder / "plain", server_of(gate.options), {})
    turns = int(base_us * 1000 / turn_ns)
    turns = int(turns * NEAR_SHARE / effect_of(gate, plain, library, where, model, turns))
    return turns / effect_of(gate, plain, library, where, model, turns) / 100, plain


def server_of(options):
    return options.connbench.parent / "connbench-serve"


def short_row(row):
    return {key: row[key] for key in ("workload", "metric", "verdict", "ratio", "ratio_low",
                                      "ratio_high", "smallest_effect")} | {
        "rounds": len(row["base_values"])}


def record(options, asked, exit_code, verdict, output):
    with open(output / "trials.csv", encoding="utf-8") as file:
        windows = list(csv.DictReader(file))

    def mean(column):
        values = [float(window[column]) for window in windows if window[column]]
        return sum(values) / max(len(values), 1)

    info = json.loads((output / "run.json").read_text())
    line = {"at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **asked, "exit": exit_code, "cpus": info.get("cpus_online"),
            "load_average": os.getloadavg()[0], "steal": round(mean("steal_fraction"), 4),
            "other_cpu": round(mean("other_cpu_fraction"), 4), "windows": len(windows),
            "said": verdict["notes"][0],
            "invalid": [window["status_reason"] for window in windows if window["status"] != "OK"],
            "rows": [short_row(row) for row in verdict["rows"]]}
    with open(options.records, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    changed = [f"{row['workload']} {row['metric']} {row['verdict']} {row['ratio']:.3f}"
               for row in line["rows"] if row["verdict"] in ("worse", "better")]
    print(f"{asked}: {VERDICT_OF_EXIT[exit_code]}, "
          f"{max((row['rounds'] for row in line['rows']), default=0)} rounds, "
          f"other CPU {line['other_cpu']:.0%} {changed} {verdict['notes'][0]}", flush=True)


def keep_rounds(path, model, verdict):
    """Of each round and row the two figures, as gate_power_curve reads them."""
    fresh = not path.exists()
    with open(path, "a", encoding="utf-8") as file:
        if fresh:
            file.write("gate,workload,metric,round,base,candidate\n")
        name = f"{model}-{random.getrandbits(32):08x}"
        for row in verdict["rows"]:
            pairs = zip(row["base_values"], row["candidate_values"])
            for at, (base, candidate) in enumerate(pairs, 1):
                file.write(f"{name},{row['workload']},{row['metric']},{at},{base:.6g},"
                           f"{candidate:.6g}\n")


def same(options):
    with tempfile.TemporaryDirectory(prefix="connbench-power-") as folder:
        gate = Gate(options, folder)
        for at in range(options.gates):
            for model in options.models:
                base, candidate = model, model
                if options.relinked:
                    candidate = f"{relink(options, gate.folder / f'relinked-{at}-{model}')}/{model}"
                code, verdict, output = gate.run(base, candidate, options.budget)
                record(options, {"kind": "relinked" if options.relinked else "same",
                                 "model": model, "budget": options.budget}, code, verdict, output)
                if options.rounds:
                    keep_rounds(options.rounds, model, verdict)


def planted(options):
    with tempfile.TemporaryDirectory(prefix="connbench-power-") as folder:
        gate = Gate(options, folder)
        library, turn_ns = compile_burn(gate.folder)
        workload, _, variable = PLACES[options.where]
        per_percent, plain = turns_for(gate, library, turn_ns, options.where, options.model)
        for percent in options.percent:
            slow = build_folder(gate.folder / f"slow-{percent:g}", server_of(options),
                                {"LD_PRELOAD": library, variable: int(per_percent * percent)})
            for _ in range(options.gates):
                code, verdict, output = gate.run(f"{plain}/{options.model}",
                                                 f"{slow}/{options.model}", options.budget,
                                                 "-w", workload)
                record(options, {"kind": "planted", "where": options.where, "percent": percent,
                                 "model": options.model, "budget": options.budget},
                       code, verdict, output)


def share(found, of):
    return f"{found} of {of}"


def machine(one):
    return "quiet" if one["other_cpu"] + one["steal"] <= QUIET_SHARE else "busy"


def same_table(records):
    lines = ["| machine | gates of | budget | gates | nothing worse | worse (false alarms) "
             "| not decided | INVALID | rounds, mean |",
             "|---|---|---|--:|--:|--:|--:|--:|--:|"]
    groups = {}
    for one in records:
        if one["kind"] in ("same", "relinked"):
            key = (machine(one) != "quiet", one["kind"], one["model"], one["budget"])
            groups.setdefault(key, []).append(one)
    names = {"same": "{} against itself", "relinked": "{} against itself, linked in another order"}
    for (_, kind, model, budget), gates in sorted(groups.items()):
        exits = [one["exit"] for one in gates]
        lines.append(f"| {machine(gates[0])} | {names[kind].format(f'`{model}`')} | {budget} "
                     f"| {len(gates)} | "
                     + " | ".join(str(exits.count(code)) for code in (0, 4, 5, 3))
                     + f" | {mean_rounds(gates):.0f} |")
    return lines


def percent_of(gates, key):
    return f"{100 * sum(one[key] for one in gates) / len(gates):.0f} %"


def mean_rounds(gates):
    return sum(max((row["rounds"] for row in one["rows"]), default=0)
               for one in gates) / len(gates)


def has_better(one):
    return any(row["verdict"] == "better" for row in one["rows"])


def planted_table(records):
    if not any(one["kind"] == "planted" for one in records):
        return ["None has been measured yet."]
    lines = ["| planted in | model | budget | gates | called worse | planted size in the interval "
             "| other load, mean | steal, mean |", "|---|---|---|--:|--:|--:|--:|--:|"]
    groups = {}
    for one in records:
        if one["kind"] == "planted":
            key = (one["where"], one["percent"], one["model"], one["budget"])
            groups.setdefault(key, []).append(one)
    names = {"query": "the query path", "connect": "the connect path",
             "cpu": "server CPU per transaction"}
    for (where, percent, model, budget), gates in sorted(groups.items()):
        workload, metric, _ = PLACES[where]
        rows = [row_of(one, workload, metric) for one in gates]
        truth = 1 + percent / 100
        if metric == "throughput_tps":
            truth = 1 / truth
        held = sum((row["ratio_low"] or 0) <= truth <= (row["ratio_high"] or float("inf"))
                   for row in rows)
        worse = sum(row["verdict"] == "worse" for row in rows)
        lines.append(f"| {names[where]}, {percent:g} % | `{model}` | {budget} | {len(gates)} | "
                     f"{share(worse, len(gates))} | {share(held, len(gates))} | "
                     f"{percent_of(gates, 'other_cpu')} | {percent_of(gates, 'steal')} |")
    return lines


def minutes_of(budget):
    number = budget.rstrip("minsh")
    return float(number) * {"s": 1 / 60, "min": 1, "h": 60}[budget[len(number):]]


def rounds_per_minute(records, kind):
    """How many rounds of all its workloads a gate of a program against itself had on such machines,
    or on any if none was recorded on such a one."""
    same_kind = [one for one in records if machine(one) == kind] or records
    return (sum(mean_rounds([one]) for one in same_kind)
            / sum(minutes_of(one["budget"]) for one in same_kind))


def curve_table(options, rounds, per_minute):
    """What gate_power_curve finds in gates of one minute and of ten; it prints a table of its
    own."""
    program = options.connbench.parent / "gate/gate_power_curve"
    return subprocess.run([str(program), str(rounds), str(max(round(per_minute), 1)),
                           str(max(round(10 * per_minute), 1))], capture_output=True, text=True,
                          check=True).stdout.splitlines()


def page(options):
    records = [json.loads(line) for line in options.records.read_text().splitlines()]
    alarms = [one for one in records if one["kind"] in ("same", "relinked")]
    curves = {"busy": options.rounds} if options.rounds else ROUNDS
    text = ["# How often a gate errs, and what it finds", "",
            "Made by `tests/benchmarks/gate_power.py page` from the gates that are recorded in",
            "`tests/benchmarks/testdata/gate_power.jsonl`. The machine had "
            f"{records[-1]['cpus']} CPUs. It counts as busy where",
            "other programs and its hypervisor took more than "
            f"{100 * QUIET_SHARE:.0f} % of their time. A quiet machine finds",
            "far smaller changes.", "", "## A program against itself", "",
            f"{sum(one['exit'] == 4 for one in alarms)} of {len(alarms)} gates were false alarms. "
            "Before 8 rounds no gate decides anything;",
            f"{sum(mean_rounds([one]) >= 8 for one in alarms)} of them had that many. "
            f"{sum(has_better(one) for one in alarms)} called a row better.", "",
            *same_table(records), "",
            "Gates before 2026-11-29T00:45Z ran each model from one file: a relinked `fork` was "
            "called better in", "page faults per connect for its file's place in the page cache "
            "alone ([gate](gate.md)).", "",
            "## A change that was planted", "",
            "The server burns CPU time at each receive or accept (`planted_burn.c`). How much",
            "makes one percent was measured by gates before, so the planted size is known only",
            "as well as that.", "", *planted_table(records)]
    for kind, rounds in curves.items():
        per_minute = rounds_per_minute(alarms, kind)
        text += ["", f"## Gates drawn from recorded rounds: a {kind} machine", "",
                 f"A gate has {per_minute:.0f} rounds a minute there, so one of ten minutes has "
                 f"{10 * per_minute:.0f}.", "", *curve_table(options, rounds, per_minute)]
    options.page.write_text("\n".join(text) + "\n", encoding="utf-8")
    print(f"wrote {options.page}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["same", "planted", "page"])
    parser.add_argument("--connbench", type=pathlib.Path,
                        default=ROOT / "build/release/harness/connbench")
    parser.add_argument("--records", type=pathlib.Path, default=RECORDS)
    parser.add_argument("--rounds", type=pathlib.Path)
    parser.add_argument("--page", type=pathlib.Path, default=PAGE)
    parser.add_argument("--gates", type=int, default=1)
    parser.add_argument("--models", type=lambda text: text.split(","), default=["thread"])
    parser.add_argument("--model", default="thread")
    parser.add_argument("--relinked", action="store_true")
    parser.add_argument("--where", choices=PLACES, default="query")
    parser.add_argument("--percent", type=lambda text: [float(word) for word in text.split(",")],
                        default=[5.0])
    parser.add_argument("--budget")
    parser.add_argument("--calibrating-budget", default="2min")
    options = parser.parse_args()
    options.connbench = options.connbench.resolve()
    options.budget = options.budget or ("1min" if options.command == "same" else "10min")
    {"same": same, "planted": planted, "page": page}[options.command](options)


if __name__ == "__main__":
    main()
