//! What is left of logarithms when their large parts cancel: the parts that exact tails are made of.

/// μ − ln λ for λ = 1 + μ > 0, with all its digits also near zero, where the two cancel, and near λ = 0, where μ
/// has lost those of λ.
///
/// From ln(1 + μ) = 2 artanh(s) with s = μ / (2 + μ): μ − ln(1 + μ) = s (μ − 2s² (1/3 + s²/5 + s⁴/7 + ...)).
pub(crate) fn log_excess(mu: f64, lambda: f64) -> f64 {
    if mu.abs() > 0.4 {
        return mu - lambda.ln();
    }
    let s = mu / (2.0 + mu);
    let square = s * s;
    let series = INVERSE_ODD.iter().rfold(0.0, |sum, inverse| sum * square + inverse);
    s * (mu - 2.0 * square * series)
}

/// ln Γ(a + 1) − ((a + ½) ln a − a + ½ ln 2π) for `a > 0`: what Stirling's formula misses, about 1 / 12a.
///
/// The asymptotic series (DLMF 5.11.1) from 10 on, where its next term is below 10⁻¹⁶.
pub(crate) fn stirling_error(a: f64) -> f64 {
    if a < 10.0 {
        return libm::lgamma(a + 1.0) - ((a + 0.5) * a.ln() - a + HALF_LN_TAU);
    }
    let square = 1.0 / a / a;
    SERIES.iter().rfold(0.0, |sum, term| sum * square + term) / a
}

/// The series of artanh. Up to s = 0.25 what follows is below 2⁻⁵⁵ of the whole.
const INVERSE_ODD: [f64; 13] = [
    1.0 / 3.0,
    1.0 / 5.0,
    1.0 / 7.0,
    1.0 / 9.0,
    1.0 / 11.0,
    1.0 / 13.0,
    1.0 / 15.0,
    1.0 / 17.0,
    1.0 / 19.0,
    1.0 / 21.0,
    1.0 / 23.0,
    1.0 / 25.0,
    1.0 / 27.0,
];

/// The Bernoulli numbers of index 2k over 2k (2k − 1).
const SERIES: [f64; 7] =
    [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0, 1.0 / 156.0];

/// ½ ln 2π.
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;

#[cfg(test)]
mod tests {
    use super::{log_excess, stirling_error};

    #[test]
    fn near_zero_the_excess_is_half_the_square() {
        for mu in [1e-300, 1e-150, -1e-150, 1e-9, -1e-9] {
            let expected = mu * (mu / 2.0) * (1.0 - 2.0 * mu / 3.0);
            assert!((log_excess(mu, 1.0 + mu) - expected).abs() <= 1e-15 * expected, "{mu}");
        }
    }

    #[test]
    fn both_ways_to_the_same_number_agree_where_they_meet() {
        for mu in [0.4_f64, -0.4] {
            let (direct, series) = (mu - mu.ln_1p(), log_excess(mu, 1.0 + mu));
            assert!((direct - series).abs() <= 2e-15 * direct, "{mu}");
        }
        let (below, above) = (stirling_error(10.0_f64.next_down()), stirling_error(10.0));
        assert!((below - above).abs() < 1e-14);
    }
}
