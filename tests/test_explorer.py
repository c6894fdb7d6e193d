"""The explorer's server: its numbers are the API's, it lets nobody in, it bounds the work."""

import asyncio
import contextlib
import hashlib
import io
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from explorer_server import DRIVE, DRIVEN, PAPER, POINT, TILTED, protocol_of, running
from spintherm import Magnet, Nanomagnet, Samples, distribution, simulate, steady_state
from spintherm.cli import main
from spintherm.experiments.processes import beyond_the_papers, table_one
from spintherm.explorer import answers
from spintherm.explorer.answers import batches
from spintherm.explorer.lanes import Lane
from spintherm.explorer.presets import presets
from spintherm.explorer.questions import Drive, Film, Point, Refused
from spintherm.explorer.serving import listening
from spintherm.fokker_planck.setting import settings
from spintherm.statistics import mean

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "src" / "spintherm" / "explorer" / "static"
SOURCES = ROOT / "explorer"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def server():
    with running() as one:
        yield one


def _magnet(values):
    return Magnet(**values)


def _answer(lines):
    assert lines[-1]["type"] == "answer", lines[-1]
    return lines[-1]["value"]


@pytest.mark.parametrize("point", [POINT, {**POINT, "angle": 180.0}, {**POINT, "magnet": PAPER}])
def test_numbers_of_the_steady_state_are_those_of_the_api_to_the_last_bit(server, point):
    status, content = server.post("steady", point)
    assert status == 200
    answer = content["answer"]
    angle = np.radians(point["angle"])
    across = 0.0 if point["angle"] == 180.0 else np.sin(angle)
    torque = point["spin_torque"] * np.array([across, 0.0, np.cos(angle)])
    state = steady_state(_magnet(point["magnet"]), (0.0, 0.0, point["field"]), torque)
    for name, value in answer["numbers"].items():
        assert value == getattr(state, name), name
    assert answer["mean_moment"] == state.mean_moment.tolist()
    assert answer["phase"] == state.phase


def test_density_is_that_of_the_api(server):
    answer = server.post("steady", POINT)[1]["answer"]
    state = steady_state(_magnet(TILTED), answer["field"], answer["spin_torque"])
    given = answer["density"]
    assert (given["l_max"], given["m_max"]) == (state.l_max, state.m_max)
    np.testing.assert_allclose(given["coefficients"], state.solution.density, atol=1e-8)
    np.testing.assert_array_equal(given["frame"], state.setting.frame)


def test_looking_ahead_meets_the_truncations_near_the_sliders():
    """After its first steps the states near a slider have their operators."""
    point = Point.from_dict({**POINT, "magnet": {**TILTED, "moment": 1.7}})
    for _ in islice(answers.ahead(point), 12):
        pass
    met = set(answers._MET)
    assert len(met) >= 12
    strengths = point.field * np.linspace(0.8, 1.2, 21)
    fields = np.stack([np.zeros(21), np.zeros(21), strengths], axis=-1)
    torques = np.broadcast_to(point.torques, (21, 3))
    seen = [(one.l_max, one.m_max) for one in settings(point.magnet, fields, torques)]
    assert np.mean([one in met for one in seen]) > 0.8


def test_material_gives_the_reduced_magnet_and_what_units_are_worth(server):
    texts = {
        "saturation_magnetisation": "800 kA/m",
        "gilbert_damping": 0.1,
        "temperature": "350 K",
        "volume": "400 nm^3",
        "induction": "30 mT",
        "current_density": "-2 MA/cm^2",
        "polarisation": "0.4",
        "thickness": "1.6 nm",
    }
    answer = server.post("material", texts)[1]["answer"]
    body = Nanomagnet(
        saturation_magnetisation=8e5, gilbert_damping=0.1, temperature=350.0, volume=400e-27
    )
    assert answer["magnet"] == body.magnet.to_dict()
    assert answer["field"] == pytest.approx(0.03 * body.moment / (1.380649e-23 * 350.0), rel=1e-12)
    # a_J = ħ J 𝒫/(2 e μ0 Ms t), as an induction ħ J 𝒫/(2 e Ms t)
    induction = 1.054571817e-34 * -2e10 * 0.4 / (2 * 1.602176634e-19 * 8e5 * 1.6e-9)
    expected = induction * body.moment / (1.380649e-23 * 350.0)
    assert answer["spin_torque"] == pytest.approx(expected, rel=1e-9)
    refused = server.post("material", {**texts, "temperature": "300 parsec"})[1]
    assert list(refused["error"]) == ["temperature"]


def test_densities_are_those_of_the_api_and_obey_the_theorem(server):
    lines = server.lines("distribution", {"drive": DRIVE, "of": "entropy_production"})
    kinds = [line["type"] for line in lines]
    assert "progress" in kinds
    assert "part" in kinds
    answer = _answer(lines)
    protocol = protocol_of(DRIVE)
    x = np.array(answer["x"])
    expected = distribution(_magnet(DRIVEN), protocol, points=x[::40], tolerance=1e-5)
    np.testing.assert_allclose(answer["forward"][::40], expected["density"], rtol=3e-3)
    ratio = np.log(answer["forward"]) - np.log(answer["backward"])
    np.testing.assert_allclose(ratio, x, atol=5e-3)
    assert answer["largest_deviation"] < 5e-3
    assert answer["mean"] == pytest.approx(np.trapezoid(x * answer["forward"], x), rel=1e-4)


def test_histogram_grows_towards_the_exact_density(server):
    exact = _answer(server.lines("distribution", {"drive": DRIVE, "of": "work"}))
    low, high = exact["x"][0], exact["x"][-1]
    question = {"drive": DRIVE, "of": "work", "low": low, "high": high, "bins": 24,
                "trajectories": 20_000, "seed": 7}  # fmt: skip
    lines = server.lines("histogram", question)
    sizes = [line["value"]["trajectories"] for line in lines if line["type"] == "part"]
    assert sizes == np.cumsum(batches(20_000)).tolist()
    answer = _answer(lines)
    counts = np.array(answer["counts"])
    edges = np.linspace(low, high, 25)
    x, p = np.array(exact["x"]), np.array(exact["forward"])
    below = np.interp(
        edges, x, np.concatenate([[0.0], np.cumsum((p[1:] + p[:-1]) / 2 * np.diff(x))])
    )
    expected = 20_000 * np.diff(below)
    here = expected > 8.0
    chi = np.sum((counts - expected)[here] ** 2 / expected[here])
    assert chi < here.sum() + 4.5 * np.sqrt(2.0 * here.sum())  # false alarm below 1e-4
    # 4.5 errors, false alarm 7e-6, and the step's bias
    assert abs(answer["mean"] - exact["mean"]) < 4.5 * answer["mean_error"] + 2e-3
    error = answer["exponential_average_error"]
    assert abs(answer["exponential_average"] - 1.0) < 4.5 * error + 5e-3


@pytest.mark.parametrize("initial", ["equilibrium", "steady_state"])
def test_trajectories_are_those_of_simulate_and_scatter_about_the_exact_means(server, initial):
    question = {"drive": DRIVE, "initial": initial, "trajectories": 64, "frames": 16, "seed": 3}
    if initial == "steady_state":
        still = {name: [[time, *DRIVE[name][1][1:]] for time in (0.0, DRIVE["duration"])]
                 for name in ("field", "spin_torque")}  # fmt: skip
        question["drive"] = {**DRIVE, **still}
    drive = question["drive"]
    answer = _answer(server.lines("paths", question))
    protocol = protocol_of(drive)
    times = np.linspace(0.0, DRIVE["duration"], 16)
    found = simulate(_magnet(DRIVEN), protocol, trajectories=64, seed=3, initial=initial,
                     save_at=times)  # fmt: skip
    directions = np.array(answer["directions"])
    np.testing.assert_allclose(directions, found["moment"].values / DRIVEN["moment"], atol=1e-5)
    for name in ("work", "heat", "pumped_entropy"):
        values = np.array(answer[name])
        np.testing.assert_allclose(values, found[f"running_{name}"].values, atol=1e-4)
        exact = answer["exact"]
        last = mean(values[:, -1])
        assert abs(last.value - exact[name][-1]) < 4.5 * last.error + 0.02


def _samples(knots):
    rows = np.array(knots)
    return Samples(rows[:, 0], rows[:, 1:])


def test_film_of_a_process_ends_with_the_density_of_the_trajectories(server):
    exact = _answer(server.lines("film", {"drive": DRIVE, "frames": 9}))
    protocol = protocol_of(DRIVE)
    magnet = _magnet(DRIVEN)
    start = magnet.mean_equilibrium_moment(protocol.initial_field) / magnet.moment
    np.testing.assert_allclose(exact["mean_direction"][0], start, atol=1e-5)
    found = simulate(magnet, protocol, trajectories=20_000, seed=5)
    for k in range(3):
        ours = mean(found["final_moment"].values[:, k] / magnet.moment)
        assert abs(ours.value - exact["mean_direction"][-1][k]) < 4.5 * ours.error + 1e-3


JUMPING = next(
    {"magnet": one["state"]["magnet"], **one["state"]["process"]}
    for one in presets()
    if one["title"] == "pulses with jumps"
)
SCRIPTS = {
    "steady": POINT,
    "distribution": {"drive": DRIVE, "of": "work"},
    "histogram": {"drive": DRIVE, "of": "heat", "low": -4.0, "high": 6.0, "bins": 20,
                  "trajectories": 2000, "seed": 11},
    "paths": {"drive": DRIVE, "initial": "equilibrium", "trajectories": 5, "frames": 9, "seed": 2},
    "film": {"drive": JUMPING, "frames": 7},
    "diagram": {"point": POINT, "plane": "field-angle", "x": [0.0, 3.0], "y": [0.0, 180.0],
                "points": 9},
}  # fmt: skip


@pytest.mark.parametrize("kind", SCRIPTS)
def test_copied_script_runs_and_gives_the_numbers_of_the_page(server, kind):
    question = SCRIPTS[kind]
    text = server.post("script", {"kind": kind, "question": question})[1]["answer"]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "script.py", "exec"), {"__name__": "__main__"})
    lines = printed.getvalue().splitlines()
    values = dict(line.split(" = ", 1) for line in lines if re.match(r"\w+ = ", line))
    if kind == "steady":
        answer = server.post("steady", question)[1]["answer"]
        assert values["phase"] == answer["phase"]
        assert json.loads(values["mean_moment"]) == answer["mean_moment"]
        for name, value in answer["numbers"].items():
            assert float(values[name]) == value
        return
    answer = _answer(server.lines(kind, question))
    if kind == "histogram":
        assert json.loads(values["counts"]) == answer["counts"]
        assert float(values["mean"]) == pytest.approx(answer["mean"], rel=1e-12)
    elif kind == "paths":
        for name in ("work", "heat", "pumped_entropy"):
            last = [row[-1] for row in answer[name]]
            np.testing.assert_allclose(json.loads(values[name]), last, atol=1e-4)
    elif kind == "film":
        names = ("work", "heat", "pumped_entropy", "entropy_production_rate", "mean_direction")
        for name in names:
            np.testing.assert_allclose(json.loads(values[name]), answer[name], atol=1e-4)
    elif kind == "distribution":
        rows = [re.findall(r"-?\d[\d.e+-]*", line) for line in lines if line.startswith("x = ")]
        x, p, q = np.array(rows, dtype=float).T
        np.testing.assert_allclose(x, answer["x"][::25], atol=1e-6)
        np.testing.assert_allclose(p, answer["forward"][::25], rtol=1e-8)
        np.testing.assert_allclose(q, answer["backward"][::25], rtol=1e-8)
    else:
        assert len([line for line in lines if "_rate = 0 from" in line]) == len(
            answer["boundaries"]
        )


def test_diagram_tells_a_coarse_one_first_and_its_signs_are_those_of_the_steady_state(server):
    question = {**SCRIPTS["diagram"], "plane": "torque-angle", "x": [0.1, 4.0], "points": 25}
    lines = server.lines("diagram", question)
    parts = [line["value"] for line in lines if line["type"] == "part"]
    assert [part["exact"] for part in parts] == [False]
    answer = _answer(lines)
    assert answer["exact"]
    magnet = _magnet(TILTED)
    for i, j in ((3, 4), (20, 7), (9, 22)):
        angle = np.radians(answer["y"][j])
        torque = answer["x"][i] * np.array([np.sin(angle), 0.0, np.cos(angle)])
        state = steady_state(magnet, (0.0, 0.0, POINT["field"]), torque)
        assert answer["pumped"][j][i] == pytest.approx(state.pumped_entropy_rate, abs=1e-3)
        assert answer["bath"][j][i] == pytest.approx(state.bath_entropy_rate, abs=1e-3)
    for boundary in answer["boundaries"]:
        middle = len(boundary["x"]) // 2
        angle = np.radians(boundary["y"][middle])
        torque = boundary["x"][middle] * np.array([np.sin(angle), 0.0, np.cos(angle)])
        state = steady_state(magnet, (0.0, 0.0, POINT["field"]), torque)
        assert abs(getattr(state, boundary["rate"])) < 1e-3 * state.entropy_production_rate


# --- what is refused -----------------------------------------------------------------------------


def test_every_wrong_field_is_explained_by_its_name(server):
    wrong = {
        "magnet": {**TILTED, "temperature": -1.0, "damping": "0.3"},
        "field": -2.0,
        "spin_torque": None,
        "angle": 190.0,
    }
    status, content = server.post("steady", wrong)
    assert status == 200
    error = content["error"]
    assert set(error) == {"temperature", "damping", "field", "spin_torque", "angle"}
    assert error["temperature"] == "temperature=-1.0: expected a finite number > 0"
    assert error["damping"].startswith("damping='0.3': expected")


@pytest.mark.parametrize(
    ("kind", "question", "field"),
    [
        ("steady", {**POINT, "field": 1e5}, "field"),
        ("steady", {**POINT, "spin_torque": 1e5}, "spin_torque"),
        ("steady", {**POINT, "magnet": {**TILTED, "damping": 1e-5}}, "damping"),
        ("steady", {**POINT, "more": 1}, "question"),
        ("diagram", {**SCRIPTS["diagram"], "points": 1000}, "points"),
        ("diagram", {**SCRIPTS["diagram"], "x": [0.0, 1e6]}, "field"),
        ("diagram", {**SCRIPTS["diagram"], "plane": "__class__"}, "plane"),
        ("distribution", {"drive": DRIVE, "of": "__import__('os')"}, "of"),
        ("distribution", {"drive": {**DRIVE, "duration": 1e4}, "of": "work"}, "duration"),
        ("distribution", {"drive": {**DRIVE, "field": [[0, 0, 0, 1]] * 99}, "of": "work"}, "field"),
        ("histogram", {**SCRIPTS["histogram"], "trajectories": 10**9}, "trajectories"),
        ("histogram", {**SCRIPTS["histogram"], "bins": 10**6}, "bins"),
        ("paths", {**SCRIPTS["paths"], "trajectories": 10**6}, "trajectories"),
        ("paths", {**SCRIPTS["paths"], "frames": 10**6}, "frames"),
        ("film", {**SCRIPTS["film"], "frames": 10**6}, "frames"),
        ("film", {"drive": {**DRIVE, "field": [[0.5, 0, 0, 1]] * 3}, "frames": 9}, "field"),
    ],
)
def test_work_of_a_question_is_bounded(server, kind, question, field):
    began = time.monotonic()
    if kind == "steady":
        error = server.post(kind, question)[1]["error"]
    else:
        line = server.lines(kind, question)[-1]
        assert line["type"] == "refused"
        error = line["value"]
    assert field in error
    assert "expected" in error[field]
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:{port}"}, 421),
        ({"host": "127.0.0.1:1"}, 421),
        ({"host": "127.0.0.1:{port}.evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "https://127.0.0.1:{port}"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"origin": "http://127.0.0.1:{port}", "sec-fetch-site": "same-origin"}, 200),
        ({"host": "localhost:{port}", "origin": "http://localhost:{port}"}, 200),
    ],
)
def test_only_the_page_itself_is_answered(server, headers, status):
    body = json.dumps({"page": "door", "question": POINT})
    given = {**JSON, **{name: text.format(port=server.port) for name, text in headers.items()}}
    found, answered, text = server.request("POST", "/api/steady", body, given)
    assert found == status
    assert ("answer" in json.loads(text)) == (status == 200)
    assert answered["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("path", ["/", "/explorer.js", "/explorer.css", "/api/presets"])
def test_dns_rebinding_gets_nothing_at_all(server, path):
    assert server.request("GET", path)[0] == 200
    status, _, body = server.request("GET", path, headers={"host": f"rebound:{server.port}"})
    assert status == 421
    assert b"html" not in body


def test_what_is_no_question_is_refused(server):
    assert server.request("PUT", "/api/steady", "{}", JSON)[0] == 405
    assert server.request("GET", "/api/steady")[0] == 405
    assert server.request("GET", "/../../etc/passwd")[0] == 404
    assert server.request("POST", "/api/nothing", '{"page": "a", "question": 1}', JSON)[0] == 404
    for body in ("", "{", "[" * 30_000, '{"page": 1, "question": 2}', '{"question": 2}', "null"):
        assert server.request("POST", "/api/steady", body, JSON)[0] == 400, body[:20]
    assert server.request("POST", "/api/steady", '{"page": "a", "question": NaN}', JSON)[0] in (
        200,
        400,
    )
    large = json.dumps({"page": "a", "question": "x" * 70_000})
    assert server.request("POST", "/api/steady", large, JSON)[0] == 413


def test_answers_forbid_the_page_every_address_but_its_own(server):
    _, headers, _ = server.request("GET", "/")
    policy = headers["content-security-policy"]
    sources = {part.split()[0]: part.split()[1:] for part in policy.split("; ")}
    assert sources["default-src"] == ["'none'"]
    assert sources["script-src"] == sources["style-src"] == sources["connect-src"] == ["'self'"]
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


def test_listens_on_loopback_only():
    listener = listening(0)
    try:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        with pytest.raises(OSError, match="in use"):
            listening(port)
    finally:
        listener.close()


def test_command_explains_a_port_that_it_cannot_have(capsys):
    assert main(["explore", "--no-browser", "--port", "70000"]) == 2
    assert "expected a port from 0 to 65535" in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["explore", "--no-browser", "--port", port]) == 1
    assert port in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_interrupted_it_ends_with_its_processes_and_without_a_complaint():
    with running(stderr=subprocess.PIPE) as server:
        assert server.post("steady", POINT)[0] == 200
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=30.0) == 0
        # its computing processes hold standard error too: it ends when they have
        assert server.process.stderr.read().strip() == ""
        with pytest.raises(OSError, match="refused"):
            server.request("GET", "/")


# --- many at once --------------------------------------------------------------------------------


def test_fifty_clicks_at_once_are_answered_while_something_long_runs(server):
    """Of one page's clicks the newest is computed, older ones may be told that they are stale."""
    long = {**SCRIPTS["histogram"], "trajectories": 1_000_000}
    body = json.dumps({"page": "long", "question": long})
    connection = server.connection()
    connection.request("POST", "/api/histogram", body, JSON)
    alone = _seconds(lambda: server.post("steady", POINT, page="alone"))
    results = [None] * 50

    def click(k):
        results[k] = server.post("steady", {**POINT, "field": 1.0 + 0.02 * k}, page="clicks")

    threads = [threading.Thread(target=click, args=(k,)) for k in range(50)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    other = _seconds(lambda: server.post("steady", POINT, page="other"))
    for thread in threads:
        thread.join(timeout=30.0)
    elapsed = time.monotonic() - began
    connection.close()
    statuses = [status for status, _ in results]
    assert set(statuses) <= {200, 409}
    answered = [content for status, content in results if status == 200]
    assert answered
    assert all("answer" in content for content in answered)
    # each of the fifty waits at most for fifty others
    assert elapsed < 2.0 + 60.0 * alone
    assert other < 2.0 + 60.0 * alone


def _seconds(work):
    began = time.monotonic()
    status, _ = work()
    assert status == 200
    return time.monotonic() - began


def test_newer_question_of_a_page_stops_the_older_one(server):
    long = {**SCRIPTS["histogram"], "trajectories": 1_000_000}
    first = {}
    thread = threading.Thread(
        target=lambda: first.update(lines=server.lines("histogram", long, page="stale"))
    )
    thread.start()
    time.sleep(0.5)
    assert _answer(server.lines("histogram", SCRIPTS["histogram"], page="stale"))
    thread.join(timeout=20.0)
    assert first["lines"][-1] == {"type": "stopped", "value": "superseded"}


def test_question_that_nobody_waits_for_is_given_up(server):
    """Both slow processes are set to work, the listeners leave, and the next question is served."""
    long = {**SCRIPTS["histogram"], "trajectories": 1_000_000}
    for page in ("gone", "away"):
        connection = server.connection()
        connection.request(
            "POST", "/api/histogram", json.dumps({"page": page, "question": long}), JSON
        )
        response = connection.getresponse()
        assert response.readline()  # it has begun
        response.close()
        connection.close()
    assert _answer(server.lines("histogram", SCRIPTS["histogram"], page="next"))


def test_question_that_takes_too_long_is_stopped_and_the_lane_goes_on():
    async def told():
        lane = Lane(1, limit=1.5)
        try:
            long = {**SCRIPTS["histogram"], "trajectories": 1_000_000}
            slow = [line async for line in lane.ask("page", "histogram", long)]
            lane.limit = 60.0
            quick = [line async for line in lane.ask("page", "steady", POINT)]
        finally:
            await lane.close()
        return slow[-1], quick[-1]

    slow, quick = asyncio.run(told())
    assert slow.sort == "failed"
    assert b"took longer than 1.5 seconds" in slow.value
    assert quick.sort == "answer"


def test_process_that_dies_is_replaced():
    async def told():
        lane = Lane(1, limit=60.0)
        try:
            await lane.warm()
            lane.processes[0].process.kill()
            first = [line async for line in lane.ask("page", "steady", POINT)]
            second = [line async for line in lane.ask("page", "steady", POINT)]
        finally:
            await lane.close()
        return first[-1], second[-1]

    first, second = asyncio.run(told())
    assert first.sort in ("answer", "failed")
    assert second.sort == "answer"


# --- presets and the page's files ----------------------------------------------------------------


def test_presets_are_questions_that_the_server_takes(server):
    status, _, text = server.request("GET", "/api/presets")
    assert status == 200
    found = json.loads(text)["answer"]
    assert found == json.loads(json.dumps(presets()))
    assert len({one["name"] for one in found}) == len(found)
    titles = " ".join(one["title"] for one in found)
    for figure in ("Fig. 1 and 2, (a) blue", "Fig. 2, refrigerator", "Fig. 3", "Fig. 4, θ = 120°"):
        assert figure in titles
    for one in found:
        state = one["state"]
        if state["tab"] == "process":
            Drive.from_dict({"magnet": state["magnet"], **state["process"]})
        else:
            names = ("magnet", "field", "spin_torque", "angle")
            Point.from_dict({name: state[name] for name in names})


@pytest.mark.parametrize("process", [*table_one(), beyond_the_papers()[0]], ids=lambda p: p.name)
def test_knots_of_a_preset_are_the_process_itself(process):
    found = {one["state"]["process"]["duration"]: one["state"] for one in presets()
             if one["title"].endswith(process.name)}  # fmt: skip
    driven = next(iter(found.values()))["process"]
    times = np.linspace(0.0, process.protocol.duration, 97)
    for name in ("field", "spin_torque"):
        expected = getattr(process.protocol, name)(times)
        np.testing.assert_allclose(_samples(driven[name])(times), expected, atol=1e-12)


def test_jumps_of_a_preset_are_pairs_of_knots_and_come_back_as_jumps():
    jumping = beyond_the_papers()[1].protocol
    knots = JUMPING["field"]
    assert [a[0] for a, b in pairwise(knots) if a[0] == b[0]] == [0.4, 0.8]
    protocol = Drive.from_dict(JUMPING).protocol
    assert protocol.jumps == jumping.jumps
    times = np.union1d(np.linspace(0.0, jumping.duration, 97), jumping.jumps)
    for name in ("field", "spin_torque"):
        ours, expected = getattr(protocol, name), getattr(jumping, name)
        np.testing.assert_allclose(ours(times), expected(times), atol=1e-14)
        np.testing.assert_allclose(ours.before(times), expected.before(times), atol=1e-14)
        reverse = getattr(protocol.reversed(), name), getattr(jumping.reversed(), name)
        np.testing.assert_allclose(reverse[0](times), reverse[1](times), atol=1e-14)


def test_jumps_at_both_ends_do_their_work():
    """A jump of H at fixed m does the work -m·ΔH: from 0 to 1.2 z, and after a moment to -0.7 z."""
    field = [[0.0, 0, 0, 0], [0.0, 0, 0, 1.2], [1e-3, 0, 0, 1.2], [1e-3, 0, 0, -0.7]]
    still = [[0.0, 0, 0, 0], [1e-3, 0, 0, 0]]
    drive = {"magnet": DRIVEN, "duration": 1e-3, "field": field, "spin_torque": still}
    found = answers.film(Film.from_dict({"drive": drive, "frames": 3}), lambda *_: None)
    # uniform at first; then d<m_z>/dt = η m² H <1 - n_z²> = η m² H 2/3
    moment = 2.0 / 3.0 * DRIVEN["damping"] * DRIVEN["moment"] ** 2 * 1.2 * 1e-3
    assert found["work"][-1] == pytest.approx(1.9 * moment, rel=5e-3)


def test_curved_waveforms_of_a_preset_are_cut_into_chords():
    turning = beyond_the_papers()[2]
    driven = next(one["state"]["process"] for one in presets() if one["title"] == turning.name)
    times = np.linspace(0.0, turning.protocol.duration, 97)
    for name in ("field", "spin_torque"):
        expected = getattr(turning.protocol, name)(times)
        np.testing.assert_allclose(_samples(driven[name])(times), expected, atol=0.25)
        assert len(driven[name]) <= 24


def test_refusal_names_the_field_of_an_error():
    assert Refused.of(ValueError("magnet.damping=0.0: expected > 0")).complaints == {
        "damping": "magnet.damping=0.0: expected > 0"
    }
    assert list(Refused.of(ValueError("no name in front")).complaints) == [""]


def test_bundle_belongs_to_its_sources():
    """`make explorer` was run after the last change of the page's sources."""
    names = ["build.mjs", "package-lock.json", "package.json", "tsconfig.json"]
    names += [f"src/{path.name}" for path in sorted((SOURCES / "src").iterdir())]
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name}\0".encode() + (SOURCES / name).read_bytes() + b"\0")
    bundle = (STATIC / "explorer.js").read_text(encoding="utf-8")
    assert bundle.rstrip().endswith(f"sources: {digest.hexdigest()}"), "run `make explorer`"
    for name in ("index.html", "explorer.css", "icon.svg"):
        assert (STATIC / name).read_bytes() == (SOURCES / "src" / name).read_bytes()


def test_page_and_lock_know_no_address():
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8")
        found = set(re.findall(r"(?:https?:)?//[a-z0-9][a-z0-9.-]+\.[a-z]{2,}", text))
        allowed = {"http://www.w3.org"} if path.name != "licences.txt" else found
        assert found <= allowed, path.name
    assert "resolved" not in (SOURCES / "package-lock.json").read_text(encoding="utf-8")


def test_licences_of_everything_in_the_bundle_are_kept():
    text = (STATIC / "licences.txt").read_text(encoding="utf-8")
    wanted = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["dependencies"]
    for name, version in wanted.items():
        assert f"{name} {version} (" in text
    assert "Permission" in text
