"""Studies: the bits of the engines whoever does the tasks, and what the results say."""

import math
import operator
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import spintherm
from spintherm import Magnet, Protocol, Ramp, Triangle, simulate, simulate_statistics
from spintherm.configuration import loads
from spintherm.fokker_planck import functional_means, moments, steady_state
from spintherm.study import quantities, run, sweep
from spintherm.study.executors import Workers
from spintherm.study.plan import Points, Shard
from spintherm.study.running import execute, opened_run
from spintherm.trajectories import engine
from spintherm.workers import LostWorker, Processes

Z = 4.5  # a false alarm once in 150 000 seeds for each comparison; the seeds are fixed

MAGNET = Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.4, temperature=0.8)
PROTOCOL = Protocol(
    0.9, Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), 0.9), Triangle((0.4, 0.8, -0.7), 0.9)
)
TABLES = {"version": 1, "magnet": MAGNET.to_dict(), "protocol": PROTOCOL.to_dict()}


def study(quantity, *, swept=None, output=None, point=None, **options):
    tables = dict(TABLES)
    if point:
        tables["point"] = tables.pop("protocol") and point
    tables["compute"] = {"quantity": quantity, **options}
    if swept:
        tables["sweep"] = swept
    if output:
        tables["output"] = output
    return loads(spintherm.configuration.document.write(tables))


def grid(**axes):
    return {"axes": {key.replace("__", "."): {"values": v} for key, v in axes.items()}}


def same(ours, theirs):
    if theirs.dtype.kind in "OU":
        return np.array_equal(ours, theirs)
    return np.array_equal(ours, theirs, equal_nan=True)


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of the engine so small that there are many of them."""
    monkeypatch.setattr(engine, "LARGEST_CHUNK", 256)
    quantities._engine_parts.cache_clear()
    yield
    quantities._engine_parts.cache_clear()


# --- the bits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "chunk"), [(5000, 1024), (5000, 300), (3333, 10**6), (2048, 700)]
)
def test_a_study_of_one_point_has_the_bits_of_simulate_statistics(count, chunk, small_chunks):
    """20 chunks of 256 (the last of 136) in tasks of 4, 1, all, 2: the same tree."""
    options = {"trajectories": count, "seed": 5, "steps": 12, "bins": 9}
    one = study("statistics", chunk=chunk, **options)
    assert Points(one).add({}).count == -(-math.ceil(count / 256) // _power_below(chunk))
    ours = run(one, threads=2)
    theirs = simulate_statistics(MAGNET, PROTOCOL, **options, progress=False)
    for name in theirs.variables:
        assert same(ours[name].values, theirs[name].values), name
        if name in theirs.data_vars:
            assert ours[name].attrs == theirs[name].attrs
    assert int(ours.trajectories) == count
    assert int(ours.steps) == 12


def _power_below(chunk):
    return 2 ** max(int(math.log2(chunk / 256)), 0)


def test_trajectories_are_those_of_simulate():
    times = [0.0, 0.3, 0.9]
    options = {"trajectories": 1100, "seed": 8, "steps": 15, "save_at": times}
    ours = run(study("trajectories", chunk=400, **options), threads=2)
    theirs = simulate(MAGNET, PROTOCOL, **options, progress=False)
    for name in theirs.variables:
        assert same(ours[name].values, theirs[name].values), name


def test_strides_keep_every_so_manieth():
    options = {"trajectories": 1100, "seed": 8, "steps": 15}
    kept = {"trajectory_stride": 7, "time_stride": 2, "variables": ["work", "moment"]}
    five = {"count": 5}
    ours = run(study("trajectories", chunk=400, save_at=five, output=kept, **options))
    times = np.linspace(0.0, 0.9, 5)
    theirs = simulate(MAGNET, PROTOCOL, save_at=times[::2], **options, progress=False)
    assert set(ours.data_vars) == {"work", "moment", "seed"}
    assert np.array_equal(ours.work, theirs.work[::7])
    assert np.array_equal(ours.moment, theirs.moment[::7])
    assert np.array_equal(ours.time, times[::2])


def test_a_point_of_a_sweep_is_the_ensemble_of_its_seed():
    ours = sweep(
        MAGNET,
        PROTOCOL,
        {
            "magnet.temperature": [0.8, 1.6],
            "protocol.spin_torque.peak": [[0.4, 0.8, -0.7], [0, 0, 1]],
        },
        trajectories=700,
        steps=10,
        seed=3,
        bins=5,
    )
    assert ours["mean"].dims == ("magnet_temperature", "protocol_spin_torque_peak", "functional")
    assert ours.magnet_temperature.values.tolist() == [0.8, 1.6]
    assert ours.protocol_spin_torque_peak_vector.values.tolist() == [[0.4, 0.8, -0.7], [0, 0, 1]]
    seeds = ours.seed.values
    assert np.unique(seeds).size == 4
    there = ours.isel(magnet_temperature=1, protocol_spin_torque_peak=1)
    magnet = Magnet(1.3, 1.7, 0.4, 1.6)
    protocol = Protocol(0.9, PROTOCOL.field, Triangle((0, 0, 1), 0.9))
    theirs = simulate_statistics(
        magnet, protocol, trajectories=700, steps=10, seed=int(seeds[1, 1]), bins=5, progress=False
    )
    for name in theirs.data_vars:
        assert same(there[name].values, theirs[name].values), name


def test_common_random_numbers_give_all_points_the_study_s_seed():
    options = {"trajectories": 300, "steps": 8, "seed": 3, "common_random_numbers": True}
    ours = sweep(MAGNET, PROTOCOL, {"magnet.temperature": [0.8, 0.8]}, **options)
    assert ours.seed.values.tolist() == [3, 3]
    assert same(ours["mean"].values[0], ours["mean"].values[1])


SWEPT = grid(magnet__temperature=[0.5, 0.8, 1.3])


def swept_study():
    return study("statistics", trajectories=900, steps=8, seed=2, bins=6, chunk=256, swept=SWEPT)


def contents(path):
    return (path / "result.nc").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The bytes of the result of `swept_study`, done by one thread."""
    path = tmp_path_factory.mktemp("runs") / "undisturbed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "LARGEST_CHUNK", 256)
        quantities._engine_parts.cache_clear()
        run(swept_study(), path, threads=1).close()
        quantities._engine_parts.cache_clear()
    return contents(path)


def test_threads_and_shards_give_the_same_bytes(tmp_path, undisturbed, small_chunks):
    """Twelve tasks by two threads; and by shards that begin in any order, resumed in between."""
    run(swept_study(), tmp_path / "threads", threads=2).close()
    assert contents(tmp_path / "threads") == undisturbed
    path = tmp_path / "shards"
    for index in (3, 1, 4, 2):
        opened = opened_run(swept_study(), path, shared=True)
        outcome = execute(opened, Workers(threads=1), shard=Shard(index, 4), progress=False)
        assert outcome.computed == 3
        assert outcome.complete == (index == 2)
    assert contents(path) == undisturbed


def test_processes_give_the_same_bytes(tmp_path):
    """No smaller chunks here: worker processes know nothing of a patched engine."""
    one = study("statistics", trajectories=20_000, steps=8, seed=2, bins=6, chunk=1, swept=SWEPT)
    run(one, tmp_path / "threads", threads=2).close()
    run(one, tmp_path / "processes", processes=2).close()
    assert contents(tmp_path / "processes") == contents(tmp_path / "threads")


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes(tmp_path):
    """Through the command line, as Dask leaves warnings and threads behind."""
    import subprocess
    import sys

    one = study("statistics", trajectories=20_000, steps=8, seed=2, bins=6, chunk=1, swept=SWEPT)
    run(one, tmp_path / "threads", threads=1).close()
    (tmp_path / "study.toml").write_text(one.dumps(), "utf-8")
    words = "from spintherm.cli import main; import sys; sys.exit(main(sys.argv[1:]))"
    flags = ["run", tmp_path / "study.toml", "--out", tmp_path / "cluster", "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-c", words, *map(str, flags)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "cluster") == contents(tmp_path / "threads")


# --- the physics ----------------------------------------------------------------------------------


def test_sampled_and_exact_means_agree_along_a_sweep():
    """Trajectories against the density engine at T = 0.5, 1.3: |difference| < Z errors + bias."""
    swept = grid(magnet__temperature=[0.5, 1.3])
    sampled = run(study("statistics", trajectories=40_000, seed=4, bins=4, swept=swept))
    for temperature in (0.5, 1.3):
        magnet = Magnet(1.3, 1.7, 0.4, temperature)
        exact = functional_means(magnet, PROTOCOL)
        here = sampled.sel(magnet_temperature=temperature)
        for name in ("work", "pumped_entropy", "entropy_production"):
            bias = here.sel(estimate=name)
            allowed = (
                Z * float(here["mean_error"].sel(functional=name))
                + abs(float(bias.step_bias))
                + Z * float(bias.step_bias_error)
            )
            assert abs(float(here["mean"].sel(functional=name)) - exact[name]) < allowed


def test_exact_quantities_are_those_of_their_functions():
    swept = grid(magnet__temperature=[0.8, 1.5])
    ours = run(study("moments", order=2, swept=swept))
    for temperature in (0.8, 1.5):
        theirs = moments(Magnet(1.3, 1.7, 0.4, temperature), PROTOCOL, order=2)
        here = ours.sel(magnet_temperature=temperature)
        for name in theirs.data_vars:
            assert same(here[name].values, theirs[name].values), name
    point = {"field": [0.3, -0.2, 0.9], "spin_torque": [0.1, 0.2, -0.4]}
    zipped = grid(magnet__temperature=[0.8, 1.5], point__field=[[0, 0, 1], [0, 1, 1]])
    ours = run(study("steady-state", point=point, swept=zipped | {"method": "zip"}))
    theirs = steady_state(Magnet(1.3, 1.7, 0.4, 1.5), (0, 1, 1), point["spin_torque"])
    assert float(ours.pumped_entropy_rate[1]) == theirs.pumped_entropy_rate
    assert str(ours.phase.values[1]) == theirs.phase
    assert ours.magnet_temperature.values.tolist() == [0.8, 1.5]
    assert "magnet_temperature" in ours.coords


def test_an_adaptive_sweep_finds_the_phase_boundary():
    """P parallel to H: the bath's entropy rate vanishes at P = 0 and at alpha = 1/delta.

    [II] 16 with alpha = mP/H and delta = m eta/gamma0: boundaries at P = 0 and P = H gamma0/(m^2
    eta). Forty points on a uniform grid of this range would leave gaps of 0.31 around them.
    """
    m, gamma, eta, H = 1.3, 1.7, 0.4, 1.5
    axes = {"point.spin_torque.2": {"start": -4.0, "stop": 8.0}}
    refined = {"method": "adaptive", "samples": 40, "target": "bath_entropy_rate", "axes": axes}
    found = run(
        study("steady-state", point={"field": [0, 0, H], "spin_torque": [0, 0, 0.1]}, swept=refined)
    )
    P = np.sort(found.point_spin_torque_2.values)
    assert found.sizes["point"] == 40
    for boundary in (0.0, H * gamma / (m**2 * eta)):
        after = np.searchsorted(P, boundary)
        assert P[after] - P[after - 1] < 0.02, boundary
        signs = np.sign(found.bath_entropy_rate.values[np.argsort(found.point_spin_torque_2)])
        assert signs[after - 1] != signs[after] or 0.0 in signs[after - 1 : after + 1]


# --- files ----------------------------------------------------------------------------------------


def test_results_open_without_us(tmp_path):
    run(swept_study(), tmp_path / "run", threads=1).close()
    with xr.open_dataset(tmp_path / "run" / "result.nc") as plain:
        assert plain["mean"].sizes["magnet_temperature"] == 3
        assert plain.attrs["study"] == swept_study().dumps()
    with xr.open_datatree(tmp_path / "run" / "result.nc", engine="h5netcdf") as tree:
        assert "mean" in tree
    zarr = xr.open_zarr(tmp_path / "run" / "data.zarr")
    assert zarr.sizes["task"] == 3
    assert zarr["numbers"].attrs["contents"][2]["name"] == "moments"
    assert zarr["integers"].values.sum() > 0


def test_nothing_is_left_in_the_directory_but_what_it_should_hold(tmp_path):
    run(swept_study(), tmp_path / "run", threads=1).close()
    names = {"study.toml", "provenance.json", "data.zarr", "commits", "locks", "run.log"}
    assert {one.name for one in (tmp_path / "run").iterdir()} == names | {
        "result.nc",
        "finished.json",
    }
    assert {one.name for one in tmp_path.iterdir()} == {"run"}


@pytest.mark.parametrize("words", ["1", "0/4", "5/4", "a/4", "1/b", "-1/4", ""])
def test_bad_shards_are_refused(words):
    with pytest.raises(ValueError, match="shard"):
        Shard.parse(words)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"threads=2 and processes=3: expected one of them"):
        run(swept_study(), threads=2, processes=3)
    with pytest.raises(ValueError, match="threads=0: expected an integer >= 1"):
        run(swept_study(), threads=0)
    with pytest.raises(TypeError, match="config=3: expected a Study"):
        run(3)
    with pytest.raises(ValueError, match="max_time=-1"):
        run(swept_study(), max_time=-1.0)


# --- workers --------------------------------------------------------------------------------------


def test_a_dead_worker_is_replaced_and_its_task_done_again(tmp_path):
    """The first task kills its own process the first time, the last one every time."""
    crew = Processes(1)
    mark = str(tmp_path / "died")
    suicide = "__import__('os')._exit(3)"
    once = f"__import__('pathlib').Path({mark!r}).exists() or open({mark!r}, 'w') and {suicide}"
    try:
        assert crew.submit(eval, once).result(timeout=60) is True
        with pytest.raises(ZeroDivisionError):
            crew.submit(operator.truediv, 1, 0).result(timeout=60)
        with pytest.raises(LostWorker, match="died at the same task"):
            crew.submit(eval, suicide).result(timeout=120)
    finally:
        crew.shutdown(wait=True, cancel_futures=True)


OWNER = """
import os, sys, time
from spintherm.workers import Processes
crew = Processes(1)
print(crew.submit(os.getpid).result(), flush=True)
crew.submit(time.sleep, 600)
time.sleep(600)
"""


def test_a_busy_worker_ends_with_the_process_that_started_it():
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    worker = int(owner.stdout.readline())
    time.sleep(0.5)  # the second job is on its way
    os.kill(worker, 0)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    until = time.monotonic() + 60.0
    while _is_running(worker):
        assert time.monotonic() < until
        time.sleep(0.05)


def _is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # one that has ended and that nobody has asked after yet
    status = Path(f"/proc/{process}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def test_more_jumps_than_steps(small_chunks, monkeypatch):
    """Steps are raised to the number of segments, chunks are cut by the raised number."""
    monkeypatch.setattr(engine, "LARGEST_CHUNK", 1024)
    monkeypatch.setattr(engine, "CHUNK_WORK", 1536)  # 768 trajectories of 2 steps, 256 of 5
    pulses = [
        {"kind": "pulse", "amplitude": [0, 0, 1], "start": a, "stop": b}
        for a, b in ((0.1, 0.15), (0.3, 0.35))
    ]
    tables = TABLES | {
        "protocol": {"duration": 0.9, "field": {"kind": "sum", "parts": pulses}},
        "compute": {
            "quantity": "statistics",
            "trajectories": 1000,
            "steps": 2,
            "bins": 3,
            "chunk": 1,
        },
    }
    ours = run(tables, threads=1)
    field = spintherm.Pulse((0, 0, 1), 0.1, 0.15) + spintherm.Pulse((0, 0, 1), 0.3, 0.35)
    theirs = simulate_statistics(
        MAGNET, Protocol(0.9, field), trajectories=1000, seed=0, steps=2, bins=3, progress=False
    )
    assert int(ours.steps) == 5
    assert int(ours.trajectories) == 1000
    assert same(ours["mean"].values, theirs["mean"].values)
