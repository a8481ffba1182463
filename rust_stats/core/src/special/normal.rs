//! The standard normal distribution.

use std::f64::consts::FRAC_1_SQRT_2;

/// 1/√2 less its nearest `f64`.
const FRAC_1_SQRT_2_REST: f64 = -4.833_646_656_726_457e-17;

/// Upper tail of the standard normal distribution, P(Z > z).
///
/// Relative error below 10⁻¹⁵ for z up to 38, where the tail leaves the range of `f64`.
///
/// From the complementary error function: P(Z > z) = erfc(z/√2) / 2. The tail magnifies a relative error of
/// its argument z² times, so what rounding z/√2 takes away is put back to first order.
#[must_use]
pub fn normal_upper(z: f64) -> f64 {
    let y = z * FRAC_1_SQRT_2;
    let tail = libm::erfc(y) / 2.0;
    if y > 1.0 && tail > 0.0 {
        let rest = z.mul_add(FRAC_1_SQRT_2, -y) + z * FRAC_1_SQRT_2_REST;
        // The logarithm of the tail falls by 2y + 1/y + ... with each unit of y.
        tail * (1.0 - (2.0 * y + 1.0 / y) * rest)
    } else {
        tail
    }
}

/// The z with P(Z < z) = p of the standard normal distribution, for `0 <= p <= 1`; NaN elsewhere.
///
/// Relative error below 10⁻¹⁵ for the p given, which near ½ and near 1 holds fewer digits of z than near 0. Infinite for 0 and 1.
///
/// Wichura, algorithm AS 241, PPND16, Applied Statistics 37 (1988), 477.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let centred = p - 0.5;
    if centred.abs() <= 0.425 {
        return centred * ratio(&CENTRE, 0.180_625 - centred * centred);
    }
    let tail = p.min(1.0 - p);
    if tail == 0.0 {
        return f64::INFINITY.copysign(centred);
    }
    let root = (-tail.ln()).sqrt();
    let size = if root <= 5.0 { ratio(&NEAR, root - 1.6) } else { ratio(&FAR, root - 5.0) };
    size.copysign(centred)
}

/// The quotient of two polynomials, given by their coefficients from the constant on.
fn ratio([above, below]: &[[f64; 8]; 2], x: f64) -> f64 {
    let polynomial = |coefficients: &[f64; 8]| coefficients.iter().rfold(0.0, |sum, c| sum * x + c);
    polynomial(above) / polynomial(below)
}

#[expect(clippy::excessive_precision, clippy::unreadable_literal, reason = "as printed in the source")]
const CENTRE: [[f64; 8]; 2] = [
    [
        3.3871328727963666080,
        1.3314166789178437745e2,
        1.9715909503065514427e3,
        1.3731693765509461125e4,
        4.5921953931549871457e4,
        6.7265770927008700853e4,
        3.3430575583588128105e4,
        2.5090809287301226727e3,
    ],
    [
        1.0,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3,
    ],
];

#[expect(clippy::excessive_precision, clippy::unreadable_literal, reason = "as printed in the source")]
const NEAR: [[f64; 8]; 2] = [
    [
        1.42343711074968357734,
        4.63033784615654529590,
        5.76949722146069140550,
        3.64784832476320460504,
        1.27045825245236838258,
        2.41780725177450611770e-1,
        2.27238449892691845833e-2,
        7.74545014278341407640e-4,
    ],
    [
        1.0,
        2.05319162663775882187,
        1.67638483018380384940,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ],
];

#[expect(clippy::excessive_precision, clippy::unreadable_literal, reason = "as printed in the source")]
const FAR: [[f64; 8]; 2] = [
    [
        6.65790464350110377720,
        5.46378491116411436990,
        1.78482653991729133580,
        2.96560571828504891230e-1,
        2.65321895265761230930e-2,
        1.24266094738807843860e-3,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7,
    ],
    [
        1.0,
        5.99832206555887937690e-1,
        1.36929880922735805310e-1,
        1.48753612908506148525e-2,
        7.86869131145613259100e-4,
        1.84631831751005468180e-5,
        1.42151175831644588870e-7,
        2.04426310338993978564e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::{normal_quantile, normal_upper};

    #[test]
    fn a_quantile_leaves_its_tail() {
        for p in [1e-300, 1e-100, 1e-10, 0.001, 0.074, 0.076, 0.3, 0.5] {
            let z = normal_quantile(p);
            // The tail magnifies the rounding of z by z².
            assert!((normal_upper(-z) - p).abs() <= 1e-15 * p * (2.0 + z * z), "{p}");
        }
    }

    #[test]
    fn the_quantile_is_infinite_at_the_ends_and_nothing_beyond() {
        assert_eq!(
            [0.0, 1.0].map(normal_quantile).map(f64::to_bits),
            [f64::NEG_INFINITY, f64::INFINITY].map(f64::to_bits)
        );
        for p in [-1e-300, 1.0_f64.next_up(), f64::NAN, f64::INFINITY] {
            assert!(normal_quantile(p).is_nan());
        }
    }

    #[test]
    fn the_tails_have_limits() {
        let ends = [f64::INFINITY, 40.0, f64::NEG_INFINITY].map(normal_upper);
        assert_eq!(ends.map(f64::to_bits), [0.0_f64, 0.0, 1.0].map(f64::to_bits));
        assert!(normal_upper(f64::NAN).is_nan());
    }
}
