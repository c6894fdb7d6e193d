"""Kill runs at random instants, resume them, and compare the bits with those of an undisturbed run.

    python tools/kill_and_resume.py                  a hundred SIGKILLs of the process
    python tools/kill_and_resume.py workers          workers of a Dask cluster are killed
    python tools/kill_and_resume.py disk             the file system fills up, again and again

Each prints what it did, and exits with 1 if a byte of a result differs. A process that is killed is
a fork of this one, so that the instants fall on work and not on imports (Linux, macOS); the first
and the last run of each round go through the command line. For `disk` a tmpfs is mounted and grown
(as root on Linux), or else the largest size of a file is limited and raised.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KILLS_OF_A_ROUND = 3  # workers of a cluster

STUDY = """
version = 1
title = "sixteen points under fire"

[magnet]
moment = 1.3
gyromagnetic_ratio = 1.7
damping = 0.4
temperature = 0.8

[protocol]
duration = 0.9
field = { kind = "ramp", start = [0.3, -0.2, 0.9], stop = [-0.5, 0.7, -0.4], duration = 0.9 }
spin_torque = { kind = "triangle", peak = [0.4, 0.8, -0.7], duration = 0.9 }

[compute]
quantity = "statistics"
trajectories = 40_000
steps = 24
seed = 20
chunk = 16_384
bins = 24

[sweep]
method = "grid"
axes."magnet.temperature" = { start = 0.5, stop = 2.0, count = 4, spacing = "log" }
axes."protocol.spin_torque.peak" = { values = [[0.4, 0.8, -0.7], [0, 0, 1], [0, 2, 0], [1, 0, 0]] }
"""
FULL = 74
WORDS = "from spintherm.cli import main; import sys; sys.exit(main(sys.argv[1:]))"


def command(*words: object) -> list[str]:
    return [sys.executable, "-c", WORDS, *map(str, words)]


def through_command_line(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, check=False, **options)


def digest(directory: Path) -> str:
    return hashlib.sha256((directory / "result.nc").read_bytes()).hexdigest()


def reference(folder: Path, study: Path, *overrides: str) -> str:
    """The digest of an undisturbed run."""
    done = through_command_line("run", study, *overrides, "--out", folder / "reference")
    if done.returncode:
        sys.exit(done.stderr)
    return digest(folder / "reference")


def work(study: Path, out: Path) -> None:
    """Run or resume, whichever it is, in this process."""
    from spintherm.study.directory import is_run
    from spintherm.study.executors import Workers
    from spintherm.study.running import execute, opened_run

    opened = opened_run(None if is_run(out) else study, out, resume=True)
    execute(opened, Workers(threads=2), progress=False)


def forked(study: Path, out: Path, patience: float | None) -> str:
    """Work in a child; kill it when patience ends. Return "done", "killed" or "failed"."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work(study, out)
            code = 0
        finally:
            os._exit(code)
    deadline = None if patience is None else time.monotonic() + patience
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return "done" if status == 0 else "failed"
        if deadline is not None and time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            return "killed" if os.WIFSIGNALED(status) else "done"
        time.sleep(0.002)


def kill_processes(folder: Path, study: Path, kills: int, rng: random.Random) -> int:
    """Rounds of one run each, killed again and again until it gets through."""
    wanted = reference(folder, study)
    work(study, folder / "warm")  # children inherit what is imported and compiled
    began = time.monotonic()
    if forked(study, folder / "timed", None) != "done":
        sys.exit("the undisturbed run failed in a child")
    whole = time.monotonic() - began
    print(f"undisturbed: {whole:.2f} s, {wanted[:16]}", flush=True)
    killed = rounds = wrong = 0
    while killed < kills:
        out = folder / f"round-{rounds}"
        here = 0
        while (end := forked(study, out, rng.uniform(0.0, 0.4 * whole))) == "killed":
            here += 1
            if killed + here == kills:
                break
        killed += here
        if end == "killed":  # enough: the rest through the command line
            there = (out / "provenance.json").exists()
            words = ["--resume", out] if there else [study, "--out", out]
            end = "failed" if through_command_line("run", *words).returncode else "done"
        if end == "failed":
            sys.exit(f"{out}: a resumed run failed: {(out / 'run.log').read_text()}")
        same = digest(out) == wanted
        wrong += not same
        print(f"round {rounds}: {here} kills, {'same bits' if same else 'DIFFERENT'}", flush=True)
        shutil.rmtree(out)
        rounds += 1
    print(f"{killed} SIGKILLs in {rounds} rounds: {wrong} results differ")
    return wrong


def kill_workers(folder: Path, study: Path, kills: int, rng: random.Random) -> int:
    """Kill workers of a Dask cluster while it works, until enough have been killed."""
    import psutil

    more = "compute.trajectories=400_000"
    wanted = reference(folder, study, more)
    killed = rounds = wrong = 0
    while killed < kills:
        out = folder / f"round-{rounds}"
        process = subprocess.Popen(
            command("run", study, more, "--out", out, "--workers", 2),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        here = 0
        while process.poll() is None:
            time.sleep(rng.uniform(0.2, 1.5))
            if here == KILLS_OF_A_ROUND:
                continue  # killed faster than they start, workers would never finish a task
            victim = chosen_worker(psutil, process.pid, rng, out)
            if victim is not None:
                victim.kill()
                here += 1
        assert process.stderr is not None
        words = process.stderr.read()
        same = process.returncode == 0 and digest(out) == wanted
        wrong += not same
        killed += here
        print(f"round {rounds}: {here} workers killed, {'same bits' if same else 'DIFFERENT'}")
        if not same:
            print(words)
        shutil.rmtree(out, ignore_errors=True)
        rounds += 1
        if not here:
            sys.exit("no worker was found to be killed")
    print(f"{killed} workers killed in {rounds} rounds: {wrong} results differ")
    return wrong


def chosen_worker(psutil, pid: int, rng: random.Random, out: Path):
    """A worker of a run that has begun to commit, if there is one."""
    if not any(one.stat().st_size for one in out.glob("commits/*.jsonl")):
        return None
    try:
        children = psutil.Process(pid).children(recursive=True)
        workers = [one for one in children if "spawn_main" in " ".join(one.cmdline())]
    except psutil.Error:
        return None
    return rng.choice(workers) if workers else None


def fill_disk(folder: Path, study: Path, _kills: int, rng: random.Random) -> int:
    """Let a run meet a full disk at every few kilobytes, and resume it with a little more room."""
    wanted = reference(folder, study)
    work(study, folder / "warm")  # children inherit what is imported and compiled
    place = folder / "small"
    place.mkdir()
    mounted = mount(place, "size=16k")
    out, size, met = place / "run", 16, 0
    print("a tmpfs that grows" if mounted else "files whose size is limited", flush=True)
    try:
        first = through_command_line(
            "run", study, "--out", out, preexec_fn=None if mounted else lambda: limit_files(1)
        )
        if first.returncode != FULL or first.stderr.count("\n") != 1:
            print(f"exit code {first.returncode}, expected {FULL}: {first.stderr}")
            return 1
        print(first.stderr, end="", flush=True)
        while (code := attempt(study, out, None if mounted else size)) == FULL:
            met += 1
            size += rng.randint(4, 48) if mounted else rng.randint(1, 8)
            if mounted:
                subprocess.run(["mount", "-o", f"remount,size={size}k", place], check=True)
        same = code == 0 and digest(out) == wanted
    finally:
        if mounted:
            subprocess.run(["umount", place], check=True)
    print(f"{met} times full on the way to {size} kB: {'same bits' if same else 'DIFFERENT'}")
    return int(not same)


def attempt(study: Path, out: Path, kilobytes: int | None) -> int:
    """Work in a child, with files of a limited size; return its exit code."""
    from spintherm.study.files import DirectoryFull

    child = os.fork()
    if child == 0:
        code = 1
        try:
            if kilobytes is not None:
                limit_files(kilobytes)
            work(study, out)
            code = 0
        except DirectoryFull:
            code = FULL
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def mount(place: Path, options: str) -> bool:
    """Mount a small tmpfs; False where that is not allowed."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def limit_files(kilobytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, resource.RLIM_INFINITY))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = {"processes": kill_processes, "workers": kill_workers, "disk": fill_disk}
    parser.add_argument("what", nargs="?", choices=what, default="processes")
    parser.add_argument("--kills", type=int, help="100 processes, or 10 workers")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    kills = arguments.kills or (100 if arguments.what == "processes" else 10)
    with tempfile.TemporaryDirectory(prefix="spintherm-kill-") as name:
        folder = Path(name)
        study = folder / "study.toml"
        study.write_text(STUDY, encoding="utf-8")
        return min(what[arguments.what](folder, study, kills, random.Random(arguments.seed)), 1)


if __name__ == "__main__":
    sys.exit(main())
