//! The gamma function and the gamma and chi-square distributions.

use super::stirling::{log_excess, stirling_error};
use super::temme;
use std::f64::consts::TAU;

/// Natural logarithm of the gamma function of `x > 0`; NaN elsewhere.
///
/// Relative error below 10⁻¹⁵, also close to the zeros at 1 and 2.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    if x > 0.0 { libm::lgamma(x) } else { f64::NAN }
}

/// Regularised upper incomplete gamma function Q(a, x) for finite `a > 0` and `x >= 0`; NaN elsewhere.
///
/// Relative error below 10⁻¹², however small the value, for a up to 10⁶.
#[must_use]
pub fn gamma_upper(a: f64, x: f64) -> f64 {
    let [_, upper] = tails(a, x);
    upper
}

/// Regularised lower incomplete gamma function P(a, x) = 1 − Q(a, x) for finite `a > 0` and `x >= 0`; NaN
/// elsewhere.
///
/// As accurate as [`gamma_upper`].
#[must_use]
pub fn gamma_lower(a: f64, x: f64) -> f64 {
    let [lower, _] = tails(a, x);
    lower
}

/// Upper tail of the chi-square distribution with `degrees` degrees of freedom, P(X > x).
///
/// Relative error below 10⁻¹², however small the tail, for up to 10⁶ degrees of freedom. The tail beyond a
/// negative number, which rounding can make of zero, is 1.
#[must_use]
pub fn chi_square_upper(x: f64, degrees: f64) -> f64 {
    gamma_upper(degrees / 2.0, if x < 0.0 { 0.0 } else { x / 2.0 })
}

/// P(a, x) and Q(a, x), the smaller of the two with its own digits.
fn tails(a: f64, x: f64) -> [f64; 2] {
    if !(a > 0.0 && a.is_finite() && x >= 0.0) {
        return [f64::NAN; 2];
    }
    let tails = if x == 0.0 {
        [0.0, 1.0]
    } else if x.is_infinite() {
        [1.0, 0.0]
    } else if temme::covers(a, x) {
        temme::tails(a, x)
    } else if a < 1.0 && x < 1.5 {
        tails_of_small(a, x)
    } else if x < a + 1.0 {
        let lower = term(a, x) * lower_series(a, x);
        [lower, 1.0 - lower]
    } else {
        // x^a e^-x / Γ(a) = a x^a e^-x / Γ(a + 1), zero beyond the range of f64, where the fraction has no say.
        let density = a * term(a, x);
        let upper = if density > 0.0 { density * upper_fraction(a, x) } else { 0.0 };
        [1.0 - upper, upper]
    };
    // Rounding may have put what is next to 0 or 1 beyond it.
    tails.map(|tail| tail.clamp(0.0, 1.0))
}

/// x^a e^−x / Γ(a + 1): the probability of a events where x are expected.
fn term(a: f64, x: f64) -> f64 {
    if a < 1.0 {
        (a * x.ln() - x - ln_gamma_1p(a)).exp()
    } else {
        // Loader, Fast and accurate computation of binomial probabilities (2000): the large parts of the
        // logarithms cancel before they are computed.
        (-a * log_excess((x - a) / a, x / a) - stirling_error(a)).exp() / (TAU * a).sqrt()
    }
}

/// 1 + x/(a+1) + x²/((a+1)(a+2)) + ..., DLMF 8.11.4. All terms are positive.
fn lower_series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut denominator) = (1.0, 1.0, a);
    while term > f64::EPSILON / 4.0 * sum {
        denominator += 1.0;
        term *= x / denominator;
        sum += term;
    }
    sum
}

/// Γ(a, x) x^−a e^x by the continued fraction of Legendre (DLMF 8.9.2, contracted) for x > a + 1, evaluated by
/// Lentz's method (Thompson and Barnett, Journal of Computational Physics 64 (1986), 490).
#[expect(clippy::many_single_char_names, reason = "the names of the formula")]
fn upper_fraction(a: f64, x: f64) -> f64 {
    let mut denominator = x + 1.0 - a;
    let mut d = 1.0 / denominator;
    let mut c = f64::INFINITY;
    let mut fraction = d;
    let mut n = 0.0;
    // Within 80 steps where Temme's expansion does not reach; the bound only says that it ends.
    while n < 1000.0 {
        n += 1.0;
        let numerator = n * (a - n);
        denominator += 2.0;
        d = 1.0 / (numerator * d + denominator);
        c = denominator + numerator / c;
        let factor = c * d;
        fraction *= factor;
        if (factor - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}

/// Both tails for `a < 1, x < 1.5`, where Q, which vanishes with a, must not be taken as 1 − P.
///
/// Q = (1 − x^a/Γ(1+a)) − x^a/Γ(1+a) · Σ a(−x)^k / ((a+k) k!): Gautschi, ACM Transactions on Mathematical
/// Software 5 (1979), 466, section 4.
fn tails_of_small(a: f64, x: f64) -> [f64; 2] {
    let logarithm = a * x.ln() - ln_gamma_1p(a);
    let (mut sum, mut power, mut k) = (0.0_f64, 1.0_f64, 0.0);
    while power.abs() > f64::EPSILON / 4.0 * x {
        k += 1.0;
        power *= -x / k;
        sum += a * power / (a + k);
    }
    let upper = -logarithm.exp_m1() - logarithm.exp() * sum;
    [logarithm.exp() * (1.0 + sum), upper]
}

/// ln Γ(1 + a) for 0 < a < 1, with its digits also where it vanishes with a.
///
/// Abramowitz and Stegun 6.1.33: ln Γ(1 + a) = −ln(1 + a) + a (1 − γ) + Σ (−1)^k (ζ(k) − 1) a^k / k. Summed only
/// to a = 0.1; above, 1 + a is rounded by less than the function's own rounding.
fn ln_gamma_1p(a: f64) -> f64 {
    if a > 0.1 {
        return libm::lgamma(1.0 + a);
    }
    let series = ZETA_LESS_ONE_OVER_K.iter().rfold(0.0, |sum, zeta| zeta - a * sum);
    a * (ONE_LESS_EULER + a * series) - a.ln_1p()
}

/// (ζ(k) − 1) / k for k = 2, 3, ...
#[expect(clippy::unreadable_literal, reason = "digits to be compared with other tables, not to be read")]
const ZETA_LESS_ONE_OVER_K: [f64; 10] = [
    0.3224670334241132,
    0.0673523010531981,
    0.020580808427784546,
    0.007385551028673986,
    0.0028905103307415234,
    0.001192753911703261,
    0.0005096695247430425,
    0.00022315475845357939,
    9.945751278180853e-05,
    4.492623673813314e-05,
];

/// 1 − γ.
const ONE_LESS_EULER: f64 = 0.422_784_335_098_467_14;

#[cfg(test)]
mod tests {
    use super::{chi_square_upper, gamma_lower, gamma_upper, ln_gamma_1p};

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-13 * expected.abs(), "{found:e} is not {expected:e}");
    }

    #[test]
    fn with_a_whole_shape_the_upper_tail_is_a_sum_of_poisson_terms() {
        for x in [0.1_f64, 1.0, 3.0, 3.9, 4.0, 4.1, 7.0, 30.0, 600.0] {
            assert_close(gamma_upper(1.0, x), (-x).exp());
            assert_close(gamma_upper(3.0, x), (-x).exp() * (1.0 + x + x * x / 2.0));
        }
    }

    #[test]
    fn the_tails_add_up_to_one_by_whatever_method() {
        for a in [1e-9, 0.3, 0.999, 1.0, 7.5, 19.9, 20.0, 1e3, 1e6, 1e12] {
            for share in [1e-3, 0.59, 0.61, 0.9, 1.0, 1.05, 1.39, 1.41, 3.0] {
                let x = a * share;
                let sum = gamma_lower(a, x) + gamma_upper(a, x);
                assert!((sum - 1.0).abs() < 1e-14, "{a} {x}");
            }
        }
    }

    #[test]
    fn where_two_methods_meet_they_agree() {
        for (below, above) in
            [([19.999_999_999_999_996, 21.0], [20.0, 21.0]), ([30.0, 42.0_f64.next_down()], [30.0, 42.0])]
        {
            let [below, above] = [below, above].map(|[a, x]| gamma_upper(a, x));
            assert!((below - above).abs() < 1e-13 * above);
        }
    }

    #[test]
    fn the_logarithm_of_gamma_keeps_its_digits_towards_zero() {
        assert_close(ln_gamma_1p(1e-18), -0.577_215_664_901_532_9e-18);
        assert_close(ln_gamma_1p(0.1), libm::lgamma(1.1));
    }

    #[test]
    fn what_has_no_value_is_not_a_number_and_what_has_one_never_is_none() {
        for [a, x] in
            [[0.0, 1.0], [-1.0, 1.0], [f64::NAN, 1.0], [1.0, f64::NAN], [1.0, -1.0], [f64::INFINITY, 1.0]]
        {
            assert!(gamma_upper(a, x).is_nan() && gamma_lower(a, x).is_nan());
        }
        assert!(chi_square_upper(f64::NAN, 1.0).is_nan());
        let positive = [5e-324, 1e-300, 1e-9, 0.5, 1.0, 20.0, 1e9, 1e300, f64::MAX];
        for a in positive {
            for x in positive.into_iter().chain([0.0, f64::INFINITY]) {
                assert!((0.0..=1.0).contains(&gamma_upper(a, x)), "{a} {x}");
                assert!((0.0..=1.0).contains(&gamma_lower(a, x)), "{a} {x}");
            }
        }
    }

    #[test]
    fn a_statistic_that_rounding_made_negative_is_no_evidence() {
        assert_eq!(chi_square_upper(-1e-17, 3.0).to_bits(), 1.0_f64.to_bits());
    }
}
