"""Statistics against closed forms, against scipy, and against their own scatter.

Random tests have fixed seeds. A calibration test compares the mean and the standard deviation of
R z-scores with 0 and 1 at four standard errors, 4/sqrt(R) and 4/sqrt(2 R): with another seed a
right code would fail each with a probability of about 1e-4.
"""

import math

import numpy as np
import pytest

from spintherm import statistics as st


def assert_calibrated(z, *, mean=0.0):
    z = np.asarray(z)
    assert abs(z.mean() - mean) < 4.0 / math.sqrt(z.size)
    assert abs(z.std(ddof=1) - 1.0) < 4.0 / math.sqrt(2.0 * z.size)


# estimates


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.00031, 0.00123, "1.0003 ± 0.0012"),
        (-0.5, 0.25, "-0.50 ± 0.25"),
        (12345.6, 120.0, "12346 ± 120"),
        (1.2345e-9, 5.6e-11, "(1.234 ± 0.056)e-09"),
        (0.0, 0.012, "0.000 ± 0.012"),
        (3.0, math.inf, "3 ± inf"),
        (1.0, 0.0, "1 ± 0"),
    ],
)
def test_estimate_prints_two_digits_of_its_error(value, error, text):
    assert str(st.Estimate(value, error)) == text


def test_deviation_counts_standard_errors_with_sign():
    assert st.Estimate(1.3, 0.1).deviation(1.0) == pytest.approx(3.0)
    assert st.Estimate(0.8, 0.1).deviation(1.0) == pytest.approx(-2.0)
    assert st.Estimate(1.0, math.inf).deviation(5.0) == 0.0
    assert st.Estimate(1.0, 0.0).deviation(1.0) == 0.0
    assert st.Estimate(1.0, 0.0).deviation(2.0) == -math.inf


def test_mean_and_variance_of_three_chunks_match_numpy():
    x = 1e3 + np.random.default_rng(1).normal(size=70_000)
    m, v = st.mean(x), st.variance(x)
    assert m.value == pytest.approx(x.mean(), rel=1e-13)
    assert m.error == pytest.approx(x.std(ddof=1) / math.sqrt(x.size), rel=1e-10)
    assert v.value == pytest.approx(x.var(ddof=1), rel=1e-10)
    assert v.error == pytest.approx(math.sqrt(2.0 / x.size), rel=0.05)  # of a normal variable


def test_mean_and_variance_have_honest_errors_for_a_skewed_law():
    rng = np.random.default_rng(2)
    draws = rng.gamma(4.0, size=(400, 4000))  # mean 4, variance 4, excess kurtosis 1.5
    assert_calibrated([st.mean(x).deviation(4.0) for x in draws])
    errors = [st.variance(x).error for x in draws]
    assert np.mean(errors) == pytest.approx(4.0 * math.sqrt((2.0 + 1.5) / 4000), rel=0.02)
    assert_calibrated([st.variance(x).deviation(4.0) for x in draws])


def test_combination_weights_by_inverse_variance():
    both = st.combine([st.Estimate(1.0, 1.0), st.Estimate(4.0, 2.0), st.Estimate(9.0, math.inf)])
    assert both.value == pytest.approx(1.6)
    assert both.error == pytest.approx(math.sqrt(0.8))
    with pytest.raises(ValueError, match=r"estimates=.*errors > 0"):
        st.combine([st.Estimate(1.0, 0.0)])
    with pytest.raises(ValueError, match="finite"):
        st.combine([st.Estimate(1.0, math.inf)])


@pytest.mark.parametrize("bad", [[1.0], [[1.0, 2.0]], [1.0, math.nan]])
def test_samples_are_checked(bad):
    with pytest.raises(ValueError, match="samples="):
        st.mean(bad)


# exponential averages


def test_exponential_average_of_a_normal_variable_is_calibrated():
    rng = np.random.default_rng(3)
    averages = [st.exponential_average(rng.normal(0.1, math.sqrt(0.2), 4000)) for _ in range(400)]
    assert not any(average.dominated for average in averages)
    assert_calibrated([(a.value - 1.0) / a.standard_error for a in averages])
    effective = np.mean([average.effective_samples for average in averages])
    assert effective == pytest.approx(4000 * math.exp(-0.2), rel=0.01)  # <w>²/<w²> of a lognormal


def test_exponential_average_survives_any_shift():
    x = np.random.default_rng(4).exponential(size=1000)
    here, far = st.exponential_average(x), st.exponential_average(x + 700.0)
    assert far.value == pytest.approx(here.value * math.exp(-700.0), rel=1e-12)
    assert far.standard_error == pytest.approx(here.standard_error * math.exp(-700.0), rel=1e-10)
    assert far.effective_samples == pytest.approx(here.effective_samples)
    assert st.exponential_average(x - 5000.0).value == math.inf


def test_exponential_average_counts_effective_samples_and_the_largest_share():
    x = -np.log(np.r_[6.0, np.ones(94)])
    average = st.exponential_average(x)
    assert average.value == pytest.approx(100.0 / 95.0)
    assert average.effective_samples == pytest.approx(100.0**2 / (36.0 + 94.0))
    assert average.largest_share == pytest.approx(0.06)


def test_exponential_average_of_equal_samples_is_exact():
    average = st.exponential_average(np.zeros(1000))
    assert (average.value, average.standard_error, average.upper_error) == (1.0, 0.0, 0.0)
    assert not average.dominated
    assert average.deviation(1.0) == 0.0


@pytest.mark.parametrize("index", [0.3, 0.6])
def test_tail_index_of_a_pareto_law_is_found(index):
    x = -np.random.default_rng(5).exponential(index, size=200_000)  # P(w > u) = u^(-1/index)
    assert st.exponential_average(x).tail_index == pytest.approx(index, abs=0.12)


@pytest.mark.parametrize(("mean", "samples"), [(3.0, 3000), (5.0, 10_000), (8.0, 1000)])
def test_domination_is_flagged_and_does_not_accuse(mean, samples):
    rng = np.random.default_rng(6)
    averages = [
        st.exponential_average(rng.normal(mean, math.sqrt(2.0 * mean), samples)) for _ in range(200)
    ]
    naive = np.array([(a.value - 1.0) / a.standard_error for a in averages])
    honest = np.array([a.deviation(1.0) for a in averages])
    assert np.mean(np.abs(naive) > 4.0) > 0.01  # the plain error accuses a true theorem
    assert np.mean(np.abs(honest) > 4.0) <= 0.01  # at most 2 of 200
    assert np.mean([a.dominated for a in averages]) > 0.95
    assert "dominated by few" in str(averages[0])


def test_too_few_samples_bound_the_average_from_below_only():
    average = st.exponential_average(np.linspace(0.0, 1.0, 10))
    assert math.isnan(average.tail_index)
    assert average.estimate.error == math.inf
    assert average.deviation(0.0) > 0.0 == average.deviation(10.0)


# logistic regression


def _two_samples(rng, sizes, slope, intercept_shift=0.0):
    """Return samples whose log density ratio is slope.(x + shift), in two correlated columns."""
    covariance = np.array([[1.0, 0.3], [0.3, 0.5]])
    centre = covariance @ np.asarray(slope) / 2.0
    root = np.linalg.cholesky(covariance)
    draws = [rng.normal(size=(n, 2)) @ root.T for n in sizes]
    positive, negative = draws[0] + centre, draws[1] - centre
    return (positive - intercept_shift).T.copy(), (negative - intercept_shift).T.copy()


def test_logistic_regression_matches_a_general_minimiser():
    from scipy.optimize import minimize

    positive, negative = _two_samples(np.random.default_rng(7), (700, 300), (0.8, -1.5))
    fit = st.logistic_regression(positive, negative)

    def loss(theta):
        offset = math.log(7.0 / 3.0) + theta[0]
        return (
            np.logaddexp(0.0, -offset - theta[1:] @ positive).sum()
            + np.logaddexp(0.0, offset + theta[1:] @ negative).sum()
        )

    found = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-6})
    np.testing.assert_allclose(fit.coefficients, found.x, atol=1e-6)
    # the curvature by differences, less the variance of sample sizes that were chosen
    step, curvature = 1e-3, np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            a, b = step * np.eye(3)[i], step * np.eye(3)[j]
            x = fit.coefficients
            curvature[i, j] = loss(x + a + b) - loss(x + a - b) - loss(x - a + b) + loss(x - a - b)
    expected = np.linalg.inv(curvature / (4.0 * step**2))
    expected[0, 0] -= 1.0 / 700 + 1.0 / 300
    np.testing.assert_allclose(fit.covariance, expected, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("robust", [False, True])
def test_logistic_regression_is_calibrated_for_unequal_sample_sizes(robust):
    rng = np.random.default_rng(8)
    fits = []
    for _ in range(400):
        positive, negative = _two_samples(rng, (3000, 1000), (0.8, -1.5), 0.4)
        fits.append(st.logistic_regression(positive, negative, robust=robust))
    expected = np.array([0.4 * (0.8 - 1.5), 0.8, -1.5])
    for index in range(3):
        assert_calibrated([fit.estimate(index).deviation(expected[index]) for fit in fits])
    chi = [fit.wald(expected).value for fit in fits]
    assert np.mean(chi) == pytest.approx(3.0, abs=4.0 * math.sqrt(6.0 / 400))


@pytest.mark.parametrize(
    "start", [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [50.0, -80.0, 300.0], [0, 1e6, 0]]
)
def test_logistic_regression_converges_from_any_start(start):
    positive, negative = _two_samples(np.random.default_rng(9), (40_000, 50_000), (1.0, 1.0))
    fit = st.logistic_regression(positive, negative, start=start)
    reference = st.logistic_regression(positive, negative)
    np.testing.assert_allclose(fit.coefficients, reference.coefficients, atol=1e-7)
    np.testing.assert_allclose(fit.covariance, reference.covariance, rtol=1e-4)
    assert fit.evaluations <= 12


def test_few_passes_are_enough_from_the_right_answer():
    positive, negative = _two_samples(np.random.default_rng(10), (40_000, 50_000), (1.0, 1.0))
    assert st.logistic_regression(positive, negative, start=[0.0, 1.0, 1.0]).evaluations <= 3


def test_nearly_separated_samples_converge_by_halving():
    x, y = np.r_[np.linspace(1.0, 2.0, 50), -0.1], np.r_[np.linspace(-2.0, -1.0, 50), 0.1]
    fit = st.logistic_regression([x], [y], start=[0.0, 30.0])
    score = np.sum(x / (1.0 + np.exp(fit.coefficients[1] * x)))
    score -= np.sum(y / (1.0 + np.exp(-fit.coefficients[1] * y)))
    assert fit.coefficients[0] == pytest.approx(0.0, abs=1e-6)
    assert score == pytest.approx(0.0, abs=1e-4)


def test_known_offset_takes_the_place_of_a_slope():
    positive, negative = _two_samples(np.random.default_rng(11), (2000, 1500), (1.0, 1.0))
    free = st.logistic_regression([positive[0]], [negative[0]])
    slope = free.coefficients[1]
    fixed = st.logistic_regression([], [], offset=(slope * positive[0], slope * negative[0]))
    assert fixed.coefficients[0] == pytest.approx(free.coefficients[0], abs=1e-6)


def test_overlap_is_one_for_equal_densities():
    x = np.random.default_rng(12).normal(size=(2, 10_000))
    assert st.logistic_regression([x[0]], [x[1]]).overlap == pytest.approx(1.0, abs=0.01)
    assert st.logistic_regression([x[0] + 3.0], [x[1]]).overlap < 0.3


def test_robust_errors_hold_where_the_model_does_not():
    rng = np.random.default_rng(13)  # a narrow and a wide normal law: a parabola, not a line
    x, y = rng.normal(2.0, 0.2, 2_000_000), rng.normal(0.0, 2.0, 2_000_000)
    truth = st.logistic_regression([x], [y]).coefficients[1]
    z = [[], []]
    for k in range(300):
        for scores, robust in zip(z, (False, True), strict=True):
            part = slice(2000 * k, 2000 * (k + 1))
            fit = st.logistic_regression([x[part]], [y[part]], robust=robust)
            scores.append(fit.estimate(1).deviation(truth))
    assert_calibrated(z[1])
    assert abs(np.std(z[0]) - 1.0) > 4.0 / math.sqrt(600)  # the model promises the wrong error


def test_separable_samples_have_no_slope():
    with pytest.raises(ValueError, match="separates them completely"):
        st.logistic_regression([np.array([1.0, 2.0, 3.0])], [np.array([0.0, 0.5, -1.0])])


@pytest.mark.parametrize("second", [lambda x: 0.0 * x + 2.0, lambda x: 3.0 * x - 1.0])
def test_constant_and_collinear_features_are_refused(second):
    x, y = np.random.default_rng(14).normal(size=(2, 100))
    with pytest.raises(ValueError, match="drop a column"):
        st.logistic_regression([x, second(x)], [y, second(y)])


def test_logistic_regression_names_bad_input():
    x = np.arange(4.0)
    with pytest.raises(ValueError, match=r"negative=1: expected 2 columns"):
        st.logistic_regression([x, x], [x])
    with pytest.raises(ValueError, match=r"positive=.*columns of shape"):
        st.logistic_regression([x, x[:3]], [x, x])
    with pytest.raises(ValueError, match=r"negative\[0\]=.*finite"):
        st.logistic_regression([x], [np.full(4, np.nan)])
    with pytest.raises(ValueError, match=r"start=.*2 numbers"):
        st.logistic_regression([x], [x], start=[0.0])
    with pytest.raises(ValueError, match="at least one column"):
        st.logistic_regression([], [])


# lines, histograms, significance


def test_straight_line_matches_polyfit_and_is_calibrated():
    rng = np.random.default_rng(15)
    x, error = np.linspace(-1.0, 4.0, 12), rng.uniform(0.1, 1.0, 12)
    y = 0.7 - 1.3 * x + error * rng.normal(size=(400, 12))
    line = st.straight_line(x, y[0], error)
    slope_first, covariance = np.polyfit(x, y[0], 1, w=1.0 / error, cov="unscaled")
    assert (line.slope.value, line.intercept.value) == pytest.approx(tuple(slope_first))
    np.testing.assert_allclose(line.covariance, covariance[::-1, ::-1])
    lines = [st.straight_line(x, row, error) for row in y]
    assert_calibrated([line.slope.deviation(-1.3) for line in lines])
    assert_calibrated([line.intercept.deviation(0.7) for line in lines])
    chi = np.mean([line.residual.value for line in lines])
    assert chi == pytest.approx(10.0, abs=4.0 * math.sqrt(20.0 / 400))
    chi = np.mean([line.wald(0.7, -1.3).value for line in lines])
    assert chi == pytest.approx(2.0, abs=4.0 * math.sqrt(4.0 / 400))


def test_straight_line_refuses_what_it_cannot_fit():
    with pytest.raises(ValueError, match="x="):
        st.straight_line([0.0, 1.0], [0.0, 1.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="errors > 0"):
        st.straight_line([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [1.0, 0.0, 1.0])
    with pytest.raises(ValueError, match="one shape"):
        st.straight_line([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], np.ones(4))


def test_histogram_counts_and_estimates_the_density():
    x = np.random.default_rng(16).normal(size=100_000)
    edges = np.array([-3.0, -1.0, -0.5, 0.0, 0.1, 2.0])
    found = st.histogram(x, edges)
    np.testing.assert_array_equal(found.counts, np.histogram(x, edges)[0])
    np.testing.assert_allclose(found.centres, [-2.0, -0.75, -0.25, 0.05, 1.05])
    assert np.sum(found.density * np.diff(edges)) == pytest.approx(np.mean((x > -3) & (x < 2)))


def test_histogram_has_binomial_errors():
    rng = np.random.default_rng(17)
    z = []
    for _ in range(400):
        found = st.histogram(rng.random(2000), [0.0, 0.7, 1.5])
        z.append((found.density[0] - 1.0) / found.error[0])
    assert_calibrated(z)
    assert st.histogram([0.5, 0.6], [0.0, 0.4, 2.4]).error.tolist() == pytest.approx([1.25, 0.0])
    with pytest.raises(ValueError, match="increasing"):
        st.histogram([0.5], [0.0, 0.0])


def test_binned_sums_mirror_and_weigh():
    x = np.array([0.5, 1.5, 1.6, -0.5, 7.0])
    counts, squares = st.binned_sums(x, np.array([0.0, 1.0, 2.0]), lambda part: [x[part] ** 2])
    assert counts.tolist() == [1.0, 2.0]
    assert squares.tolist() == pytest.approx([0.25, 1.5**2 + 1.6**2])
    assert st.binned_sums(x, np.array([0.0, 1.0]), sign=-1.0).tolist() == [[1.0]]


@pytest.mark.parametrize("chi_squared", [0.0, 0.3, 4.0, 900.0, 1e5, 1e9])
def test_one_degree_of_freedom_is_a_normal_deviation(chi_squared):
    assert st.normal_z(chi_squared, 1) == pytest.approx(math.sqrt(chi_squared), abs=1e-9, rel=1e-9)


@pytest.mark.parametrize(
    ("chi_squared", "freedom"),
    [(2.0, 2), (30.0, 2), (1e4, 2), (1e6, 2), (50.0, 40), (900.0, 40), (40.0, 300), (1500.0, 300)],
)
def test_normal_z_has_the_probability_of_chi_squared(chi_squared, freedom):
    from scipy import stats

    exact = freedom == 2
    log_probability = -0.5 * chi_squared if exact else stats.chi2.logsf(chi_squared, freedom)
    z = st.normal_z(chi_squared, freedom)
    assert stats.norm.logsf(z) + math.log(2.0) == pytest.approx(
        log_probability, rel=1e-8, abs=1e-12
    )


def test_normal_z_is_smooth_where_probabilities_underflow():
    z = [st.normal_z(x, 80) for x in np.linspace(1000.0, 1300.0, 301)]
    assert np.max(np.abs(np.diff(z, 2))) < 1e-3 * np.mean(np.diff(z))


def test_normal_z_refuses_nonsense():
    with pytest.raises(ValueError, match="chi_squared=-1"):
        st.normal_z(-1.0, 2)
    with pytest.raises(ValueError, match="degrees_of_freedom=0"):
        st.normal_z(1.0, 0)
    assert st.normal_z(math.inf, 3) == math.inf


def test_wald_weighs_with_the_covariance():
    covariance = np.array([[4.0, 1.0], [1.0, 2.0]])
    found = st.wald(np.array([2.0, -1.0]), covariance)
    assert found.value == pytest.approx((2.0 * 4.0 + 2.0 * 2.0 + 4.0 * 1.0) / 7.0)
    assert "for 2 (z = " in str(found)
