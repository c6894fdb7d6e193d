"""The density engine: the Fokker-Planck equation solved in real spherical harmonics.

Rule of the folder: exact up to a truncation that is measured and reported; a problem that the
truncation cannot resolve is refused. Nothing here imports the trajectory engine or numba, so that
the two engines are independent witnesses.
"""
