//! Tails of `Q = Σ λ_j X_j`, where the `X_j` are independent chi-squares of the same degrees of freedom: what
//! squared distances of distribution functions tend to.
//!
//! The tail is the integral of the moment generating function M along any way from below to above that crosses
//! the real axis between zero and the first singularity of M:
//!
//! ```text
//! P(Q > x) = 1/(2πi) ∫ M(s) exp(-s x) / s ds
//! ```
//!
//! The way taken here is a parabola through the saddle point, where the integrand is greatest, opening to the
//! right, where it vanishes. Sums over equally spaced points of it converge exponentially (Trefethen and
//! Weideman, The exponentially convergent trapezoidal rule, SIAM Review 56, 2014), so also small tails have
//! all their digits.

use std::f64::consts::{FRAC_PI_2, PI, SQRT_2};

use super::complex::Complex;

/// Steps of the sum per distance to the nearest singularity: they leave an error of about 1e-14.
const FINENESS: f64 = 13.0;

/// More than any argument takes, so that the sum ends whatever the argument.
const STEPS: u32 = 20_000;

/// Which λ, and how many degrees of freedom each chi-square has.
pub struct QuadraticForm {
    kind: Kind,
    degrees: f64,
}

enum Kind {
    /// `λ_j = 1 / (π j)²`
    CramerVonMises,
    /// `λ_j = 1 / (j (j + 1))`
    AndersonDarling,
}

impl QuadraticForm {
    pub const CRAMER_VON_MISES: Self = Self { kind: Kind::CramerVonMises, degrees: 1.0 };

    pub const fn anderson_darling(degrees: f64) -> Self {
        Self { kind: Kind::AndersonDarling, degrees }
    }

    /// P(Q > x), with a relative error below 1e-9 down to 1e-300; NaN for NaN.
    pub fn upper_tail(&self, x: f64) -> f64 {
        if x.is_nan() {
            return f64::NAN;
        }
        // Below 1 / 50 of its mean Q practically never is.
        if x <= 0.02 * self.mean() {
            return 1.0;
        }
        if x * self.first_singularity() > 1000.0 + 50.0 * self.degrees {
            return 0.0;
        }
        let saddle = self.saddle(x);
        self.along_parabola(x, saddle).clamp(0.0, 1.0)
    }

    fn mean(&self) -> f64 {
        self.degrees
            * match self.kind {
                Kind::CramerVonMises => 1.0 / 6.0,
                Kind::AndersonDarling => 1.0,
            }
    }

    /// `1 / (2 λ_1)`
    fn first_singularity(&self) -> f64 {
        match self.kind {
            Kind::CramerVonMises => PI * PI / 2.0,
            Kind::AndersonDarling => 1.0,
        }
    }

    /// Logarithm of `∏ 1 / (1 - 2 λ_j s)`, up to a multiple of 2πi.
    fn log_product(&self, s: Complex) -> Complex {
        match self.kind {
            Kind::CramerVonMises => {
                let root = s.times(2.0).sqrt();
                root.ln().minus(root.ln_sin())
            }
            Kind::AndersonDarling => {
                // cos w = sin(w + π/2)
                let w = s.times(8.0).plus(Complex::real(1.0)).sqrt().times(FRAC_PI_2);
                s.times(-2.0 * PI).ln().minus(w.plus(Complex::real(FRAC_PI_2)).ln_sin())
            }
        }
    }

    /// Where M(s) exp(-s x) / s is least between zero and the first singularity: by bisection in thirds, since
    /// its logarithm is convex.
    fn saddle(&self, x: f64) -> f64 {
        let height = |s: f64| self.degrees / 2.0 * self.log_product(Complex::real(s)).re - s * x - s.ln();
        let (mut low, mut high) = (0.0, self.first_singularity());
        for _ in 0..40 {
            let third = (high - low) / 3.0;
            if height(low + third) < height(high - third) {
                high -= third;
            } else {
                low += third;
            }
        }
        low.midpoint(high)
    }

    /// `s(u) = saddle + u² / (8 d) + i u`, where d is the distance to the first singularity.
    fn along_parabola(&self, x: f64, saddle: f64) -> f64 {
        let ahead = self.first_singularity() - saddle;
        let bend = 1.0 / (8.0 * ahead);
        // Zero is a singularity too.
        let step = saddle.min(ahead) / FINENESS * SQRT_2;
        let mut product = self.log_product(Complex::real(saddle));
        product.im = 0.0;
        let mut sum = 0.0;
        for k in 0..STEPS {
            let u = f64::from(k) * step;
            let s = Complex { re: saddle + bend * u * u, im: u };
            let next = self.log_product(s);
            // The logarithm goes on where it was, not at the principal value.
            let turns = ((product.im - next.im) / (2.0 * PI)).round();
            product = Complex { re: next.re, im: next.im + 2.0 * PI * turns };
            let exponent = product.times(self.degrees / 2.0).minus(s.times(x)).minus(s.ln());
            // ds/du = 2 bend u + i, and of the integrand over i the real part is wanted.
            let value = exponent.exp().product(Complex { re: 1.0, im: -2.0 * bend * u });
            sum += if k == 0 { value.re / 2.0 } else { value.re };
            if exponent.re.exp() < 1e-17 * sum.abs() {
                break;
            }
        }
        sum * step / PI
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_tables() {
        // Upper 5 %, 1 % and 0.1 % points of Anderson and Darling (1954), of Csörgő and Faraway (1996).
        let anderson_darling = [(2.492_37, 0.05), (3.878_125, 0.01)];
        let cramer_von_mises = [(0.461_36, 0.05), (0.743_46, 0.01), (1.167_86, 0.001)];
        for (x, tail) in anderson_darling {
            let found = QuadraticForm::anderson_darling(1.0).upper_tail(x);
            assert!((found / tail - 1.0).abs() < 1e-4, "{x}: {found} for {tail}");
        }
        for (x, tail) in cramer_von_mises {
            let found = QuadraticForm::CRAMER_VON_MISES.upper_tail(x);
            assert!((found / tail - 1.0).abs() < 1e-4, "{x}: {found} for {tail}");
        }
    }

    /// Far out one term is left, but for O(1 / x): `P(Q > x) → C P(X_1 > x / λ_1)` with
    /// `C = ∏_{j>1} (1 - λ_j / λ_1)^(-1/2)`.
    #[test]
    fn small_tails_have_all_their_digits() {
        for x in [20.0, 100.0, 300.0] {
            let first = 2.0 * crate::special::normal_upper(f64::sqrt(2.0 * x));
            let ratio = QuadraticForm::anderson_darling(1.0).upper_tail(x) / first;
            // ∏_{j>1} (1 - 2 / (j (j + 1))) = ∏ (j - 1) (j + 2) / (j (j + 1)) = 1/3
            let rest = x * (ratio / f64::sqrt(3.0) - 1.0);
            assert!((rest - 0.33).abs() < 0.05, "{x}: {rest}");
        }
    }

    #[test]
    fn tails_fall_from_one_to_zero_whatever_the_argument() {
        for degrees in [1.0, 2.0, 5.0, 40.0, 500.0] {
            let form = QuadraticForm::anderson_darling(degrees);
            let at = [
                -1.0,
                0.0,
                1e-300,
                0.01,
                0.1,
                0.5,
                0.9,
                1.0,
                1.1,
                1.5,
                2.0,
                5.0,
                30.0,
                400.0,
                1e5,
                f64::INFINITY,
            ];
            let tails = at.map(|multiple| form.upper_tail(multiple * degrees));
            assert!(tails.is_sorted_by(|left, right| left >= right), "{degrees}: {tails:?}");
            assert_eq!((tails[0], tails[15]), (1.0, 0.0));
            assert!(form.upper_tail(f64::NAN).is_nan());
        }
    }
}
