//! Whether counts on bins have left the distribution of a reference, watched for ever.
//!
//! With reference counts r and counts c since the beginning, the evidence without restarts is
//!
//! ```text
//! log e = log mean_κ DM(c; κ p) - log DM(c; r + 1/2),    p proportional to r + 1/2,
//! ```
//!
//! DM being the Dirichlet-multinomial probability of a sequence (see `dirichlet`). The null knows that the
//! reference is itself a sample: it is the predictive distribution after r under Jeffreys' prior. Taking p for
//! the truth instead would alarm in every month in which nothing happens, for any finite reference. Mixing over
//! concentrations κ makes it sensitive to small and to large drifts. Components that restart (see `epochs`)
//! are averaged with the cumulative one, which has half of the weight, so the average is an e-process too.
//!
//! Under the predictive null, reference and current events are exchangeable. So the guarantee is an average over
//! the distributions that the reference leaves possible, and events that depend on each other are outside of it.
//!
//! Sources: Grünwald, de Heide and Koolen, Safe testing, JRSS B 86 (2024); Ramdas, Grünwald, Vovk and Shafer,
//! Game-theoretic statistics and safe anytime-valid inference, Statistical Science 38 (2023).

use std::f64::consts::LN_2;
use std::sync::Arc;

use super::epochs::{Epochs, Past};
use super::{level, log_sum};
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::float_len;

const VERSION: u8 = 1;

/// Evidence that the events seen since the beginning are not distributed as those of a reference.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftEvidence {
    /// The same for all evidence that comes of this one.
    reference: Arc<[u64]>,
    concentrations: Vec<f64>,
    /// In their order; none is the cumulative one.
    horizons: Vec<Option<u64>>,
    windows: u64,
    seen: Vec<u64>,
    /// One for each horizon that restarts, in their order.
    epochs: Vec<Epochs>,
    log_e: f64,
    peak_log_e: f64,
}

impl DriftEvidence {
    /// Concentrations that fit drifts of about 0.3, 0.1 and 0.03 standard deviations.
    pub const CONCENTRATIONS: [f64; 3] = [1e2, 1e3, 1e4];

    /// Never restarted, restarted each day, and each hour, in windows of five minutes.
    pub const HORIZONS: [Option<u64>; 3] = [None, Some(288), Some(12)];

    /// No evidence yet, against the reference that has these counts on its bins.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless there are two bins whose counts add up to 64 bits at most, a concentration,
    /// all of them from 10⁻⁶ to 10¹², and one to 16 horizons, all of them different and one window or more, or none.
    pub fn new(reference: &[u64], concentrations: &[f64], horizons: &[Option<u64>]) -> Result<Self, Error> {
        let bins = reference.len();
        if bins < 2 {
            return Err(Error::argument(
                "reference_counts",
                format!("must have two bins or more, but has {bins}"),
            ));
        }
        total(reference).ok_or_else(|| too_many("reference_counts"))?;
        if concentrations.is_empty() {
            return Err(Error::argument("concentrations", "must not be empty; (1e2, 1e3, 1e4) is usual"));
        }
        for concentration in concentrations {
            if !(1e-6..=1e12).contains(concentration) {
                let problem = format!("must lie from 1e-6 to 1e12, but one is {concentration:?}");
                return Err(Error::argument("concentrations", problem));
            }
        }
        if !are_horizons(horizons) {
            let problem = "must be one to 16 different numbers of windows, or None for never; \
                           (None, 288, 12) is usual";
            return Err(Error::argument("horizons", problem));
        }
        Ok(Self {
            reference: reference.into(),
            concentrations: concentrations.to_vec(),
            horizons: horizons.to_vec(),
            windows: 0,
            seen: vec![0; bins],
            epochs: horizons.iter().flatten().map(|length| Epochs::new(*length, bins)).collect(),
            log_e: 0.0,
            peak_log_e: 0.0,
        })
    }

    /// Takes in the counts of one window on the bins of the reference. On an error nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless there is one count for each bin, and the sum of all stays within 64 bits.
    ///
    /// ```
    /// # use edge_aiops_stats_core::DriftEvidence;
    /// let mut evidence = DriftEvidence::new(
    ///     &[50_000, 50_000],
    ///     &DriftEvidence::CONCENTRATIONS,
    ///     &DriftEvidence::HORIZONS,
    /// )?;
    /// evidence.update(&[148, 152])?;
    /// assert!(!evidence.alarmed(0.05)?);
    /// evidence.update(&[100, 200])?;
    /// assert!(evidence.alarmed(0.05)?);
    /// # Ok::<(), edge_aiops_stats_core::Error>(())
    /// ```
    pub fn update(&mut self, counts: &[u64]) -> Result<(), Error> {
        let (bins, given) = (self.reference.len(), counts.len());
        if given != bins {
            let problem = format!("must have one count for each of the {bins} bins, but has {given}");
            return Err(Error::argument("current_counts", problem));
        }
        if !self.has_room_for(counts) {
            return Err(too_many("current_counts"));
        }
        add(&mut self.seen, counts);
        self.windows = self.windows.saturating_add(1);
        let past =
            Past { reference: &self.reference, seen: &self.seen, concentrations: &self.concentrations };
        for epochs in &mut self.epochs {
            epochs.update(counts, self.windows, &past);
        }
        self.weigh();
        Ok(())
    }

    /// Whether these counts, one for each bin, can be added without passing 64 bits.
    pub(crate) fn has_room_for(&self, counts: &[u64]) -> bool {
        let sums = total(counts).zip(total(&self.seen));
        sums.is_some_and(|(new, seen)| seen.checked_add(new).is_some())
    }

    /// The evidence of the events of both, as if pooled: of several nodes, or of one at several times.
    ///
    /// Counts are added, and evidence is computed from the sums. (Multiplying the e-values of nodes that share
    /// a finite reference would be wrong: they err together where the reference errs.) The maximum so far is not
    /// a matter of sums, so that of the result begins with its own evidence.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] unless both have the same reference and concentrations and never restart: what a
    /// restart leaves depends on the counts of all nodes at that time. For evidence that restarts, add the
    /// counts of each window over the nodes and update one evidence with them.
    pub fn merge(&self, other: &Self) -> Result<Self, Error> {
        let incompatible = |because: &str| Err(Error::Incompatible { because: because.into() });
        if self.reference != other.reference {
            return incompatible(
                "the two have different reference counts; merge evidence against one reference",
            );
        }
        if self.concentrations != other.concentrations || self.horizons != other.horizons {
            return incompatible(
                "the two have different concentrations or horizons; use the same on every node",
            );
        }
        if !self.epochs.is_empty() {
            return incompatible(
                "evidence that restarts does not merge; add the counts of each window over the nodes and update one \
                 evidence with them, or use horizons=(None,)",
            );
        }
        total(&self.seen).zip(total(&other.seen)).and_then(|(a, b)| a.checked_add(b)).ok_or_else(|| {
            Error::Incompatible { because: "the two have more than 2^64 events together".into() }
        })?;
        let mut merged =
            Self { peak_log_e: 0.0, windows: self.windows.saturating_add(other.windows), ..self.clone() };
        add(&mut merged.seen, &other.seen);
        merged.weigh();
        Ok(merged)
    }

    /// No evidence yet, against the same reference: after a change that was confirmed and mended.
    #[must_use]
    pub fn restart(&self) -> Self {
        let bins = self.reference.len();
        Self {
            windows: 0,
            seen: vec![0; bins],
            epochs: self.epochs.iter().map(|epochs| Epochs::new(epochs.length, bins)).collect(),
            log_e: 0.0,
            peak_log_e: 0.0,
            ..self.clone()
        }
    }

    /// Natural logarithm of the evidence now. Zero at the beginning, negative where the reference fits well.
    #[must_use]
    pub const fn log_e(&self) -> f64 {
        self.log_e
    }

    /// The largest logarithm of the evidence after any window so far, at least zero.
    #[must_use]
    pub const fn peak_log_e(&self) -> f64 {
        self.peak_log_e
    }

    /// The evidence now; infinite beyond 10³⁰⁸.
    #[must_use]
    pub fn e_value(&self) -> f64 {
        self.log_e.exp()
    }

    /// A p-value that is valid however often it is read: one divided by the largest evidence so far.
    #[must_use]
    pub fn anytime_p_value(&self) -> f64 {
        (-self.peak_log_e).exp()
    }

    /// Whether the evidence has ever reached `1 / alpha`. Without drift that happens with probability `alpha` at
    /// most, in however many windows.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless `alpha` lies between 0 and 1.
    pub fn alarmed(&self, alpha: f64) -> Result<bool, Error> {
        Ok(self.peak_log_e >= -level("alpha", alpha)?.ln())
    }

    /// Number of events seen since the beginning.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.seen.iter().sum()
    }

    /// Number of windows seen since the beginning, over all that was merged.
    #[must_use]
    pub const fn windows(&self) -> u64 {
        self.windows
    }

    /// Counts of the reference.
    #[must_use]
    pub fn reference_counts(&self) -> &[u64] {
        &self.reference
    }

    /// Counts of all events seen since the beginning.
    #[must_use]
    pub fn current_counts(&self) -> &[u64] {
        &self.seen
    }

    /// Concentrations of the alternatives.
    #[must_use]
    pub fn concentrations(&self) -> &[f64] {
        &self.concentrations
    }

    /// After how many windows each component restarts; none for never.
    #[must_use]
    pub fn horizons(&self) -> &[Option<u64>] {
        &self.horizons
    }

    /// Everything as bytes, from which it goes on bit for bit.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::DriftEvidence, VERSION);
        writer.count(self.reference.len() as u64);
        self.reference.iter().for_each(|count| writer.count(*count));
        writer.count(self.concentrations.len() as u64);
        self.concentrations.iter().for_each(|number| writer.number(*number));
        writer.count(self.horizons.len() as u64);
        self.horizons.iter().for_each(|length| writer.count(length.unwrap_or(0)));
        writer.count(self.windows);
        self.seen.iter().for_each(|count| writer.count(*count));
        writer.number(self.peak_log_e);
        for epochs in &self.epochs {
            writer.number(epochs.log_stake);
            epochs.counts.iter().for_each(|count| writer.count(*count));
        }
        writer.seal()
    }

    /// The evidence that [`DriftEvidence::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::DriftEvidence, VERSION)?;
        let bins = reader.count()?;
        let reference = many(bins, || reader.count())?;
        let concentrations = many(reader.count()?, || reader.number())?;
        let horizons = many(reader.count()?, || Ok(Some(reader.count()?).filter(|length| *length > 0)))?;
        let mut read = Self::new(&reference, &concentrations, &horizons)
            .map_err(|_| impossible("its reference, concentrations or horizons are none"))?;
        read.windows = reader.count()?;
        read.seen = many(bins, || reader.count())?;
        let peak_log_e = reader.number()?;
        for epochs in &mut read.epochs {
            epochs.log_stake = reader.number()?;
            epochs.counts = many(bins, || reader.count())?;
        }
        reader.close()?;
        read.consistent(peak_log_e)
    }

    fn consistent(mut self, peak_log_e: f64) -> Result<Self, Error> {
        let events = total(&self.seen).ok_or(impossible("its counts add up to more than 64 bits"))?;
        if self.windows == 0 && events > 0 {
            return Err(impossible("it has events without windows"));
        }
        for epochs in &self.epochs {
            let fresh = Epochs::new(epochs.length, self.seen.len());
            if self.windows < epochs.length
                && (epochs.counts != self.seen || epochs.log_stake.to_bits() != fresh.log_stake.to_bits())
            {
                return Err(impossible("its first epoch is not all that it has seen"));
            }
            if self.windows.is_multiple_of(epochs.length) && epochs.counts != fresh.counts {
                return Err(impossible("an epoch that begins has counts"));
            }
            if epochs.counts.iter().zip(&self.seen).any(|(epoch, seen)| epoch > seen) {
                return Err(impossible("an epoch has more counts than all windows"));
            }
            if !epochs.log_stake.is_finite() || epochs.log_stake.to_bits() == (-0.0_f64).to_bits() {
                return Err(impossible("what lies on an epoch is not a number"));
            }
        }
        self.weigh();
        if !(peak_log_e >= self.peak_log_e && peak_log_e < f64::INFINITY && peak_log_e.is_sign_positive()) {
            return Err(impossible("its largest evidence is less than its evidence"));
        }
        if self.windows == 0 && peak_log_e > 0.0 {
            return Err(impossible("it has evidence without windows"));
        }
        self.peak_log_e = peak_log_e;
        Ok(self)
    }

    /// Computes the evidence anew from what was seen in one window or more.
    fn weigh(&mut self) {
        if self.windows == 0 {
            return;
        }
        let past =
            Past { reference: &self.reference, seen: &self.seen, concentrations: &self.concentrations };
        let cumulative = self.horizons.contains(&None).then(|| past.log_e(&self.seen));
        let restarting = (!self.epochs.is_empty()).then(|| {
            let wealth = self.epochs.iter().map(|epochs| epochs.log_wealth(self.windows, &past));
            wealth.fold(f64::NEG_INFINITY, log_sum) - float_len(self.epochs.len()).ln()
        });
        self.log_e = match (cumulative, restarting) {
            (Some(cumulative), Some(restarting)) => log_sum(cumulative, restarting) - LN_2,
            (one, other) => one.or(other).unwrap_or(0.0),
        };
        self.peak_log_e = self.peak_log_e.max(self.log_e);
    }
}

/// Few enough that bytes cannot ask for much more room than they fill.
fn are_horizons(horizons: &[Option<u64>]) -> bool {
    let different = |(n, horizon)| !horizons.iter().skip(n + 1).any(|other| other == horizon);
    (1..=16).contains(&horizons.len())
        && !horizons.contains(&Some(0))
        && horizons.iter().enumerate().all(different)
}

fn total(counts: &[u64]) -> Option<u64> {
    counts.iter().try_fold(0, |sum: u64, count| sum.checked_add(*count))
}

fn add(sums: &mut [u64], counts: &[u64]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum = sum.saturating_add(*count);
    }
}

fn too_many(name: &'static str) -> Error {
    Error::argument(name, "add up to more than 2^64 events; begin again with smaller counts")
}

/// As many items as said, which the bytes must hold: no more room is taken than they fill.
fn many<Item>(n: u64, mut next: impl FnMut() -> Result<Item, Error>) -> Result<Vec<Item>, Error> {
    (0..n).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::DriftEvidence;
    use crate::Error;

    const MOST: u64 = u64::MAX / 4;

    #[test]
    fn extremes_give_numbers_and_come_back_from_their_bytes() {
        let horizons = [None, Some(1), Some(2), Some(u64::MAX)];
        for reference in [[0, 0, 0], [MOST, 0, 1], [MOST, MOST, MOST]] {
            for concentrations in [&[1e-6, 1e12][..], &[1.0], &DriftEvidence::CONCENTRATIONS] {
                let mut evidence = DriftEvidence::new(&reference, concentrations, &horizons).unwrap();
                for counts in [[0, 0, 0], [1, 0, 0], [0, MOST, 0], [0, 0, MOST], [1, 1, 1]] {
                    evidence.update(&counts).unwrap();
                    assert!(!evidence.log_e().is_nan() && evidence.peak_log_e() >= evidence.log_e());
                    assert_eq!(DriftEvidence::from_bytes(&evidence.to_bytes()).as_ref(), Ok(&evidence));
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let mut evidence = DriftEvidence::new(&[5, 5], &[1e3], &[None]).unwrap();
        evidence.update(&[u64::MAX - 1, 1]).unwrap();
        let before = evidence.clone();
        for counts in [&[1, 0][..], &[u64::MAX, u64::MAX], &[1], &[0, 0, 0], &[]] {
            assert!(matches!(evidence.update(counts), Err(Error::Argument { name: "current_counts", .. })));
            assert_eq!(evidence, before);
        }
        assert!(matches!(evidence.merge(&before), Err(Error::Incompatible { .. })));
    }

    #[test]
    fn contradictory_bytes_are_refused() {
        let horizons = [None, Some(2)];
        let mut evidence = DriftEvidence::new(&[5000, 5000], &[1e3], &horizons).unwrap();
        evidence.update(&[30, 1]).unwrap();
        let contradictions: [fn(&mut DriftEvidence); 8] = [
            |it| it.windows = 0,
            |it| it.windows = 2,
            |it| it.peak_log_e = 0.0,
            |it| it.peak_log_e = f64::NAN,
            |it| it.peak_log_e = f64::INFINITY,
            |it| it.epochs[0].log_stake = f64::NAN,
            |it| it.epochs[0].counts[0] = 31,
            |it| it.seen[0] = u64::MAX,
        ];
        for contradict in contradictions {
            let mut forged = evidence.clone();
            contradict(&mut forged);
            let read = DriftEvidence::from_bytes(&forged.to_bytes());
            assert!(matches!(read, Err(Error::Impossible { .. })), "{forged:?}");
        }
    }
}
