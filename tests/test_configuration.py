"""Studies in a file: what is read, what is refused, what is converted, what it will cost."""

import inspect
import itertools
import json
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from spintherm import (
    Anisotropy,
    Magnet,
    Polariser,
    Protocol,
    Pulse,
    Ramp,
    Sine,
    TorqueEfficiency,
    Triangle,
    distribution,
    evolve,
    moments,
    simulate,
    simulate_statistics,
    steady_state,
)
from spintherm.configuration import ConfigurationError, load, loads, migrate, schema, template
from spintherm.configuration.cost import FAST_SPEED, RESOLUTION, SPEEDS, share_of
from spintherm.switching import dwell_times, write_error_rate
from spintherm.trajectories.engine import SCHEMES, chunks
from spintherm.trajectories.run import default_steps
from spintherm.waveforms import Constant, Reversed, Samples

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
MAGNET = """
[magnet]
moment = 1.3
gyromagnetic_ratio = 1.7
damping = 0.4
temperature = 0.8
"""
PROTOCOL = """
[protocol]
duration = 0.9
field = { kind = "ramp", start = [0.3, -0.2, 0.9], stop = [-0.5, 0.7, -0.4], duration = 0.9 }
spin_torque = [0.1, 0, 0.2]
"""
POINT = """
[point]
field = [0.3, -0.2, 0.9]
spin_torque = [0.1, 0, 0.2]
"""
STATISTICS = """
[compute]
quantity = "statistics"
trajectories = 1e4
seed = 3
"""
STEADY = """
[compute]
quantity = "steady-state"
"""
MATERIAL = """
[material]
saturation_magnetisation = "1100 kA/m"
gilbert_damping = 0.02
temperature = "350 K"
volume = "1500 nm^3"
gyromagnetic_ratio = "29 GHz/T"
anisotropy = "0.2 MJ/m^3"
current = { polarisation = 0.6, thickness = "1.4 nm", polariser = [0, 0.6, 0.8], field_like = 0.1 }

[protocol]
duration = "2 ns"
field = { kind = "sine", amplitude = ["0 mT", "30 mT", "40 mT"], frequency = "1 GHz" }
current_density = { kind = "pulse", amplitude = "-3 MA/cm^2", start = "0.5 ns", stop = "1.5 ns" }

[compute]
quantity = "trajectories"
trajectories = 100
save_at = ["0.5 ns", 1e-9]
"""
PROCESS = "version = 1" + MAGNET + PROTOCOL + STATISTICS
STATE = "version = 1" + MAGNET + POINT + STEADY
SAVED = '[compute]\nquantity = "trajectories"\nsave_at = {}'
UPWARDS = "polarisers = [{ direction = [0, 0, 1] }]\n[protocol]"
SWEPT = """
[sweep.axes]
"magnet.temperature" = { start = 0.5, stop = 2, count = 3, spacing = "log" }
"protocol.field.stop.2" = { values = [-1, 1] }
"""


def refused(text, overrides=()):
    """Return the one line that refuses a text."""
    with pytest.raises(ConfigurationError) as caught:
        loads(text, overrides)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) <= 600
    assert line.startswith(caught.value.key)
    return line


# --- reading --------------------------------------------------------------------------------------


def test_tables_become_the_words_of_the_physics():
    study = loads(PROCESS)
    assert study.magnet() == Magnet(1.3, 1.7, 0.4, 0.8)
    field = Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), 0.9)
    assert study.protocol() == Protocol(0.9, field, (0.1, 0, 0.2))
    assert study.scales() is None
    assert study.options() == {
        "trajectories": 10_000,
        "seed": 3,
        "scheme": "splitting",
        "initial": "equilibrium",
        "fast": False,
        "bins": 128,
    }
    H, P = loads(STATE).fields()
    np.testing.assert_array_equal([H, P], [[0.3, -0.2, 0.9], [0.1, 0, 0.2]])
    assert loads(STATE).options() == {}


def test_anisotropy_and_polarisers():
    text = PROCESS.replace(
        "[protocol]",
        "anisotropy = { uniaxial = 2, axis = [0, 0.6, 0.8], fourth_order = 0.5, cubic = -0.3, "
        "terms = [[2, 2, 0, 0.7]] }\n"
        "polarisers = [{ direction = [0, 0.6, 0.8], numerator = [1, 0.2], asymmetry = 0.3 }]\n"
        "[protocol]",
    ).replace("spin_torque = [0.1, 0, 0.2]", "spin_torque = [0, 0.6, 0.8]")
    magnet = loads(text).magnet()
    energy = Anisotropy.uniaxial(2.0, (0, 0.6, 0.8), 0.5) + Anisotropy.cubic(-0.3)
    energy = energy + Anisotropy.polynomial({(2, 2, 0): 0.7})
    n = np.random.default_rng(5).normal(size=(20, 3))
    n /= np.linalg.norm(n, axis=1)[:, None]
    np.testing.assert_allclose(magnet.anisotropy(n), energy(n), rtol=0, atol=1e-14)
    assert magnet.polarisers == (Polariser((0, 0.6, 0.8), TorqueEfficiency((1, 0.2), 0.3)),)


WAVEFORMS = [
    ("[0, 1, 2]", Constant((0, 1, 2))),
    ('{ kind = "constant", vector = [0, 1, 2] }', Constant((0, 1, 2))),
    (
        '{ kind = "triangle", peak = [0, 1, 2], duration = 0.5, delay = 0.1 }',
        Triangle((0, 1, 2), 0.5, 0.1),
    ),
    (
        '{ kind = "sine", amplitude = [0, 1, 2], frequency = 3, phase = 0.5 }',
        Sine((0, 1, 2), 3, 0.5),
    ),
    (
        '{ kind = "pulse", amplitude = [0, 1, 2], start = 0.1, stop = 0.3 }',
        Pulse((0, 1, 2), 0.1, 0.3),
    ),
    (
        '{ kind = "samples", times = [0, 0.4], vectors = [[0, 0, 1], [0, 2, 0]] }',
        Samples([0, 0.4], [[0, 0, 1], [0, 2, 0]]),
    ),
    (
        '{ kind = "sum", parts = [[0, 1, 2], { kind = "scaled", factor = 3, waveform = '
        '{ kind = "sine", amplitude = [0, 1, 2], frequency = 3 } }] }',
        Constant((0, 1, 2)) + 3 * Sine((0, 1, 2), 3),
    ),
    (
        '{ kind = "reversed", duration = 0.9, sign = -1, waveform = '
        '{ kind = "ramp", start = [0, 0, 1], stop = [1, 0, 0], duration = 0.4 } }',
        Reversed(Ramp((0, 0, 1), (1, 0, 0), 0.4), 0.9, -1),
    ),
]


@pytest.mark.parametrize(("text", "waveform"), WAVEFORMS)
def test_every_waveform_can_be_written(text, waveform):
    study = loads(PROCESS.replace("spin_torque = [0.1, 0, 0.2]", f"spin_torque = {text}"))
    assert study.protocol().spin_torque == waveform
    assert loads(study.dumps()).protocol().spin_torque == waveform


def test_to_dict_of_magnet_and_protocol_can_be_read():
    energy = Anisotropy.uniaxial(2.0, (0, 0.6, 0.8))
    polariser = Polariser((0, 0.6, 0.8), TorqueEfficiency((1, 0.2), 0.3), 0.5, 0.1)
    magnet = Magnet(1.3, -1.7, 0.4, 0.8, energy, (polariser,))
    protocol = Protocol(0.9, Ramp((1, 0, 0), (0, 1, 0), 0.9), Triangle((0, 0.6, 0.8), 0.9) * 0.5)
    from spintherm.configuration import document

    compute = {"quantity": "statistics"}
    tables = {"magnet": magnet.to_dict(), "protocol": protocol.to_dict(), "compute": compute}
    study = loads(document.write({"version": 1, **tables}))
    assert study.magnet() == magnet
    assert study.protocol() == protocol


def test_a_material_is_reduced_by_its_scales():
    """Against Slonczewski's field and the scales, written out in SI."""
    study = loads("version = 1" + MATERIAL)
    k_B, e, hbar = 1.380649e-23, 1.602176634e-19, 1.054571817e-34
    Ms, V, T, alpha, thickness = 1.1e6, 1.5e-24, 350.0, 0.02, 1.4e-9
    induction = k_B * T / (Ms * V)
    unit = (1 + alpha**2) / (2 * math.pi * 29e9 * induction)
    magnet, protocol = study.magnet(), study.protocol()
    assert (magnet.moment, magnet.gyromagnetic_ratio, magnet.temperature) == (1, 1, 1)
    assert magnet.damping == alpha
    assert magnet.polarisers[0].field_like == 0.1
    barrier = float(np.ptp(magnet.anisotropy([[0.0, 0, 1], [1, 0, 0]])))
    assert barrier == pytest.approx(2e5 * V / (k_B * T), rel=1e-9)
    assert protocol.duration == pytest.approx(2e-9 / unit, rel=1e-9)
    field = protocol.field
    np.testing.assert_allclose(field.amplitude, np.array([0, 0.03, 0.04]) / induction, rtol=1e-9)
    assert field.frequency == pytest.approx(1e9 * unit, rel=1e-9)
    pulse = protocol.spin_torque
    assert (pulse.start, pulse.stop) == pytest.approx((0.5e-9 / unit, 1.5e-9 / unit), rel=1e-9)
    slonczewski = hbar * -3e10 * 0.6 / (2 * e * Ms * thickness)  # in tesla
    expected = slonczewski / induction * np.array([0, 0.6, 0.8])
    np.testing.assert_allclose(pulse.amplitude, expected, rtol=1e-8)
    assert study.options()["save_at"] == pytest.approx([0.5e-9 / unit, 1e-9 / unit], rel=1e-9)
    assert study.scales().time == pytest.approx(unit, rel=1e-9)


@pytest.mark.parametrize(
    ("shape", "volume"),
    [
        ('cylinder = ["40 nm", "1.4 nm"]', math.pi * 20**2 * 1.4),
        ('ellipsoid = ["40 nm", "30 nm", "10 nm"]', math.pi / 6 * 12000),
        ('prism = [4e-8, "30 nm", "10 nm"]', 12000),
    ],
)
def test_shapes(shape, volume):
    text = MATERIAL.replace('volume = "1500 nm^3"', shape)
    study = loads("version = 1" + text)
    moment = 1.1e6 * volume * 1e-27
    assert study.scales().moment == pytest.approx(moment, rel=1e-12)


def test_old_files_are_read_and_keep_their_meaning():
    """Version 0 is what `Magnet.to_dict`, `Protocol.to_dict` and options of `simulate` make."""
    for path in EXAMPLES.glob("*.toml"):
        data = tomllib.loads(path.read_text("utf-8"))
        if "version" in data:
            continue
        study = load(path)
        assert study.magnet() == Magnet.from_dict(data["magnet"])
        assert study.protocol() == Protocol.from_dict(data["protocol"])
        defaults = {"seed": 0, "scheme": "splitting", "initial": "equilibrium", "fast": False}
        assert study.options() == defaults | data["simulate"]
        assert migrate(migrate(data)) == migrate(data)
    assert {p.stem for p in EXAMPLES.glob("*.toml")} >= {"steady-refrigerator", "tilted-pulses"}


def test_migration_leaves_what_it_is_given():
    data = {"magnet": {}, "protocol": {}, "simulate": {"seed": 2}}
    copy = json.loads(json.dumps(data))
    assert migrate(data)["compute"] == {"quantity": "trajectories", "seed": 2}
    assert data == copy


ENGINES = [
    # quantity, function, further options
    ("trajectories", simulate, "steps = 20\nsave_at = [0.1, 0.2]\nfast = true"),
    ("trajectories", simulate, 'tolerance = 0.5\ninitial = [0, 0, 1]\nscheme = "exact-ft"'),
    ("statistics", simulate_statistics, "bins = { work = 5, heat = [-1, 0, 1] }\nsteps = 20"),
    ("evolution", evolve, "save_at = { count = 3 }\nl_max = 8\ntolerance = 1e-8"),
    ("moments", moments, 'order = 2\ninitial = "steady_state"\ntolerance = 1e-8'),
    ("distribution", distribution, 'of = "work"\npoints = [-1, 0, 1]\nfloor = 1e-8'),
    ("steady-state", steady_state, "tolerance = 1e-9"),
    ("dwell-times", dwell_times, ""),
    (
        "write-error",
        write_error_rate,
        "pulse_lengths = [1, 2]\nresting_field = [0, 0, 1]\naxis = [0, 1, 1]",
    ),
]


@pytest.mark.parametrize(("quantity", "function", "options"), ENGINES)
def test_options_are_those_of_the_function_that_computes(quantity, function, options):
    drive = POINT if quantity in ("steady-state", "dwell-times", "write-error") else PROTOCOL
    compute = f'[compute]\nquantity = "{quantity}"\n{options}'
    study = loads("version = 1" + MAGNET + drive + compute)
    words = study.options()
    signature = inspect.signature(function)
    assert set(words) <= set(signature.parameters)
    assert {line.split(" =")[0] for line in options.splitlines()} <= set(words)
    assert ("seed" in words) == study.compute.sampled == ("seed" in signature.parameters)


# --- canonical form -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [PROCESS, STATE, PROCESS + SWEPT, "version = 1" + MATERIAL, template()]
)
def test_the_canonical_form_is_a_fixed_point(text):
    study = loads(text)
    again = loads(study.dumps())
    assert again == study
    assert again.dumps() == study.dumps()
    assert again.digest() == study.digest()
    assert len(study.digest()) == 64


def test_the_digest_sees_meaning_and_not_spelling():
    digest = loads(PROCESS).digest()
    assert loads("# a comment\n" + PROCESS.replace("1.3", "1.30")).digest() == digest
    assert loads(PROCESS.replace("1e4", "10_000")).digest() == digest
    assert loads(PROCESS + "fast = false").digest() == digest
    assert loads(PROCESS + "fast = true").digest() != digest
    changed = loads(PROCESS.replace("1.3", "1.3000000000000003"))
    assert changed.digest() != digest


def test_a_study_is_frozen():
    study = loads(PROCESS)
    with pytest.raises(ValueError, match="frozen"):
        study.title = "another"
    with pytest.raises(ValueError, match="frozen"):
        study.compute.seed = 4


def test_overrides():
    study = loads(
        PROCESS + SWEPT,
        [
            "compute.seed=7",
            "title=of no particular type",
            "magnet.damping = 0.25",
            "protocol.field.start.1=-3",
            'sweep.axes."magnet.temperature".count=4',
            "output.variables=['mean']",
        ],
    )
    assert study.compute.seed == 7
    assert study.title == "of no particular type"
    assert study.magnet().damping == 0.25
    assert study.protocol().field.start == (0.3, -3.0, 0.9)
    assert len(study.points()) == 8
    assert study.output.variables == ("mean",)
    old = (EXAMPLES / "table-one-b-blue.toml").read_text("utf-8")
    assert loads(old, ["compute.trajectories=50"]).options()["trajectories"] == 50


# --- sweeps ---------------------------------------------------------------------------------------


def swept(method, axes, rest=""):
    return PROCESS + f'[sweep]\nmethod = "{method}"\n{rest}\n[sweep.axes]\n{axes}'


def test_a_grid_is_a_product_with_the_last_axis_fastest():
    study = loads(PROCESS + SWEPT)
    temperatures, stops = (0.5, 1.0, 2.0), (-1.0, 1.0)
    found = [tuple(point.values()) for point in study.points()]
    np.testing.assert_allclose(found, list(itertools.product(temperatures, stops)), rtol=1e-15)
    first, second = study.axes()
    assert (first.name, first.dim) == ("magnet_temperature", "magnet_temperature")
    assert second.numbers == stops
    one = study.at(study.points()[3])
    assert one.sweep is None
    assert one.points() == [{}]
    assert one.magnet().temperature == pytest.approx(1.0, rel=1e-15)
    assert one.protocol().field.stop == (-0.5, 0.7, 1.0)
    assert study.magnet().temperature == 0.8


def test_zip_and_list():
    axes = '"magnet.damping" = { values = [0.1, 0.2] }\n"magnet.moment" = { values = [1, 3] }'
    zipped = loads(swept("zip", axes))
    expected = [
        {"magnet.damping": 0.1, "magnet.moment": 1.0},
        {"magnet.damping": 0.2, "magnet.moment": 3.0},
    ]
    assert zipped.points() == expected
    assert {axis.dim for axis in zipped.axes()} == {"point"}
    rows = ", ".join(
        "{ " + ", ".join(f'"{k}" = {v}' for k, v in point.items()) + " }" for point in expected
    )
    assert loads(PROCESS + f'[sweep]\nmethod = "list"\npoints = [{rows}]').points() == expected


def test_axes_of_vectors_and_of_quantities_with_units():
    axes = '"protocol.spin_torque" = { start = [0, 0, 0], stop = [0, 1, 2], count = 3 }'
    study = loads(swept("grid", axes))
    (axis,) = study.axes()
    assert axis.numbers == ((0, 0, 0), (0, 0.5, 1), (0, 1, 2))
    assert study.at(study.points()[1]).protocol().spin_torque.vector == (0, 0.5, 1)
    text = "version = 1" + MATERIAL + '[sweep.axes]\n"material.temperature" = '
    study = loads(text + '{ start = "200 K", stop = "400 K", count = 3 }')
    (axis,) = study.axes()
    assert (axis.unit, axis.numbers) == ("K", (200.0, 300.0, 400.0))
    energies = [study.at(point).scales().energy for point in study.points()]
    np.testing.assert_allclose(energies, 1.380649e-23 * np.array([200, 300, 400]), rtol=1e-12)


def test_logarithmic_axes():
    axis = '"magnet.damping" = { start = 0.001, stop = 1.0, count = 4, spacing = "log" }'
    np.testing.assert_allclose(
        [point["magnet.damping"] for point in loads(swept("grid", axis)).points()],
        [0.001, 0.01, 0.1, 1.0],
        rtol=1e-14,
    )
    backwards = (
        '"magnet.gyromagnetic_ratio" = { start = -8, stop = -1, count = 4, spacing = "log" }'
    )
    found = [tuple(point.values()) for point in loads(swept("grid", backwards)).points()]
    np.testing.assert_allclose(np.ravel(found), [-8, -4, -2, -1], rtol=1e-14)


def test_whole_numbers_can_be_swept():
    study = loads(swept("grid", '"compute.steps" = { start = 10, stop = 40, count = 4 }'))
    steps = [study.at(point).options()["steps"] for point in study.points()]
    assert steps == [10, 20, 30, 40]
    assert all(isinstance(number, int) for number in steps)


RANGES = (
    '"magnet.damping" = { start = 0.001, stop = 1.0, spacing = "log" }\n'
    '"magnet.temperature" = { start = 1, stop = 3 }'
)


def test_latin_hypercubes_have_one_point_in_each_stratum_of_each_axis():
    study = loads(swept("latin-hypercube", RANGES, "samples = 40\nseed = 2"))
    damping, temperature = (np.array(axis.numbers) for axis in study.axes())
    for share in (np.log10(damping) / 3 + 1, (temperature - 1) / 2):
        np.testing.assert_array_equal(np.sort(np.floor(share * 40)), np.arange(40))
    assert np.corrcoef(np.log(damping), temperature)[0, 1] ** 2 < 0.3


def test_random_points_are_uniform_in_the_variable_of_the_axis():
    """Means over 400 points, five standard errors of a uniform law: false alarms 1e-6."""
    study = loads(swept("random", RANGES, "samples = 400\nseed = 2"))
    damping, temperature = (np.array(axis.numbers) for axis in study.axes())
    error = 1 / math.sqrt(12 * 400)
    assert abs(np.mean(np.log10(damping) / 3 + 1) - 0.5) < 5 * error
    assert abs(np.mean((temperature - 1) / 2) - 0.5) < 5 * error
    assert study.points() == loads(study.dumps()).points()
    other = loads(swept("random", RANGES, "samples = 400\nseed = 3"))
    assert other.points() != study.points()


def test_adaptive_points_are_not_known_beforehand():
    axes = (
        '"point.field.2" = { start = 0.1, stop = 2 }\n'
        '"point.spin_torque.2" = { start = -1, stop = 1 }'
    )
    table = (
        '[sweep]\nmethod = "adaptive"\nsamples = 50\ntarget = "bath_entropy_rate"\n[sweep.axes]\n'
    )
    study = loads(STATE + table + axes)
    assert [axis.values for axis in study.axes()] == [(0.1, 2.0), (-1.0, 1.0)]
    assert study.cost().points == 50
    with pytest.raises(ConfigurationError, match="chosen while it runs"):
        study.points()


# --- refusals -------------------------------------------------------------------------------------

REFUSALS = [
    # text, old, new, what the line says
    (PROCESS, "damping =", "dumping =", "magnet.dumping: unknown key, did you mean 'damping'?"),
    (
        PROCESS,
        "[compute]",
        "[compute]\nsede = 1",
        "compute.sede: unknown key, did you mean 'seed'?",
    ),
    (PROCESS, "[magnet]", "[magnets]", "magnets: unknown key, did you mean 'magnet'?"),
    (PROCESS, "0.4", "-0.4", "magnet.damping=-0.4: expected a number >= 0"),
    (PROCESS, "0.4", "nan", "magnet.damping=nan: expected a finite number"),
    (PROCESS, "0.4", "true", "magnet.damping=True: expected a number"),
    (PROCESS, "0.4", '"0.4"', "magnet.damping='0.4': expected a number"),
    (PROCESS, "1.7", "0", "magnet.gyromagnetic_ratio=0.0: expected a finite number other than 0"),
    (PROCESS, "moment = 1.3", "", "magnet.moment: missing"),
    (PROCESS, "0.4", "2020-01-01", "magnet.damping=2020-01-01: expected a number, text, list"),
    (PROCESS, "0.4", "9" * 30, "magnet.damping: expected a number of at most 64 bits"),
    (PROCESS, '"ramp"', '"rump"', "protocol.field.kind='rump': expected one of 'constant'"),
    (PROCESS, '"ramp"', '"function"', "protocol.field.kind='function': expected one of"),
    (PROCESS, 'kind = "ramp", ', "", "protocol.field.kind: missing"),
    (
        PROCESS,
        "[0.3, -0.2, 0.9]",
        "[0.3, -0.2]",
        "protocol.field.start=[0.3, -0.2]: expected three",
    ),
    (PROCESS, "[0.3, -0.2, 0.9]", "1", "protocol.field.start=1.0: expected three components"),
    (
        PROCESS,
        "[0.3, -0.2, 0.9]",
        '["1 T", 0, 0]',
        "protocol.field.start.0='1 T': expected a number",
    ),
    (PROCESS, "duration = 0.9\n", "duration = 0\n", "protocol.duration=0.0: expected a finite"),
    (PROCESS, '"statistics"', '"statistic"', "did you mean 'statistics'?"),
    (PROCESS, "1e4", "0", "compute.trajectories=0: expected a number >= 1"),
    (PROCESS, "1e4", "1.5", "compute.trajectories=1.5: expected a whole number"),
    (PROCESS, "1e4", "1e15", "compute.trajectories=1000000000000000.0: expected a number <= 1"),
    (PROCESS, "1e4", "1e10\nchunk = 1", "compute.chunk: expected at most 100000000 tasks"),
    (PROCESS, "seed = 3", "seed = -3", "compute.seed=-3: expected a number >= 0"),
    (PROCESS, "seed = 3", "bins = 10000", "compute.bins=10000: expected a number <= 4096"),
    (PROCESS, "seed = 3", "bins = { wurk = 3 }", "compute.bins.wurk=3: expected one of 'work'"),
    (PROCESS, "seed = 3", 'initial = "here"', "compute.initial='here': expected 'equilibrium'"),
    (PROCESS, "seed = 3", "bins = { work = [0, 0, 1] }", "compute.bins.work.1=0.0: expected more"),
    (
        PROCESS,
        STATISTICS,
        SAVED.format("[0.5, 0.2]"),
        "compute.save_at.1=0.2: expected more than 0.5",
    ),
    (PROCESS, STATISTICS, SAVED.format("[0.5, 0.95]"), "compute.save_at: expected times from 0 to"),
    (STATE, "0.8", "0", "magnet.temperature=0: expected T > 0 for quantity = 'steady-state'"),
    (PROCESS, "[protocol]", UPWARDS, "protocol.spin_torque="),
    (STATE, "[point]", UPWARDS.replace("protocol", "point"), "point.spin_torque="),
    (
        PROCESS,
        "seed = 3",
        "initial = [[0, 0, 1]]",
        "compute.initial: expected one direction or 100",
    ),
    (PROCESS, "seed = 3", 'scheme = "euler"', "did you mean 'euler-maruyama'?"),
    (PROCESS, "[protocol]", "[point]\nfield = [0, 0, 1]\n[protocol]", "point: not with quantity"),
    (PROCESS, "version = 1", "version = 2", "version=2: expected at most 1; a newer spintherm"),
    (PROCESS, "version = 1", "", "version: missing; expected version = 1"),
    (PROCESS, "version = 1", "version = 1.5", "version=1.5: expected 1"),
    (PROCESS, "version = 1", "version = true", "version=True: expected 1"),
    (PROCESS, "version = 1", "version = 1\nmaterial = {}", "material."),
    (PROCESS, "version = 1", 'version = 1\noutput.variables = ["wrk"]', "did you mean 'work'?"),
    (PROCESS, "version = 1", "version == 1", "expected TOML: "),
    (STATE, "[point]", "[protocol]", "protocol.duration: missing"),
    (STATE, STEADY, '[compute]\nquantity = "write-error"', "compute.pulse_lengths: missing"),
    (
        STATE,
        STEADY,
        '[compute]\nquantity = "evolution"',
        "protocol: missing; quantity = 'evolution'",
    ),
    (
        PROCESS + SWEPT,
        '"magnet.temp',
        '"magnet.tmp',
        "magnet.tmperature: unknown key, did you mean",
    ),
    (PROCESS + SWEPT, '"magnet.temp', '"magnat.temp', "did you mean 'magnet'?"),
    (PROCESS + SWEPT, "stop.2", "stop.3", "expected protocol.field.stop to hold '3'"),
    (PROCESS + SWEPT, "count = 3", "count = 60000", "sweep: expected at most 100000 points"),
    (PROCESS + SWEPT, ", count = 3", "", 'sweep.axes."magnet.temperature".count: missing'),
    (
        PROCESS + SWEPT,
        "start = 0.5",
        "start = -0.5",
        "spacing='log': expected start and stop of one",
    ),
    (PROCESS + SWEPT, "start = 0.5", 'start = "0.5 K"', "expected the unit of start='0.5 K'"),
    (PROCESS + SWEPT, "[-1, 1]", "[-1, 1, 'a']", "protocol.field.stop.2='a': expected a number"),
    (PROCESS + SWEPT, "[-1, 1]", "[]", '"protocol.field.stop.2".values=[]: expected at least 1'),
    (
        PROCESS + SWEPT,
        "[sweep.axes]",
        "[sweep]\nsamples = 3\n[sweep.axes]",
        "sweep.samples: not for",
    ),
    (PROCESS + SWEPT, "magnet.temperature", "compute.chunk", "cannot vary"),
    (
        PROCESS + SWEPT,
        "magnet.temperature",
        "protocol.field.stop",
        "sweep.axes: expected keys apart",
    ),
    (PROCESS + SWEPT, '"magnet.temperature"', "'protocol.field.stop.\"2\"'", "expected keys apart"),
]
REFUSALS_OF_MATERIAL = [
    ('"350 K"', '"350 m"', "material.temperature='350 m': expected a temperature >= 0 such as"),
    ('"2 ns"', '"2 nT"', "protocol.duration='2 nT': expected a time such as '5 ns'"),
    ('"30 mT"', '"30 mK"', "protocol.field.amplitude.1='30 mK': expected a magnetic field"),
    ('"1 GHz"', '"1 ns"', "protocol.field.frequency='1 ns': expected a frequency"),
    ('"-3 MA/cm^2"', "[0, 0, 1]", "expected one current density, along the polariser"),
    ("current_density", "spin_torque", "protocol.spin_torque.amplitude: expected current_density"),
    ("polarisation = 0.6", "polarisation = 1.6", "material.current.polarisation=1.6: expected"),
    ('volume = "1500 nm^3"', "", "material: expected one of volume, cylinder, ellipsoid, prism"),
    ('volume = "1500 nm^3"', 'cylinder = ["40 nm"]', "material.cylinder.1: missing"),
    ('["0.5 ns", 1e-9]', '{ count = 3, start = "2 ns" }', "compute.save_at.stop="),
]
REFUSALS += [("version = 1" + MATERIAL, *row) for row in REFUSALS_OF_MATERIAL]


@pytest.mark.parametrize(("text", "old", "new", "said"), REFUSALS)
def test_refusals_name_the_key_and_what_would_be_right(text, old, new, said):
    assert old in text
    assert said in refused(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("compute.seed", "expected KEY=VALUE"),
        ("compute..seed=1", "expected a dotted key"),
        ("compute.sede=1", "compute.sede: unknown key, did you mean 'seed'?"),
        ("magnet.damping=inf", "magnet.damping=inf: expected a finite number"),
        ("protocol.field.start.7=1", "expected protocol.field.start to hold '7'"),
        ("magnet.damping.x=1", "expected magnet.damping to hold 'x', but it is no table"),
        ("compute.seed=os.getpid()", "compute.seed='os.getpid()': expected a whole number"),
        ("x" * 500 + "=1", "expected a dotted key"),
    ],
)
def test_bad_overrides(override, said):
    assert said in refused(PROCESS, [override])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"\xff\xfe", "expected text in UTF-8"),
        ("a = 1\n" * 200_000, "expected at most 1048576 bytes"),
        ("a = " + "[" * 100_000, "inside each other"),
        ("a = " + "[" * 20 + "]" * 20, "inside each other"),
        ("a" + ".a" * 100_000 + " = 1", "keys of at most 32 parts"),
        ("a = " + "9" * 5000, "expected TOML"),
        ('title = "' + "x" * 2000 + '"', "title: expected at most 1000 letters"),
    ],
)
def test_hostile_texts(text, said):
    assert said in refused(text)


def test_the_file_is_named(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(PROCESS.replace("damping = 0.4", "damping = -0.4"), "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: magnet.damping=-0.4: expected")
    assert caught.value.key == "magnet.damping"
    for missing in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            load(missing)


# --- schema, template, cost -----------------------------------------------------------------------


def test_the_schema_has_every_key_with_its_meaning():
    found = schema()
    assert set(found["properties"]) == set(loads(template()).to_dict()) | {"material", "point"}
    json.dumps(found)
    for name, table in found["$defs"].items():
        assert table.get("additionalProperties", False) is False, name
        assert table["description"], name
        for key, one in table["properties"].items():
            assert "description" in one or key in ("kind", "quantity"), (name, key)
    assert found["$defs"]["MagnetTable"]["properties"]["damping"]["minimum"] == 0
    assert found["$defs"]["Statistics"]["properties"]["trajectories"]["minimum"] == 1
    assert '"null"' not in json.dumps(found)


def alternatives():
    """Give the template with one of its alternatives in place at a time."""
    lines = template().splitlines()
    single = [i for i, line in enumerate(lines) if line.startswith("#! ")]
    for i in single:
        key = lines[i][3:].partition(" =")[0]
        block = lines[i].startswith("#! [") or any(
            lines[j].startswith("#! [") for j in range(i - 8, i) if j in single
        )
        if not block:
            yield key, "\n".join([*lines[:i], lines[i][3:], *lines[i + 1 :]])


ALTERNATIVES = dict(alternatives())
NOT_ALONE = {
    "current_density": "expected only one of spin_torque and current_density",
    "save_at": "compute.save_at: unknown key",
    "tolerance": "compute.tolerance: unknown key",
    "polarisers": None,
}


@pytest.mark.parametrize("key", ALTERNATIVES)
def test_the_alternatives_of_the_template(key):
    """Each is right in its place; those that need another table beside them say so."""
    if NOT_ALONE.get(key):
        assert NOT_ALONE[key] in refused(ALTERNATIVES[key])
    else:
        study = loads(ALTERNATIVES[key])
        assert study != loads(template())


def test_the_template_has_alternatives_for_many_keys():
    assert {"anisotropy", "steps", "bins", "initial", "variables"} <= set(ALTERNATIVES)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_steps_of_the_cost_are_those_that_the_engine_takes(scheme):
    assert RESOLUTION[scheme] == SCHEMES[scheme].resolution
    study = loads(PROCESS + f'scheme = "{scheme}"')
    steps = default_steps(study.magnet(), study.protocol(), scheme)
    cost = study.cost()
    assert cost.steps == (steps, steps)
    assert cost.spin_steps == 10_000 * steps
    assert cost.seconds == pytest.approx(cost.spin_steps / SPEEDS[scheme])
    assert study.cost(speed=1e6).seconds == pytest.approx(cost.spin_steps / 1e6)


def test_cost_of_sweeps_tasks_and_speeds():
    text = PROCESS + "steps = 50\nfast = true\nchunk = 3000" + SWEPT
    cost = loads(text.replace('"statistics"', '"trajectories"')).cost()
    assert (cost.points, cost.tasks, cost.spin_steps) == (6, 24, 6 * 10_000 * 50)
    study = loads(text)
    cost = study.cost()
    assert (cost.points, cost.tasks, cost.spin_steps) == (6, 6, 6 * 10_000 * 50)
    assert cost.seconds == pytest.approx(6 * 10_000 * 50 / FAST_SPEED)
    real = PROCESS.replace("[protocol]", "anisotropy = { uniaxial = 1 }\n[protocol]")
    assert loads(real).cost().speed == pytest.approx(0.65 * SPEEDS["splitting"])
    assert loads(real + "fast = true").cost().speed == pytest.approx(0.65 * FAST_SPEED)
    state = loads(STATE).cost()
    assert (state.points, state.tasks, state.spin_steps) == (1, 1, 0)
    with pytest.raises(ValueError, match=r"speed=0\.0: expected a finite number > 0"):
        study.cost(speed=0)


SLONCZEWSKI = Polariser((0, 0, 1), TorqueEfficiency.slonczewski(1.5))


@pytest.mark.parametrize(
    ("parts", "measured"),
    [
        ({}, 1.0),
        ({"anisotropy": Anisotropy.uniaxial(1.0)}, 0.65),
        ({"anisotropy": Anisotropy.cubic(1.0)}, 0.50),
        ({"anisotropy": Anisotropy.uniaxial(1.0, fourth_order=0.3)}, 0.49),
        ({"polarisers": SLONCZEWSKI}, 0.51),
        ({"polarisers": (SLONCZEWSKI, SLONCZEWSKI)}, 0.46),
        ({"anisotropy": Anisotropy.uniaxial(1.0), "polarisers": SLONCZEWSKI}, 0.53),
        ({"anisotropy": Anisotropy.cubic(1.0), "polarisers": (SLONCZEWSKI,) * 2}, 0.44),
    ],
)
def test_the_share_of_a_magnet_is_near_what_was_measured(parts, measured):
    """Measured apart from the constants, on the machine of the speeds; a fifth is what is said."""
    assert share_of(Magnet(1.3, 1.7, 0.4, 0.8, **parts)) == pytest.approx(measured, rel=0.2)


def test_every_degree_of_an_energy_and_any_number_of_polarisers_have_a_share():
    assert share_of(Magnet(1.0, 1.0, 0.5, 1.0, polarisers=Polariser((0, 0, 1)))) == 0.65
    assert share_of(Magnet(1.0, 1.0, 0.5, 1.0, polarisers=(SLONCZEWSKI,) * 5)) == 0.46
    shares = [
        share_of(
            Magnet(1.0, 1.0, 0.5, 1.0, anisotropy=Anisotropy.polynomial({(degree, 0, 0): 1.0}))
        )
        for degree in (2, 4, 6, 8)
    ]
    assert shares == sorted(set(shares), reverse=True)


@pytest.mark.parametrize(
    ("trajectories", "steps", "chunk"),
    [(10**6, 80, 65536), (10**6, 5000, 65536), (10**4, 300_000, 100), (10**7, 2000, 10**6)],
)
def test_tasks_of_statistics_are_the_engines_portions_doubled(trajectories, steps, chunk):
    """As many of the engine's portions, one or two or four or eight ..., as fit into a chunk."""
    options = f"steps = {steps}\nchunk = {chunk}"
    study = loads(PROCESS.replace("1e4", str(trajectories)) + options)
    portions = list(chunks(trajectories, steps))
    fitting = [2**k for k in range(40) if 2**k * portions[0].stop <= max(chunk, portions[0].stop)]
    assert study.cost().tasks == math.ceil(len(portions) / fitting[-1])


def test_too_many_steps_are_refused_as_the_engine_does():
    text = PROCESS.replace("duration = 0.9\n", "duration = 1e6\n")
    study = loads(text)
    with pytest.raises(ValueError, match="steps=None would mean"):
        default_steps(study.magnet(), study.protocol())
    with pytest.raises(ConfigurationError, match="name steps"):
        study.cost()
    assert loads(text + "steps = 100").cost().steps == (100, 100)


def test_bytes_are_those_of_the_results():
    """Twice the numbers of each trajectory: once by task, once in the result."""
    text = PROCESS.replace('"statistics"', '"trajectories"').replace("1e4", "500")
    study = loads(text + "save_at = { count = 5 }")
    found = simulate(study.magnet(), study.protocol(), progress=False, **study.options())
    per_trajectory = [v for v in found.data_vars.values() if "trajectory" in v.dims]
    assert study.cost().bytes == 2 * sum(v.nbytes for v in per_trajectory)
    strided = text + "save_at = { count = 5 }\n[output]\ntime_stride = 2\ntrajectory_stride = 7"
    kept = [v.isel(trajectory=slice(None, None, 7)) for v in per_trajectory]
    kept = [v.isel(time=slice(None, None, 2)) if "time" in v.dims else v for v in kept]
    assert loads(strided).cost().bytes == 2 * sum(v.nbytes for v in kept)
