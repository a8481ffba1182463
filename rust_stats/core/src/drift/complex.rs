//! As much arithmetic of complex numbers as integrals in the complex plane need.

use std::f64::consts::{LN_2, PI};

#[derive(Debug, Clone, Copy)]
pub struct Complex {
    pub re: f64,
    pub im: f64,
}

impl Complex {
    pub const fn real(re: f64) -> Self {
        Self { re, im: 0.0 }
    }

    pub fn plus(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }

    pub fn minus(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }

    pub fn times(self, factor: f64) -> Self {
        Self { re: self.re * factor, im: self.im * factor }
    }

    pub fn product(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    pub fn exp(self) -> Self {
        let (sin, cos) = self.im.sin_cos();
        Self { re: cos, im: sin }.times(self.re.exp())
    }

    pub fn ln(self) -> Self {
        Self { re: self.re.hypot(self.im).ln(), im: self.im.atan2(self.re) }
    }

    /// Of a number with an imaginary part of zero or more.
    pub fn sqrt(self) -> Self {
        let half = Self { re: self.re.hypot(self.im).sqrt(), im: self.im.atan2(self.re) / 2.0 };
        let (sin, cos) = half.im.sin_cos();
        Self { re: cos, im: sin }.times(half.re)
    }

    /// Logarithm of the sine of a number with an imaginary part of zero or more, up to a multiple of 2πi:
    /// sin w = i/2 exp(-iw) (1 - exp(2iw)), which does not overflow.
    pub fn ln_sin(self) -> Self {
        let square = Self { re: -2.0 * self.im, im: 2.0 * self.re }.exp();
        let rest = Self { re: 1.0 - square.re, im: -square.im }.ln();
        Self { re: self.im - LN_2 + rest.re, im: PI / 2.0 - self.re + rest.im }
    }
}
