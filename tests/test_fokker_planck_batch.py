"""Steady states over arrays."""

import numpy as np
import pytest

from spintherm import Magnet
from spintherm.fokker_planck import (
    ResolutionError,
    batch,
    steady_rates,
    steady_state,
    steady_states,
)

MAGNET = Magnet(moment=0.7, gyromagnetic_ratio=1.4, damping=0.3, temperature=2.3)
RNG = np.random.default_rng(3)
FIELDS = 4.0 * RNG.normal(size=(3, 1, 3))
TORQUES = np.concatenate([RNG.normal(size=(3, 3)), [[0.0, 0.0, 0.0]]])


def test_states_are_those_of_single_calls():
    data = steady_states(MAGNET, FIELDS, TORQUES)
    assert data.sizes["point_0"] == 3
    assert data.sizes["point_1"] == 4
    for i in range(3):
        for j in range(4):
            state = steady_state(MAGNET, FIELDS[i, 0], TORQUES[j])
            here = data.isel(point_0=i, point_1=j)
            for name in ("pumped_entropy_rate", "heat_noise", "uncertainty_ratio", "tail"):
                np.testing.assert_array_equal(here[name], getattr(state, name))
            np.testing.assert_array_equal(here.mean_moment, state.mean_moment)
            np.testing.assert_array_equal(here.field, FIELDS[i, 0])
            assert here.phase == state.phase
    assert data.pumped_entropy_noise.attrs["units"]


def test_rates_without_noise():
    pumped, bath = steady_rates(MAGNET, FIELDS, TORQUES)
    data = steady_states(MAGNET, FIELDS, TORQUES)
    np.testing.assert_allclose(pumped, data.pumped_entropy_rate, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(bath, data.bath_entropy_rate, rtol=1e-9, atol=1e-13)
    assert steady_rates(MAGNET, FIELDS[0, 0], TORQUES[0])[0].shape == ()
    assert steady_rates(MAGNET, np.empty((0, 3)), TORQUES[0])[0].shape == (0,)


def test_workers_change_nothing(monkeypatch):
    monkeypatch.setattr(batch, "BLOCK", 3)
    seen = []
    alone = steady_rates(MAGNET, FIELDS, TORQUES, workers=1)
    shared = steady_rates(
        MAGNET, FIELDS, TORQUES, workers=2, progress=lambda *state: seen.append(state)
    )
    np.testing.assert_array_equal(alone, shared)
    assert seen == [(3, 12), (6, 12), (9, 12), (12, 12)]


def test_errors_of_workers_arrive(monkeypatch):
    monkeypatch.setattr(batch, "BLOCK", 1)
    with pytest.raises(ResolutionError, match="limit"):
        steady_rates(MAGNET, [(0, 0, 1e9), (0, 0, 1.0)], (1e8, 0, 0), workers=2)


def test_bad_arguments():
    with pytest.raises(ValueError, match="fields"):
        steady_rates(MAGNET, [[0, 0]], TORQUES)
    with pytest.raises(ValueError, match="workers"):
        steady_rates(MAGNET, FIELDS, TORQUES, workers=0)
    with pytest.raises(ValueError, match="temperature"):
        steady_states(Magnet(1.0, 1.0, 1.0, 0.0), FIELDS, TORQUES)
