//! Random numbers from a seed: the same on every machine and in every release.
//!
//! PCG XSL RR 128/64 (O'Neill 2014, HMC-CS-2014-0905), from the crate `rand_pcg`. It is fast and its streams
//! are those of the reference implementation; it is no secret to anybody and guards nothing.

use std::f64::consts::TAU;

use rand_distr::{Binomial, Distribution};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// A stream of random numbers.
pub(crate) struct Random(Pcg64);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Pcg64::seed_from_u64(seed))
    }

    /// The stream for step number `step` of what `seed` began, so that the seed and a count are all the state
    /// there is. Steps lie apart by the odd constant of SplitMix64 (Steele, Lea and Flood 2014).
    pub(crate) fn at_step(seed: u64, step: u64) -> Self {
        Self::seeded(seed.wrapping_add(step.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// A number below `bound`, each as likely as the others to within bound / 2⁶⁴; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.below_count(bound as u64)).unwrap_or_default()
    }

    /// As [`Random::below`], for counts.
    pub(crate) fn below_count(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or_default()
    }

    /// Brings `wanted` items drawn without replacement to the front, in random order (Fisher and Yates).
    pub(crate) fn draw<Item>(&mut self, items: &mut [Item], wanted: usize) {
        let length = items.len();
        for at in 0..wanted.min(length) {
            items.swap(at, at + self.below(length - at));
        }
    }

    /// How many of `trials` succeed, each with `probability`, which counts as 0 or 1 if it is beyond them.
    pub(crate) fn binomial(&mut self, trials: u64, probability: f64) -> u64 {
        let within = if probability > 0.0 { probability.min(1.0) } else { 0.0 };
        Binomial::new(trials, within).map_or(0, |binomial| binomial.sample(&mut self.0))
    }

    /// Fills `into` with independent standard normal numbers (Box and Muller 1958).
    pub(crate) fn normals(&mut self, into: &mut [f64]) {
        for pair in into.chunks_mut(2) {
            // In (0, 1], so that the logarithm is finite.
            let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
            let (sine, cosine) = (TAU * self.unit()).sin_cos();
            for (number, part) in pair.iter_mut().zip([cosine, sine]) {
                *number = radius * part;
            }
        }
    }

    /// A number in [0, 1), one of 2⁵³ equally likely.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (0.5 * f64::EPSILON)
    }
}

#[cfg(test)]
mod tests {
    use super::Random;
    use crate::float::float;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut random = Random::seeded(7);
        let drawn: Vec<_> = (0..6).map(|_| random.below(1000)).collect();
        assert_eq!(drawn, [0, 231, 901, 835, 491, 591]);
        let mut numbers = [0.0; 2];
        Random::seeded(42).normals(&mut numbers);
        let expected = [0.049_017_573, 0.715_044_658];
        assert!(numbers.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9));
    }

    #[test]
    fn numbers_are_below_their_bound_and_evenly_spread() {
        let mut random = Random::seeded(0);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[random.below(7)] += 1;
        }
        // Five standard deviations of a binomial count.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 470), "{counts:?}");
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn a_draw_is_without_replacement_and_fair() {
        let mut first = [0_u32; 5];
        for step in 0..5_000 {
            let mut items = [0, 1, 2, 3, 4];
            Random::at_step(9, step).draw(&mut items, 2);
            first[items[0]] += 1;
            first[items[1]] += 1;
            items.sort_unstable();
            assert_eq!(items, [0, 1, 2, 3, 4]);
        }
        assert!(first.iter().all(|count| (1_850..2_150).contains(count)), "{first:?}");
    }

    #[test]
    fn binomial_counts_have_their_mean_and_their_bounds() {
        let mut random = Random::seeded(0);
        for (trials, probability) in [(10, 0.3), (10_000, 0.9), (1 << 40, 0.5)] {
            let total: f64 = (0..1000).map(|_| float(random.binomial(trials, probability))).sum();
            let mean = float(trials) * probability;
            let deviation = (mean * (1.0 - probability) / 1000.0).sqrt();
            assert!((total / 1000.0 - mean).abs() < 5.0 * deviation);
        }
        assert_eq!(random.binomial(5, 1.5), 5);
        assert_eq!(random.binomial(5, f64::NAN), 0);
        assert!(random.binomial(u64::MAX, 0.5) > u64::MAX / 4);
    }

    #[test]
    fn normal_numbers_have_the_moments_of_the_normal_distribution() {
        let mut numbers = vec![0.0; 100_001];
        Random::seeded(3).normals(&mut numbers);
        let moment = |power| numbers.iter().map(|x: &f64| x.powi(power)).sum::<f64>() / 100_001.0;
        assert!(moment(1).abs() < 0.015 && (moment(2) - 1.0).abs() < 0.02 && (moment(4) - 3.0).abs() < 0.15);
    }
}
