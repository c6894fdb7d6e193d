"""Break the physics on purpose, one line at a time, and record which tests notice.

    python tools/mutations.py [NAME ...] [--write docs/mutations.md]

Every mutation is applied to a copy of the sources, the named test files run against the copy, and
the failures listed. A mutation that no test notices makes the command fail. With names only these
are run, and of a file that is there only their lines are written anew.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("src/spintherm")


@dataclass(frozen=True)
class Mutation:
    """One wrong line: where, what stands there, what is put there, and the tests to ask."""

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...] = ("test_simulate.py",)


DENSITIES = "test_real_magnets_densities.py"
ALONG_ONE_AXIS = "test_rates_along_one_axis_are_those_of_a_quadrature"
GENERATOR_MOVES = "test_the_generator_moves_functions_along_the_drift_of_the_equation"

MUTATIONS = (
    Mutation(
        "noise twice too strong (splitting)",
        "kernels/constants.py",
        "s = steps.damping * steps.temperature * h",
        "s = 2.0 * steps.damping * steps.temperature * h",
    ),
    Mutation(
        "noise without its factor 2 (Euler-Maruyama)",
        "kernels/constants.py",
        "spread = 2.0 * steps.damping * steps.temperature * h",
        "spread = steps.damping * steps.temperature * h",
    ),
    Mutation(
        "sign of the torque in the damping-like part",
        "kernels/constants.py",
        "return self.moment * (field + self.gyromagnetic_ratio * self.spin_torque[place])",
        "return self.moment * (field - self.gyromagnetic_ratio * self.spin_torque[place])",
    ),
    Mutation(
        "sign of the torque in the precession",
        "kernels/constants.py",
        "return self.gyromagnetic_ratio * self.field[place] - torque",
        "return self.gyromagnetic_ratio * self.field[place] + torque",
    ),
    Mutation(
        "sense of the precession",
        "kernels/constants.py",
        "generator[:, 1, 2], generator[:, 2, 1] = -r[:, 2], r[:, 2]",
        "generator[:, 1, 2], generator[:, 2, 1] = r[:, 2], -r[:, 2]",
    ),
    Mutation(
        "sign of the torque's chord before a node (merged splitting)",
        "kernels/merged.py",
        "_add_torque(form, rows[k - 1, 21:24])",
        "_add_torque(form, -rows[k - 1, 21:24])",
        ("test_kernels.py",),
    ),
    Mutation(
        "sign of the torque's chord after a node (merged splitting)",
        "kernels/merged.py",
        "_add_torque(form, rows[k, 21:24])",
        "_add_torque(form, -rows[k, 21:24])",
        ("test_kernels.py",),
    ),
    Mutation(
        "torque's chord after a node twice (merged splitting)",
        "kernels/merged.py",
        "_add_torque(form, rows[k, 21:24])",
        "_add_torque(form, 2.0 * rows[k, 21:24])",
        ("test_kernels.py",),
    ),
    Mutation(
        "noise not turned back from the frame along P (merged splitting)",
        "kernels/merged.py",
        "home[i, j] = work[j, i]",
        "home[i, j] = work[i, j]",
        ("test_kernels.py", "test_middle_books.py"),
    ),
    Mutation(
        "sign of the torque's work along the noise (merged splitting)",
        "kernels/merged.py",
        "across = fma(ly, ux, -(lx * uy))",
        "across = fma(lx, uy, -(ly * ux))",
        ("test_kernels.py", "test_middle_books.py"),
    ),
    Mutation(
        "missing jump work inside the protocol",
        "kernels/ensemble.py",
        "lanes[WORK + i] -= dot(",
        "lanes[WORK + i] -= 0.0 * dot(",
    ),
    Mutation(
        "missing jump work at the end",
        "kernels/ensemble.py",
        "state[3, i] -= dot(",
        "state[3, i] -= 0.0 * dot(",
    ),
    Mutation(
        "work of the torque left out",
        "kernels/schemes.py",
        "work = torque_work - dot(",
        "work = 0.0 * torque_work - dot(",
    ),
    Mutation(
        "sign of the work of the torque (splitting)",
        "kernels/schemes.py",
        "    torque_work = dot(\n        q[0],\n        q[1],\n        q[2],\n        fma(area",
        "    torque_work = -dot(\n        q[0],\n        q[1],\n        q[2],\n        fma(area",
    ),
    Mutation(
        "Levy area left out (splitting)",
        "kernels/constants.py",
        "            2.0 * s,\n",
        "            0.0 * s,\n",
    ),
    Mutation(
        "great-circle work without 1 - s/3 (splitting)",
        "kernels/constants.py",
        "            1.0 - s / 3.0,\n",
        "            1.0 + 0.0 * s,\n",
    ),
    Mutation(
        "pumped entropy without its factor 2",
        "kernels/constants.py",
        "pumped = (self.gyromagnetic_ratio * self.moment)",
        "pumped = (0.5 * self.gyromagnetic_ratio * self.moment)",
    ),
    Mutation(
        "S_P left out of the entropy production",
        "trajectories/thermodynamics.py",
        "free_energy_change(magnet, protocol)) + pumped)",
        "free_energy_change(magnet, protocol)) + 0.0 * pumped)",
    ),
    Mutation(
        "beta left out of the entropy production",
        "trajectories/thermodynamics.py",
        "magnet.beta * (work",
        "1.0 * (work",
    ),
    Mutation(
        "equilibrium sampled at the wrong strength",
        "trajectories/initial.py",
        "magnet.beta * magnet.moment * strength",
        "magnet.beta * strength",
    ),
    Mutation(
        "neighbouring trajectories share their noise",
        "kernels/noise.py",
        "index = np.uint64(first + i)",
        "index = np.uint64((first + i) // 2)",
        ("test_kernels.py", "test_simulate.py"),
    ),
    Mutation(
        "azimuth covers half of the circle",
        "kernels/noise.py",
        "return radial, azimuth - 3.0, sign",
        "return radial, 0.5 * azimuth - 1.5, sign",
        ("test_kernels.py", "test_simulate.py"),
    ),
    Mutation(
        "backward field not flipped",
        "protocol.py",
        "self.field.reversed(self.duration, -1.0)",
        "self.field.reversed(self.duration, 1.0)",
        ("test_protocol.py", "test_theorems_of_trajectories.py"),
    ),
    Mutation(
        "backward torque flipped",
        "protocol.py",
        "self.spin_torque.reversed(self.duration, 1.0)",
        "self.spin_torque.reversed(self.duration, -1.0)",
        ("test_protocol.py", "test_theorems_of_trajectories.py"),
    ),
    Mutation(
        "drift without -2 T eta m",
        "magnet.py",
        "2.0 * self.temperature * self.damping * m",
        "0.0 * self.temperature * self.damping * m",
        ("test_magnet.py",),
    ),
    Mutation(
        "diffusion twice too strong (density engine)",
        "fokker_planck/generator.py",
        "out[..., LAPLACIAN] = eta * T",
        "out[..., LAPLACIAN] = 2.0 * eta * T",
        ("test_evolution.py",),
    ),
    Mutation(
        "sign of the torque in the damping (density engine)",
        "fokker_planck/generator.py",
        "out[..., GRADIENT] = eta * m * H + g * m * P",
        "out[..., GRADIENT] = eta * m * H - g * m * P",
        ("test_evolution.py",),
    ),
    Mutation(
        "sense of the precession (density engine)",
        "fokker_planck/generator.py",
        "out[..., ROTATION] = g * H - eta * m**2 * P",
        "out[..., ROTATION] = -g * H - eta * m**2 * P",
        ("test_evolution.py",),
    ),
    Mutation(
        "pumped entropy counted without its factor 2",
        "fokker_planck/generator.py",
        "pumped[..., LINEAR] = 2.0 * magnet",
        "pumped[..., LINEAR] = 1.0 * magnet",
        ("test_generating_function.py",),
    ),
    Mutation(
        "noise of the counted work halved",
        "fokker_planck/generator.py",
        "second[..., ONE] = 2.0 * damped",
        "second[..., ONE] = 1.0 * damped",
        ("test_generating_function.py",),
    ),
    Mutation(
        "sign of the correlation of work and turning",
        "fokker_planck/generator.py",
        "first[..., ROTATION] = -2.0 * eta",
        "first[..., ROTATION] = 2.0 * eta",
        ("test_generating_function.py",),
    ),
    Mutation(
        "sign of the work of a jump (density engine)",
        "fokker_planck/schedule.py",
        "yield Kick(0, pull * owed, magnet)",
        "yield Kick(0, -pull * owed, magnet)",
        ("test_generating_function.py",),
    ),
    Mutation(
        "energy at the end left out of the heat's density",
        "fokker_planck/functional_density.py",
        "(-1.0, 0.0, -1.0, 1.0)",
        "(-1.0, 0.0, -1.0, 0.0)",
        ("test_functional_density.py",),
    ),
    Mutation(
        "Levy area halved (splitting), no random numbers",
        "kernels/constants.py",
        "            2.0 * s,\n",
        "            1.0 * s,\n",
        ("test_splitting_order.py",),
    ),
    Mutation(
        "great-circle work with 1 - s/2 (splitting), no random numbers",
        "kernels/constants.py",
        "            1.0 - s / 3.0,\n            2.0 * s",
        "            1.0 - s / 2.0,\n            2.0 * s",
        ("test_splitting_order.py",),
    ),
    Mutation(
        "sign of the heat (exact-ft)",
        "kernels/reversible.py",
        "heat = -fma(weights",
        "heat = fma(weights",
        ("test_exact_fluctuation_scheme.py",),
    ),
    Mutation(
        "Jacobian of the irreversible drift left out (exact-ft)",
        "kernels/reversible.py",
        "log(forth * back * (root",
        "log((root",
        ("test_exact_fluctuation_scheme.py",),
    ),
    Mutation(
        "odds of the sign left out (exact-ft)",
        "kernels/reversible.py",
        "* (root + signed))",
        "* 1.0)",
        ("test_exact_fluctuation_scheme.py",),
    ),
    Mutation(
        "pumped entropy of the first half alone (exact-ft)",
        "kernels/reversible.py",
        "log(first * last)",
        "log(first)",
        ("test_exact_fluctuation_scheme.py",),
    ),
    Mutation(
        "weight of the tilted noise five per cent off (rare events)",
        "kernels/weighted.py",
        "return px, py, pz, log_weight - dot(wx",
        "return px, py, pz, log_weight - 1.05 * dot(wx",
        ("test_rare_events.py",),
    ),
    Mutation(
        "diffusion left out of the irreversible current (density engine)",
        "fokker_planck/entropy.py",
        "- eta * T * slope",
        "- 0.0 * T * slope",
        ("test_evolution.py",),
    ),
    Mutation(
        "sign of the bath's entropy (density engine)",
        "fokker_planck/evolution.py",
        "bath_rate = -magnet.beta",
        "bath_rate = magnet.beta",
        ("test_evolution.py",),
    ),
    Mutation(
        "bound of the pumped entropy halved",
        "fokker_planck/process.py",
        "top = 2.0 *",
        "top = 1.0 *",
        ("test_functional_density.py",),
    ),
    Mutation(
        "sign of the held exponent in conditional averages",
        "fokker_planck/conditional.py",
        '(0.0, -1.0, 0.0, 0.0), "pumped',
        '(0.0, 1.0, 0.0, 0.0), "pumped',
        ("test_functional_density.py",),
    ),
    Mutation(
        "height of the joint density halved",
        "fokker_planck/joint.py",
        "total * 2.0 * np.prod",
        "total * np.prod",
        ("test_functional_density.py",),
    ),
    Mutation(
        "free energy left out of the joint theorem",
        "fokker_planck/theorems.py",
        "forward - backward + magnet.beta *",
        "forward - backward + 0.0 *",
        ("test_generating_function.py",),
    ),
    Mutation(
        "sign of g' in the pumped entropy",
        "magnet.py",
        "- (1.0 - c * c) * g.derivative(c))",
        "+ (1.0 - c * c) * g.derivative(c))",
        ("test_torques.py",),
    ),
    Mutation(
        "sign of g' in the pumped entropy (density engine)",
        "fokker_planck/landscape.py",
        "p.strength * ((1.0 - c * c) * g.derivative(c) -",
        "p.strength * (-(1.0 - c * c) * g.derivative(c) -",
        (f"{DENSITIES}::test_the_joint_theorem_holds_for_random_magnets_and_protocols",),
    ),
    Mutation(
        "polarisers not reversed",
        "magnet.py",
        "polarisers=tuple(item.reversed() for",
        "polarisers=tuple(item for",
        ("test_torques.py",),
    ),
    Mutation(
        "field-like torque even under time reversal",
        "torques.py",
        "self.strength, -self.field_like)",
        "self.strength, self.field_like)",
        ("test_torques.py",),
    ),
    Mutation(
        "field of the current left out",
        "magnet.py",
        "(item.strength * item.field_like * amplitude)",
        "(0.0 * item.strength * amplitude)",
        (f"test_phase_diagram_real_magnets.py::{ALONG_ONE_AXIS}",),
    ),
    Mutation(
        "sign of the anisotropy in the effective field",
        "magnet.py",
        "np.asarray(H - self.anisotropy.gradient",
        "np.asarray(H + self.anisotropy.gradient",
        (f"{DENSITIES}::{GENERATOR_MOVES}",),
    ),
    Mutation(
        "sign of the anisotropy's energy at the ends of a heat",
        "fokker_planck/schedule.py",
        "exponents.directions[:, self.channel] * self.anisotropy",
        "-exponents.directions[:, self.channel] * self.anisotropy",
        (f"{DENSITIES}::test_the_density_of_heat_has_the_mean_of_the_first_law",),
    ),
    Mutation(
        "sign of the torque's power in a write",
        "switching/averages.py",
        'np.einsum("ij,ij->i", velocity, turning)',
        '-np.einsum("ij,ij->i", velocity, turning)',
        (
            "test_switching_energy.py::test_entropy_production_of_a_write_is_that_of_the_irreversible_currents",
        ),
    ),
    Mutation(
        "twice the torque of a current",
        "materials/spin_torque.py",
        "self.polarisation / (2.0 * ELEMENTARY_CHARGE)",
        "self.polarisation / (1.0 * ELEMENTARY_CHARGE)",
        ("test_materials.py::test_the_torque_field_by_hand",),
    ),
    Mutation(
        "induction taken for a field in SI",
        "materials/scales.py",
        "return self.induction / VACUUM_PERMEABILITY",
        "return self.induction",
        ("test_materials.py::test_scales_by_hand",),
    ),
    Mutation(
        "torque left out of the steady law of one axis",
        "trajectories/steady.py",
        "value = value + push * amplitude * item.strength * whole",
        "value = value - push * amplitude * item.strength * whole",
        ("test_steady_start.py::test_the_law_of_one_axis_is_normalised_as_a_quadrature",),
    ),
    Mutation(
        "the field's turn away from the polariser (phase diagrams)",
        "fokker_planck/plane.py",
        "np.cos(angle)[:, None] * start + across",
        "np.cos(angle)[:, None] * start - across",
        (
            "test_phase_diagram_real_magnets.py::test_a_tilted_magnet_against_a_generator_of_its_own",
        ),
    ),
    Mutation(
        "Jacobian of the squeeze without its change of the rapidity (exact-ft)",
        "kernels/local_reversible.py",
        "gain * (scale * scale * ((1.0 - kappa) / (1.0 + kappa)))",
        "gain * (scale * scale)",
        ("test_exact_fluctuation_real_magnets.py::test_detailed_theorem_path_by_path",),
    ),
    Mutation(
        "weight of the tilted noise of real magnets five per cent off",
        "kernels/local_weighted.py",
        "lanes[LOG_WEIGHT + i] += log_weight",
        "lanes[LOG_WEIGHT + i] += 1.05 * log_weight",
        (
            "test_rare_events_real_magnets.py::test_weights_are_exact_for_coarse_steps_and_any_control",
        ),
    ),
    Mutation(
        "sign of the detailed theorem",
        "fokker_planck/theorems.py",
        "q * np.exp(x) / p",
        "q * np.exp(-x) / p",
        ("test_functional_density.py",),
    ),
)


def main() -> int:
    """Run the mutations that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="*", help="parts of names; all mutations if none")
    parser.add_argument("--write", type=Path, help="write the table to this file too")
    arguments = parser.parse_args()
    chosen = [
        m for m in MUTATIONS if not arguments.name or any(n in m.name for n in arguments.name)
    ]
    rows = []
    for mutation in chosen:
        caught = run(mutation)
        rows.append((mutation, caught))
        print(
            f"{'caught' if caught else 'NOT CAUGHT':<11}{len(caught):>3}  {mutation.name}",
            flush=True,
        )
    if arguments.write:
        before = arguments.write.read_text("utf-8") if arguments.write.exists() else ""
        arguments.write.write_text(table(rows, before), encoding="utf-8")
    return 0 if all(caught for _, caught in rows) else 1


def run(mutation: Mutation) -> list[str]:
    """Return the tests that fail when the mutation is in place."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "src", copy / "src")
        shutil.copytree(ROOT / "tests", copy / "tests")
        shutil.copy(ROOT / "pyproject.toml", copy)
        path = copy / PACKAGE / mutation.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutation.right) < 1:
            raise SystemExit(f"{mutation.name}: {mutation.file} no longer holds\n{mutation.right}")
        path.write_text(text.replace(mutation.right, mutation.wrong), encoding="utf-8")
        return failures(copy, mutation.tests)


def failures(copy: Path, tests: tuple[str, ...]) -> list[str]:
    """Run test files against the copied sources and list the failing tests."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy / "src"),
        "SPINTHERM_CACHE_DIR": str(copy / "cache"),
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--no-header",
        "--tb=no",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, *(f"tests/{name}" for name in tests)],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout + done.stderr)
    return re.findall(r"^(?:FAILED|ERROR) tests/\S+::(\S+)", done.stdout, flags=re.MULTILINE)


def table(rows: list[tuple[Mutation, list[str]]], before: str = "") -> str:
    """The table as Markdown; mutations that were not run keep their line of `before`."""
    found = dict(re.findall(r"^\| (.+?) \|( `.*)$", before, flags=re.MULTILINE))
    lines = [
        "# What happens when the physics is broken",
        "",
        "Written by `make mutations`: a line of the code was broken as said, and the tests named",
        "failed (at most six are listed).",
        "",
        "| broken | in | caught by |",
        "|---|---|---|",
    ]
    for mutation, caught in rows:
        names = list(dict.fromkeys(re.sub(r"\[.*", "", name) for name in caught))
        listed = ", ".join(f"`{name}`" for name in names[:6]) or "**nothing**"
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        found[mutation.name] = f" `{mutation.file}` | {listed}{more} |"
    lines += [f"| {m.name} |{found[m.name]}" for m in MUTATIONS if m.name in found]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
