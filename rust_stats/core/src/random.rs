//! Random numbers from a seed: the same numbers on every machine and in every release.

use std::f64::consts::TAU;

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// PCG XSL RR 128/64 (O'Neill 2014) started from `seed`.
pub(crate) fn generator(seed: u64) -> Pcg64 {
    Pcg64::seed_from_u64(seed)
}

/// The generator for step number `step` of what `seed` began, so that the seed and a count are all the state
/// there is. Steps lie apart by the odd constant of SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) fn generator_at(seed: u64, step: u64) -> Pcg64 {
    generator(seed.wrapping_add(step.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

/// A whole number below `bound`, each equally likely (Lemire 2019); 0 for a bound of 0.
pub(crate) fn below(random: &mut Pcg64, bound: u64) -> u64 {
    let unfair = bound.wrapping_neg().checked_rem(bound).unwrap_or_default();
    loop {
        let product = u128::from(random.next_u64()) * u128::from(bound);
        let low = low_half(product);
        if low >= unfair {
            return high_half(product);
        }
    }
}

/// Brings `wanted` items drawn without replacement to the front, in random order (Fisher and Yates).
pub(crate) fn draw<Item>(random: &mut Pcg64, items: &mut [Item], wanted: usize) {
    let length = items.len();
    for at in 0..wanted.min(length) {
        let left = (length - at) as u64;
        items.swap(at, at + usize::try_from(below(random, left)).unwrap_or_default());
    }
}

/// Fills `into` with independent standard normal numbers (Box and Muller 1958).
pub(crate) fn normals(random: &mut Pcg64, into: &mut [f64]) {
    for pair in into.chunks_mut(2) {
        // In (0, 1], so that the logarithm is finite.
        let radius = (-2.0 * (1.0 - unit(random)).ln()).sqrt();
        let (sine, cosine) = (TAU * unit(random)).sin_cos();
        for (number, part) in pair.iter_mut().zip([cosine, sine]) {
            *number = radius * part;
        }
    }
}

/// A number in [0, 1), one of 2⁵³ equally likely.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn unit(random: &mut Pcg64) -> f64 {
    (random.next_u64() >> 11) as f64 * (0.5 * f64::EPSILON)
}

fn high_half(wide: u128) -> u64 {
    (wide >> 64) as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
fn low_half(wide: u128) -> u64 {
    wide as u64
}

#[cfg(test)]
mod tests {
    use super::{below, draw, generator, generator_at, normals};

    #[test]
    fn every_number_below_a_bound_is_equally_likely() {
        let mut random = generator(1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[usize::try_from(below(&mut random, 7)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
        assert_eq!((below(&mut random, 0), below(&mut random, 1)), (0, 0));
    }

    #[test]
    fn a_draw_is_without_replacement_and_fair() {
        let mut first = [0_u32; 5];
        for seed in 0..5_000 {
            let mut items = [0, 1, 2, 3, 4];
            draw(&mut generator_at(9, seed), &mut items, 2);
            first[items[0]] += 1;
            first[items[1]] += 1;
            items.sort_unstable();
            assert_eq!(items, [0, 1, 2, 3, 4]);
        }
        assert!(first.iter().all(|count| (1_850..2_150).contains(count)), "{first:?}");
    }

    #[test]
    fn normal_numbers_have_the_moments_of_the_normal_distribution() {
        let mut numbers = vec![0.0; 100_001];
        normals(&mut generator(3), &mut numbers);
        let moment = |power| numbers.iter().map(|x: &f64| x.powi(power)).sum::<f64>() / 100_001.0;
        assert!(moment(1).abs() < 0.015 && (moment(2) - 1.0).abs() < 0.02 && (moment(4) - 3.0).abs() < 0.15);
    }

    #[test]
    fn a_seed_gives_the_same_numbers_in_every_release() {
        let mut numbers = [0.0; 2];
        normals(&mut generator(42), &mut numbers);
        let whole = [below(&mut generator(42), 1_000_000), below(&mut generator_at(42, 7), 1_000_000)];
        assert_eq!(whole, [226_512, 20_526]);
        let expected = [0.049_017_573, 0.715_044_658];
        assert!(numbers.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9));
    }
}
