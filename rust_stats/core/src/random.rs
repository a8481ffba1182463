//! Random numbers from a seed: the same on every machine.
//!
//! PCG XSL RR 128/64 (O'Neill 2014, HMC-CS-2014-0905), from the crate `rand_pcg`. It is fast and its streams
//! are those of the reference implementation; it is no secret to anybody and guards nothing.

use rand_distr::{Binomial, Distribution};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// A stream of random numbers.
pub(crate) struct Random(Pcg64);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Pcg64::seed_from_u64(seed))
    }

    /// A number below `bound`, each as likely as the others to within bound / 2⁶⁴; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.0.next_u64()) * bound as u128;
        usize::try_from(product >> 64).unwrap_or_default()
    }

    /// How many of `trials` succeed, each with `probability`, which counts as 0 or 1 if it is beyond them.
    pub(crate) fn binomial(&mut self, trials: u64, probability: f64) -> u64 {
        let within = if probability > 0.0 { probability.min(1.0) } else { 0.0 };
        Binomial::new(trials, within).map_or(0, |binomial| binomial.sample(&mut self.0))
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
}
