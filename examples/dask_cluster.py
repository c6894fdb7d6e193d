"""A study on a Dask cluster whose workers come and go; here four processes of this machine.

    python examples/dask_cluster.py

On a real cluster the scheduler is started once (`dask scheduler`), workers wherever there is room
(`dask worker tcp://HOST:8786 --nthreads 1`), and the study is run with
`spintherm run study.toml --out DIR --scheduler tcp://HOST:8786`. Takes half a minute.
"""

from spintherm import Magnet, Protocol, Ramp, Triangle, sweep

MAGNET = Magnet(moment=3**0.5, gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)
PROTOCOL = Protocol(1.0, Ramp((0, 0, 1), (0, 0, -1), 1.0), Triangle((0, 1, 1), 1.0))


def main() -> None:
    result = sweep(
        MAGNET,
        PROTOCOL,
        {"magnet.temperature": [0.5, 1.0, 2.0], "magnet.damping": [0.1, 0.5]},
        trajectories=100_000,
        seed=1,
        workers=4,
        progress=True,
    )
    produced = result["mean"].sel(functional="entropy_production")
    errors = result["mean_error"].sel(functional="entropy_production")
    for place in produced.stack(point=produced.dims).point.values:
        here = dict(zip(produced.dims, place, strict=True))
        words = ", ".join(f"{name} {value:g}" for name, value in here.items())
        print(f"{words}: {float(produced.sel(here)):.4f} ± {float(errors.sel(here)):.4f}")


if __name__ == "__main__":  # workers import this file
    main()
