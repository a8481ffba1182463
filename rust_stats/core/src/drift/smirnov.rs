//! How probable the greatest distance of two empirical distribution functions is without a difference.
//!
//! Two samples of n and m values in random order are a random path over the lattice from (0, 0) to (n, m). The
//! greatest distance D reaches d where the path reaches a point (i, j) with |i m - j n| >= d n m.

use std::cell::LazyCell;
use std::f64::consts::PI;

use crate::float::float;
use crate::special::kolmogorov_upper;

/// P(D >= K / (n m)), where K is the greatest |i m - j n| and the samples have n and m values.
#[derive(Debug, Clone, Copy)]
pub struct Smirnov {
    n: u64,
    m: u64,
    greatest: u128,
}

impl Smirnov {
    /// The sizes may come in any order.
    pub fn new([n, m]: [u64; 2], greatest: u128) -> Self {
        Self { n: n.min(m), m: n.max(m), greatest }
    }

    /// n m / (n + m): the size of a sample that deviates as much from a known distribution.
    pub fn effective_size(&self) -> f64 {
        float(self.n) * (float(self.m) / (float(self.n) + float(self.m)))
    }

    pub fn distance(&self) -> f64 {
        float_wide(self.greatest) / float_wide(u128::from(self.n) * u128::from(self.m))
    }

    /// How many operations, of about a nanosecond, the exact probability takes.
    pub fn exact_cost(&self) -> f64 {
        if self.n == self.m {
            return 0.0;
        }
        // Points of the lattice on a diagonal between the two boundaries, and what a diagonal takes besides.
        let width = 2.0 * self.distance() * self.effective_size() + 8.0;
        width * (float(self.n) + float(self.m))
    }

    /// The probability itself, up to rounding: a relative error of about (n + m) 1e-16.
    pub fn exact(&self) -> f64 {
        // Whichever value comes first makes a difference of n or m.
        if self.greatest <= u128::from(self.n) {
            1.0
        } else if self.n == self.m {
            self.equal_sizes()
        } else {
            self.by_paths()
        }
    }

    /// For samples of the same size, with k = n D:
    ///
    /// ```text
    /// P = 2 Σ_{j≥1} (-1)^(j-1) C(2n, n - j k) / C(2n, n)
    /// ```
    ///
    /// Gnedenko and Korolyuk (1951), by reflecting the path. Each ratio is the one before times k fractions.
    fn equal_sizes(&self) -> f64 {
        let n = float(self.n);
        let k = u64::try_from(self.greatest / u128::from(self.n.max(1))).unwrap_or(u64::MAX);
        let (mut sum, mut ratio, mut sign) = (0.0, 1.0, 1.0);
        let mut at = 0;
        while at + k <= self.n && ratio > f64::EPSILON * f64::EPSILON * sum {
            for i in at..at + k {
                ratio *= (n - float(i)) / (n + float(i) + 1.0);
                if ratio == 0.0 {
                    return 2.0 * f64::max(sum, 0.0);
                }
            }
            sum += sign * ratio;
            sign = -sign;
            at += k;
        }
        (2.0 * sum).clamp(0.0, 1.0)
    }

    /// The probability that a path ending at (i, j) has reached the boundary, for one diagonal i + j = t after
    /// the other:
    ///
    /// ```text
    /// P(i, j) = i/t P(i-1, j) + j/t P(i, j-1),    1 on the boundary and beyond
    /// ```
    ///
    /// Viehmann, "Numerically more stable computation of the p-values for the two-sample Kolmogorov-Smirnov
    /// test", arXiv 2102.08037 (2021). Sums of positive numbers, so small probabilities have all their digits.
    fn by_paths(&self) -> f64 {
        let (n, m, greatest) =
            (signed(self.n), signed(self.m), i64::try_from(self.greatest).unwrap_or(i64::MAX));
        let ranks: Vec<f64> = (0..=self.n).map(float).collect();
        // From the point before the first within the boundaries to the point after the last.
        let mut before = vec![1.0, 0.0, 1.0];
        let mut after = Vec::new();
        let mut first_before = 0;
        // |i m - j n| = |i (n + m) - t n|, so the boundaries are at (t n ± greatest) / (n + m).
        let mut low = Quotient::of(-greatest, n + m);
        let mut high = Quotient::of(greatest - 1, n + m);
        for t in 1..=n + m {
            low.add(n);
            high.add(n);
            let first = (low.whole + 1).max(t - m).max(0);
            let last = high.whole.min(t).min(n);
            if first > last {
                return 1.0;
            }
            after.clear();
            after.resize(length(last - first) + 3, 1.0);
            let before_of = before.get(length(first - first_before)..).unwrap_or_default();
            let ranks = ranks.get(length(first)..).unwrap_or_default();
            step(before_of, ranks, float(t.unsigned_abs()), after.get_mut(1..).unwrap_or_default());
            std::mem::swap(&mut before, &mut after);
            first_before = first;
        }
        before.get(1).copied().unwrap_or(1.0).clamp(0.0, 1.0)
    }

    /// An approximation for large samples:
    ///
    /// ```text
    /// P = 2 Σ_{j≥1} (-1)^(j-1) exp(-2 y + (4/9 + 2v/9) y/N - 4/9 (1 - v) y²/N),    y = j² (z + c √N / m)²
    /// ```
    ///
    /// with N = n m / (n + m), z = √N D, v = n m / (n + m)² and n <= m. It is Kolmogorov's series with three
    /// corrections. The terms in 1/N are those of the rate at which a path as long as this gets that far, and
    /// agree with the known ones at n = m (v = 1/4) and m = ∞ (v = 0). And a path does not touch the boundary
    /// but jumps over it: `c` is by how much on average, see [`Smirnov::overshoot`].
    pub fn asymptotic(&self) -> f64 {
        let size = self.effective_size();
        let z = size.sqrt() * self.distance();
        let corrected = z + self.overshoot() * size.sqrt() / float(self.m);
        // Below, the sum is one in six digits, and its terms are many.
        if corrected < 0.3 {
            return kolmogorov_upper(corrected);
        }
        let v = size / (float(self.n) + float(self.m));
        let term = |j: f64| {
            let y = (j * corrected).powi(2);
            (-2.0 * y + ((4.0 + 2.0 * v) * y - 4.0 * (1.0 - v) * y * y) / (9.0 * size)).exp()
        };
        let terms = (1..=16).map(float).map(term);
        let sum: f64 = terms.zip([1.0, -1.0].into_iter().cycle()).map(|(term, sign)| sign * term).sum();
        (2.0 * sum).clamp(0.0, 1.0)
    }

    /// By how much a path jumps over the boundary on average, as a multiple of n, the lesser step.
    ///
    /// For a long walk with steps m and -n it is the mean of E H² / (2 E H), H being the ladder heights, over
    /// both directions (Siegmund, Sequential Analysis, 1985, chapters VIII and X): (m + 2n) / (6n) where m is a
    /// multiple of n, as Hodges (1958) has it, and a little less between, here fitted to 1 % of n. Less half
    /// the spacing of the lattice, since D itself lies on it.
    ///
    /// What comes on top of it: where b m is nearly a multiple of n, points that the path can reach near the
    /// boundary lie in rows n / b apart, which move slowly against it, by `drift` rows over the whole path. So the
    /// waves of that spacing do not cancel out over where the path is highest.
    fn overshoot(&self) -> f64 {
        let (n, m, distance) = (float(self.n), float(self.m), self.distance());
        let fraction = (m / n).fract();
        let between = 0.095 * (4.0 * fraction * (1.0 - fraction)).powf(0.3) / (m / n + 0.5);
        let spacing = float(greatest_common_divisor(self.n, self.m)) / n;
        let on_average = (m / n + 2.0) / 6.0 - between - spacing / 2.0;

        let size = self.effective_size();
        let highest = n * (0.5 - (m - n) / (m + n) * distance / 3.0) + distance * size;
        // Few sizes have slow waves.
        let weights = LazyCell::new(|| Self::weights_of_highest(size.sqrt() * distance));
        let modulus = u128::from(self.n.max(1));
        let waves = (1..=WAVES).map(|b| {
            let drift = signed_remainder(u128::from(b) * u128::from(self.m), modulus);
            if drift == 0.0 || drift.abs() > SLOW {
                return 0.0;
            }
            let offset = signed_remainder(u128::from(b) * (self.greatest % modulus), modulus);
            let left = weights.iter().map(|(away, weight)| weight * (2.0 * PI * drift * away).cos());
            let phase = (highest * drift - offset) / n;
            (2.0 * PI * phase).sin() * left.sum::<f64>() / (PI * float(b))
        });
        on_average - waves.sum::<f64>()
    }

    /// Where, from -1/2 to 1/2 about the middle of its way, a path is highest that gets as far as z: the density
    /// of a Brownian bridge (s (1 - s))^(-3/2) exp(-z² / (2 s (1 - s))), as weights that sum to one.
    fn weights_of_highest(z: f64) -> [(f64, f64); PLACES] {
        let mut places = [(0.0, 0.0); PLACES];
        for (place, i) in places.iter_mut().zip(0..) {
            let s = (float(i) + 0.5) / float(PLACES as u64);
            let spread = s * (1.0 - s);
            // Less the exponent in the middle, so that they are not all zero before the probability is.
            *place = (s - 0.5, (z * z * (2.0 - 0.5 / spread)).exp() / (spread * spread.sqrt()));
        }
        let sum: f64 = places.iter().map(|(_, weight)| weight).sum();
        places.map(|(away, weight)| (away, weight / sum.max(f64::MIN_POSITIVE)))
    }
}

/// Further waves move D by less than the fit of the average is good for.
const WAVES: u64 = 16;

/// Faster ones cancel out.
const SLOW: f64 = 12.0;

/// How finely the way of a path is divided.
const PLACES: usize = 32;

/// A quotient rounded down, whose dividend grows by less than the divisor at a time.
struct Quotient {
    whole: i64,
    remainder: i64,
    divisor: i64,
}

impl Quotient {
    fn of(dividend: i64, divisor: i64) -> Self {
        Self { whole: dividend.div_euclid(divisor), remainder: dividend.rem_euclid(divisor), divisor }
    }

    fn add(&mut self, summand: i64) {
        self.remainder += summand;
        if self.remainder >= self.divisor {
            self.remainder -= self.divisor;
            self.whole += 1;
        }
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn length(count: i64) -> usize {
    usize::try_from(count).unwrap_or_default()
}

/// One diagonal of the lattice from the one before; `after` is longer by the point after the last.
fn step(before: &[f64], ranks: &[f64], t: f64, after: &mut [f64]) {
    let inverse = 1.0 / t;
    let points = after.len().saturating_sub(1);
    for ((slot, pair), i) in after.iter_mut().take(points).zip(before.windows(2)).zip(ranks) {
        if let [left, right] = pair {
            *slot = (i * left + (t - i) * right) * inverse;
        }
    }
}

/// The remainder between -modulus / 2 and modulus / 2.
fn signed_remainder(value: u128, modulus: u128) -> f64 {
    let remainder = value % modulus;
    if remainder > modulus / 2 { -float_wide(modulus - remainder) } else { float_wide(remainder) }
}

#[expect(clippy::cast_precision_loss, reason = "16 digits of a product of counts are enough")]
const fn float_wide(count: u128) -> f64 {
    count as f64
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The multiple of the lattice's spacing that is nearest to z.
    fn at(n: u64, m: u64, z: f64) -> Smirnov {
        let spacing = greatest_common_divisor(n, m);
        let size = Smirnov::new([n, m], 0).effective_size();
        let wanted = z / size.sqrt() * float(n) * float(m) / float(spacing);
        let steps = (0..n * m).find(|steps| float(*steps) >= wanted).unwrap_or_default();
        Smirnov::new([n, m], u128::from(steps) * u128::from(spacing))
    }

    #[test]
    fn complete_separation_has_two_of_all_paths() {
        assert!((Smirnov::new([3, 4], 12).exact() * 35.0 - 2.0).abs() < 1e-14);
        assert!((Smirnov::new([55, 55], 55 * 55).exact() / 2.029_895_931_132_092e-32 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn paths_and_reflection_agree() {
        for k in 1..=50 {
            let one = Smirnov::new([50, 50], k * 50);
            assert!((one.by_paths() / one.equal_sizes() - 1.0).abs() < 1e-12, "k = {k}");
        }
    }

    #[test]
    fn the_approximation_is_as_good_as_it_says() {
        let sizes = [
            (2000, 2001, 2e-3),
            (2000, 3000, 1e-3),
            (2000, 4001, 2e-3),
            (1100, 11_000, 1e-4),
            (300, 10_007, 1e-3),
        ];
        for (n, m, accuracy) in sizes {
            for z in [0.6, 1.0, 1.36, 2.0, 2.6] {
                let one = at(n, m, z);
                let error = one.asymptotic() / one.exact() - 1.0;
                assert!(error.abs() < accuracy, "{n}, {m}, {z}: {error}");
            }
        }
    }

    #[test]
    fn no_sizes_and_no_distance_are_too_large() {
        for sizes in [[1, 1], [1, u64::MAX], [u64::MAX, u64::MAX], [u64::MAX, u64::MAX - 1], [3, 1 << 40]] {
            let all = u128::from(sizes[0]) * u128::from(sizes[1]);
            for greatest in [0, 1, all / 1000, all] {
                let one = Smirnov::new(sizes, greatest);
                assert!((0.0..=1.0).contains(&one.asymptotic()), "{one:?}");
            }
        }
    }
}
