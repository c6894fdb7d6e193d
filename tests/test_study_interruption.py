"""Interruption: killed, damaged, full, locked; and the bits that come out all the same."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from spintherm.study import files, journal, lock, run, store
from spintherm.study.directory import Refused
from spintherm.study.executors import Workers
from spintherm.study.files import DirectoryFull
from spintherm.study.lock import Locked
from spintherm.study.runner import Interrupted, TaskFailed
from spintherm.study.running import execute, opened_run, study_from

STUDY = {
    "version": 1,
    "magnet": {"moment": 1.3, "gyromagnetic_ratio": 1.7, "damping": 0.4, "temperature": 0.8},
    "protocol": {"duration": 0.5, "field": [0.3, -0.2, 0.9], "spin_torque": [0.4, 0.8, -0.7]},
    "compute": {"quantity": "statistics", "trajectories": 300, "steps": 4, "seed": 7, "bins": 4},
    "sweep": {"axes": {"magnet.temperature": {"values": [0.5, 0.8, 1.3]}}},
}
WORDS = "from spintherm.cli import main; import sys; sys.exit(main(sys.argv[1:]))"


def again(path, **options):
    """Run, or go on; return the bytes of the result."""
    opened = opened_run(STUDY, path, resume=True)
    outcome = execute(opened, Workers(threads=1), progress=False, **options)
    return outcome, (path / "result.nc").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return again(tmp_path_factory.mktemp("runs") / "run")[1]


@pytest.fixture
def finished(tmp_path, undisturbed):
    path = tmp_path / "run"
    assert again(path)[1] == undisturbed
    return path


# --- killed ---------------------------------------------------------------------------------------


class Killed(BaseException):
    """What a SIGKILL is to a process: nothing after it happens."""


def counted(patch, module, name, at, effect):
    """Let the call number `at` of a function of a module do something else."""
    calls = [0]
    original = getattr(module, name)

    def replaced(*arguments, **options):
        calls[0] += 1
        if calls[0] == at:
            effect(original, arguments)
        return original(*arguments, **options)

    patch.setattr(module, name, replaced)
    return calls


def kill_before(_original, _arguments):
    raise Killed


def tear(_original, arguments):
    """Half of a line of a journal, and then the end."""
    descriptor, line = arguments
    os.pwrite(descriptor, line[: len(line) // 2], 0)
    raise Killed


@pytest.mark.parametrize(
    ("module", "name", "effect"),
    [
        (os, "replace", kill_before),
        (os, "link", kill_before),
        (journal.os, "write", tear),
        (store.Store, "_ensure", kill_before),
        (store.Store, "checksum", kill_before),
        (store.Store, "row", kill_before),
        (store.Store, "consolidate", kill_before),
        (files, "digest_of_file", kill_before),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_killed_at_every_call_of_a_function_that_touches_the_disk(
    module, name, effect, tmp_path, undisturbed
):
    """Each time the run gets one call further before it is killed; the last gets through."""
    path, kills = tmp_path / "run", 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            calls = counted(patch, module, name, kills + 1, effect)
            try:
                _, found = again(path)
            except Killed:
                kills += 1
                assert kills < 60
                continue
        break
    assert found == undisturbed
    assert kills > 0 or calls[0] == 0


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_sigkill_of_a_process_and_resumption_from_the_directory_alone(tmp_path, undisturbed):
    """Killed between the first commit and the end, then `run --resume DIR`."""
    (tmp_path / "study.toml").write_text(study_from(STUDY).dumps(), "utf-8")
    path = tmp_path / "run"
    slow = (
        "import time; from spintherm.study import runner; commit = runner._commit\n"
        "def slowly(*a):\n    commit(*a); time.sleep(1.0)\n"
        "runner._commit = slowly\n"
    )
    words = ["run", tmp_path / "study.toml", "--out", path, "--quiet"]
    process = subprocess.Popen([sys.executable, "-c", slow + WORDS, *map(str, words)])
    wait_for(lambda: commits(path) >= 1)
    process.kill()
    process.wait()
    assert 1 <= commits(path) < 3
    words = [sys.executable, "-c", WORDS, "run", "--resume", str(path), "--quiet"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (path / "result.nc").read_bytes() == undisturbed
    assert "known before" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_sigterm_checkpoints_and_exits_with_75(tmp_path):
    values = [0.1 * i + 0.4 for i in range(9)]
    many = STUDY | {"sweep": {"axes": {"magnet.temperature": {"values": values}}}}
    (tmp_path / "study.toml").write_text(study_from(many).dumps(), "utf-8")
    path = tmp_path / "run"
    slow = (
        "import time; from spintherm.study import tasks; perform = tasks.perform\n"
        "def slowly(*a):\n    time.sleep(0.7); return perform(*a)\n"
        "tasks.perform = slowly\n"
    )
    words = ["run", tmp_path / "study.toml", "--out", path, "--threads", "1", "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-c", slow + WORDS, *map(str, words)], stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: commits(path) >= 1)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 75, said
    assert "SIGTERM" in said
    assert f"spintherm run --resume {path}" in said
    assert said.count("\n") == 1
    done = commits(path)
    assert 2 <= done < 9  # the one that was running was waited for
    outcome = execute(opened_run(None, path, resume=True), Workers(threads=1), progress=False)
    assert (outcome.known, outcome.computed) == (done, 9 - done)
    run(many, tmp_path / "other", threads=1).close()
    assert (path / "result.nc").read_bytes() == (tmp_path / "other" / "result.nc").read_bytes()


def commits(path):
    return sum(one.read_bytes().count(b"\n") for one in path.glob("commits/*.jsonl"))


def wait_for(condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_end_of_the_time_checkpoints(tmp_path, undisturbed):
    with pytest.raises(Interrupted, match="the end of the time with 0 of 3 tasks done"):
        again(tmp_path / "run", max_time=1e-9)
    outcome, found = again(tmp_path / "run")
    assert found == undisturbed
    assert outcome.computed == 3


def test_a_run_that_is_complete_is_left_alone(finished):
    before = {one: one.stat().st_mtime_ns for one in finished.rglob("*") if one.is_file()}
    outcome, _ = again(finished)
    assert outcome is None
    assert before == {one: one.stat().st_mtime_ns for one in finished.rglob("*") if one.is_file()}


def test_a_task_that_fails_says_which_point_and_keeps_the_others(tmp_path):
    """At temperature zero and without a field there is no equilibrium to start from."""
    tables = STUDY | {"sweep": {"axes": {"magnet.temperature": {"values": [0.5, 0.0]}}}}
    tables = tables | {"protocol": STUDY["protocol"] | {"field": [0, 0, 0]}}
    with pytest.raises(TaskFailed, match=r"point 1 \(magnet.temperature=0.0\): initial="):
        run(tables, tmp_path / "run", threads=1)
    assert commits(tmp_path / "run") == 1


# --- damaged --------------------------------------------------------------------------------------


def spoil(path):
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def rows(path):
    return sorted(one for one in path.glob("data.zarr/*/c/**/*") if one.is_file())


@pytest.mark.parametrize("how", [spoil, lambda path: path.unlink(), lambda p: p.write_bytes(b"")])
def test_damaged_chunks_are_done_again(how, finished, undisturbed):
    for one in rows(finished)[::2]:
        how(one)
    (finished / "result.nc").unlink()
    outcome, found = again(finished)
    assert found == undisturbed
    assert outcome.recomputed == outcome.computed > 0


@pytest.mark.parametrize("name", ["data.zarr/zarr.json", "data.zarr/numbers/zarr.json"])
def test_damaged_descriptions_of_arrays_are_made_again(name, finished, undisturbed):
    (finished / name).write_text("{")
    (finished / "result.nc").unlink()
    assert again(finished)[1] == undisturbed


def test_a_damaged_result_is_collected_again(finished, undisturbed):
    spoil(finished / "result.nc")
    outcome, found = again(finished)
    assert found == undisturbed
    assert outcome.computed == 0


def test_damaged_lines_of_a_journal_count_for_nothing(finished, undisturbed):
    (path,) = finished.glob("commits/*.jsonl")
    first, second, third, _ = path.read_bytes().split(b"\n")
    torn = second[: len(second) // 2]
    path.write_bytes(b"\n".join((first.replace(b'"task": ', b'"task": 1'), b"{}", third, torn)))
    (finished / "result.nc").unlink()
    outcome, found = again(finished)
    assert (outcome.known, outcome.computed) == (1, 2)
    assert found == undisturbed
    assert len(journal.read(finished / "commits")) == 3


@pytest.mark.parametrize("name", ["study.toml", "provenance.json"])
@pytest.mark.parametrize("how", [spoil, lambda path: path.write_bytes(b"\xff\xfe")])
def test_a_damaged_description_is_refused(name, how, finished):
    how(finished / name)
    with pytest.raises(Refused, match=r"damaged"):
        again(finished)


def test_other_kernels_are_refused_unless_nothing_is_left_to_do(finished):
    path = finished / "provenance.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps(files.sealed(data | {"kernels": "0" * 64})))
    assert again(finished)[0] is None
    (finished / "result.nc").unlink()
    with pytest.raises(Refused, match="kernels differ"):
        again(finished)


def test_the_run_of_another_study_is_refused(finished):
    with pytest.raises(Refused, match="another study"):
        opened_run(STUDY, finished, overrides=["compute.steps=5"], resume=True)
    with pytest.raises(Refused, match="holds a run already"):
        opened_run(STUDY, finished)
    with pytest.raises(Refused, match="would change it"):
        opened_run(None, finished, overrides=["compute.steps=5"], resume=True)


def test_folders_that_hold_something_else_are_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(Refused, match=r"holds 'notes.txt' and no run"):
        opened_run(STUDY, tmp_path)
    with pytest.raises(Refused, match="holds no run"):
        opened_run(None, tmp_path, resume=True)
    with pytest.raises(Refused, match="inside one that exists"):
        opened_run(STUDY, tmp_path / "a" / "b")
    assert [one.name for one in tmp_path.iterdir()] == ["notes.txt"]


# --- full -----------------------------------------------------------------------------------------


def unless_full(path, module, name, at, full):
    """The bytes of the result; None if the disk was full before."""
    with pytest.MonkeyPatch.context() as patch:
        counted(patch, module, name, at, full)
        try:
            return again(path)[1]
        except DirectoryFull:
            return None


def test_a_full_disk_at_every_write(tmp_path, undisturbed):
    """Every write of a chunk, a line or a file fails in turn; the run goes on from there."""
    from zarr.storage import _local

    def full(_original, _arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for number, (module, name) in enumerate(
        [(_local, "_put"), (journal.os, "write"), (files.os, "fsync")]
    ):
        path, met = tmp_path / f"run-{number}", 0
        while (found := unless_full(path, module, name, met + 1, full)) is None:
            met += 1
            assert met < 60
        assert found == undisturbed
        assert met > 1
        assert not list(path.rglob("*.partial"))


# --- locked ---------------------------------------------------------------------------------------


def test_a_second_process_is_refused(tmp_path, undisturbed):
    opened = opened_run(STUDY, tmp_path / "run")
    with (
        lock.held(opened.directory.lock("shard-1-of-1")),
        pytest.raises(Locked, match=f"process {os.getpid()} on .* works in this directory"),
    ):
        again(tmp_path / "run")
    with (
        lock.held(opened.directory.lock("shard-2-of-4")),
        pytest.raises(Locked, match="shard 2 of 4"),
    ):
        again(tmp_path / "run")
    assert again(tmp_path / "run")[1] == undisturbed


def test_a_holder_on_another_host_is_believed_while_it_gives_signs_of_life(tmp_path):
    path = tmp_path / "run" / "locks" / "a.lock"
    path.parent.mkdir(parents=True)
    other = {"host": "elsewhere", "process": 7, "token": "x", "time": time.time() - 5.0}
    path.write_text(json.dumps(other))
    with pytest.raises(Locked, match="process 7 on elsewhere"), lock.held(path):
        pass
    assert lock.holder(path).host == "elsewhere"
    path.write_text(json.dumps(other | {"time": time.time() - 2.0 * lock.STALE}))
    assert lock.holder(path) is None
    with lock.held(path) as me:
        assert me.process == os.getpid()
    assert path.read_bytes() == b""


def test_the_lock_of_a_dead_process_is_taken(tmp_path):
    """The system lets go of it, whatever the file says."""
    path = tmp_path / "run" / "locks" / "a.lock"
    path.parent.mkdir(parents=True)
    words = (
        "import sys, os, pathlib; from spintherm.study import lock\n"
        "lock.held(pathlib.Path(sys.argv[1])).__enter__(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", words, str(path)], check=False)
    assert json.loads(path.read_text())["process"] != os.getpid()
    with lock.held(path):
        pass


def test_a_holder_gives_signs_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "HEARTBEAT", 0.01)
    path = tmp_path / "a.lock"
    with lock.held(path) as me:
        wait_for(lambda: json.loads(path.read_text())["time"] > me.time)
