//! The features of a model watched window after window, for ever: which have drifted by now.
//!
//! Each feature has a [`DriftEvidence`] over the groups of its bins, or its labels, and its missing values. Over
//! the features the false discovery rate at any one moment is controlled by e-BH on the current e-values (Wang and
//! Ramdas 2022).
//! A feature has drifted when it is found so and its population stability index over the last windows is large
//! enough: with enough time even a change that matters to nobody becomes certain.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::baseline::{Baseline, Feature};
use crate::comparison::size;
use crate::counts::psi;
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::evidence::{DriftEvidence, level};
use crate::multiplicity::e_benjamini_hochberg;
use crate::profile::Profile;

const VERSION: u8 = 1;

/// Most windows that the effect size may be taken over.
const MOST_WINDOWS: usize = 4096;

/// One feature as it is watched.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchedFeature {
    /// Its name.
    pub name: String,
    /// Natural logarithm of the e-value: how strongly the events so far speak against the reference.
    pub log_e: f64,
    /// Population stability index of the last windows; none without values.
    pub effect_size: Option<f64>,
    /// Values of the reference that it is compared with, missing ones included.
    pub n_reference: u64,
    /// Values seen since the beginning or the last restart, missing ones included.
    pub n_current: u64,
    /// Whether it is certain enough, over all features, and large enough.
    pub drifted: bool,
}

/// The evidence of all features of a baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftWatch {
    baseline: Arc<Baseline>,
    alpha: f64,
    min_effect: f64,
    effect_windows: usize,
    features: Vec<Watched>,
}

#[derive(Debug, Clone, PartialEq)]
struct Watched {
    evidence: DriftEvidence,
    /// The counts of the last windows, the newest last.
    recent: VecDeque<Vec<u64>>,
}

impl DriftWatch {
    /// No evidence yet. `alpha` is the false discovery rate over the features, `min_effect` the smallest
    /// population stability index over the last `effect_windows` windows that counts as drift.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for an alpha outside of (0, 1), a `min_effect` that is negative or not a number, or
    /// `effect_windows` outside of 1 to 4096.
    pub fn new(
        baseline: Arc<Baseline>,
        alpha: f64,
        min_effect: f64,
        effect_windows: usize,
    ) -> Result<Self, Error> {
        level("alpha", alpha)?;
        size("min_effect", min_effect)?;
        if !(1..=MOST_WINDOWS).contains(&effect_windows) {
            let problem = format!("must be 1 to {MOST_WINDOWS}, not {effect_windows}; 12 is usual");
            return Err(Error::argument("effect_windows", problem));
        }
        let features = baseline.features().iter().map(Watched::of).collect::<Result<_, _>>()?;
        // Adding zero turns negative zero into zero, so that equal watches have equal bytes.
        Ok(Self { baseline, alpha, min_effect: min_effect + 0.0, effect_windows, features })
    }

    /// Takes the next window into account.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] if the profile is on another baseline; nothing was taken then.
    pub fn update(&mut self, window: &mut Profile) -> Result<(), Error> {
        if window.baseline().digest() != self.baseline.digest() {
            let because = format!(
                "this profile is on the baseline {:016x}, the watch on {:016x}; summarise on the same baseline",
                window.baseline().digest(),
                self.baseline.digest()
            );
            return Err(Error::Incompatible { because });
        }
        let summaries = self.baseline.features().iter().zip(window.summaries());
        let cells: Vec<_> =
            summaries.map(|(feature, summary)| feature.cells_of(summary).with_missing()).collect();
        // Looked at first, so that either all features take the window or none.
        if self.features.iter().zip(&cells).any(|(watched, cells)| !watched.evidence.has_room_for(cells)) {
            let because = "with this window there are more events than 64 bits count; restart the watch";
            return Err(Error::Incompatible { because: because.into() });
        }
        for (watched, cells) in self.features.iter_mut().zip(cells) {
            watched.evidence.update(&cells)?;
            watched.recent.push_back(cells);
            while watched.recent.len() > self.effect_windows {
                watched.recent.pop_front();
            }
        }
        Ok(())
    }

    /// Every feature as it stands now, in the order of the baseline.
    ///
    /// # Errors
    ///
    /// None that input can cause.
    pub fn features(&self) -> Result<Vec<WatchedFeature>, Error> {
        let e_values = self.features.iter().map(|watched| watched.evidence.e_value()).collect();
        let found = e_benjamini_hochberg(e_values, self.alpha)?;
        let watched = self.features.iter().zip(self.baseline.names()).zip(found.rejected());
        watched
            .map(|((watched, name), rejected)| {
                let effect_size = watched.effect_size()?;
                Ok(WatchedFeature {
                    name: name.clone(),
                    log_e: watched.evidence.log_e(),
                    effect_size,
                    n_reference: watched.evidence.reference_counts().iter().sum(),
                    n_current: watched.evidence.n(),
                    drifted: rejected && effect_size.is_some_and(|effect| effect >= self.min_effect),
                })
            })
            .collect()
    }

    /// Forgets what was seen of one feature, or of all: after a change that was confirmed and taken care of.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there is no feature of that name.
    pub fn restart(&mut self, name: Option<&str>) -> Result<(), Error> {
        let place = match name {
            Some(name) => Some(self.baseline.place(name).ok_or_else(|| {
                Error::argument("name", format!("must be that of a feature of the baseline, not {name:?}"))
            })?),
            None => None,
        };
        let all = self.features.iter_mut().enumerate();
        for (_, watched) in all.filter(|(of, _)| place.is_none_or(|place| place == *of)) {
            watched.evidence = watched.evidence.restart();
            watched.recent.clear();
        }
        Ok(())
    }

    /// The false discovery rate that is allowed.
    #[must_use]
    pub const fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The smallest effect size that counts as drift.
    #[must_use]
    pub const fn min_effect(&self) -> f64 {
        self.min_effect
    }

    /// Over how many of the last windows the effect size is taken.
    #[must_use]
    pub const fn effect_windows(&self) -> usize {
        self.effect_windows
    }

    /// What it is compared with.
    #[must_use]
    pub const fn baseline(&self) -> &Arc<Baseline> {
        &self.baseline
    }

    /// The watch as bytes with a version and a checksum. The baseline is named by its digest only.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::DriftWatch, VERSION);
        writer.digest(self.baseline.digest());
        writer.number(self.alpha);
        writer.number(self.min_effect);
        writer.count(self.effect_windows as u64);
        for watched in &self.features {
            writer.blob(&watched.evidence.to_bytes());
            writer.count(watched.recent.len() as u64);
            watched.recent.iter().for_each(|cells| writer.packed(cells));
        }
        writer.seal()
    }

    /// The watch that [`DriftWatch::to_bytes`] wrote of the same baseline: it goes on as if it had never stopped.
    ///
    /// # Errors
    ///
    /// [`Error::Incompatible`] if it is on another baseline; a named [`Error`] if the bytes are foreign, damaged,
    /// of another statistic or version, or contradict themselves.
    pub fn from_bytes(bytes: &[u8], baseline: Arc<Baseline>) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::DriftWatch, VERSION)?;
        let digest = reader.digest()?;
        if digest != baseline.digest() {
            let because = format!(
                "this watch is on the baseline {digest:016x}, not on {:016x}; pass the one it was made with",
                baseline.digest()
            );
            return Err(Error::Incompatible { because });
        }
        let (alpha, min_effect) = (reader.number()?, reader.number()?);
        let effect_windows = usize::try_from(reader.count()?).unwrap_or(usize::MAX);
        let mut read = Self::new(baseline, alpha, min_effect, effect_windows)
            .map_err(|_| impossible("its options are out of range"))?;
        for watched in &mut read.features {
            *watched = watched.read(&mut reader, effect_windows)?;
        }
        reader.close()?;
        Ok(read)
    }
}

impl Watched {
    fn of(feature: &Feature) -> Result<Self, Error> {
        let mut cells = feature.cells();
        if let (Feature::Numeric { .. }, [under, .., over]) = (feature, cells.present.as_mut_slice()) {
            // Beyond the extremes of n values lies not nothing but one in n + 1 on either side.
            *under = under.saturating_add(1);
            *over = over.saturating_add(1);
        }
        let cells = cells.with_missing();
        let evidence = DriftEvidence::new(&cells, &DriftEvidence::CONCENTRATIONS, &DriftEvidence::HORIZONS)?;
        Ok(Self { evidence, recent: VecDeque::new() })
    }

    fn effect_size(&self) -> Result<Option<f64>, Error> {
        let reference = self.evidence.reference_counts();
        let mut sums = vec![0_u64; reference.len()];
        for cells in &self.recent {
            for (sum, count) in sums.iter_mut().zip(cells) {
                *sum = sum.saturating_add(*count);
            }
        }
        Ok(psi(reference, &sums)?.effect_size)
    }

    /// What bytes hold of the same feature.
    fn read(&self, reader: &mut Reader<'_>, effect_windows: usize) -> Result<Self, Error> {
        let evidence = DriftEvidence::from_bytes(reader.blob()?)?;
        let same = evidence.reference_counts() == self.evidence.reference_counts()
            && evidence.concentrations() == self.evidence.concentrations()
            && evidence.horizons() == self.evidence.horizons();
        if !same {
            return Err(impossible("the evidence of a feature is not against its reference"));
        }
        let windows = reader.length()?;
        if windows as u64 != evidence.windows().min(effect_windows as u64) {
            return Err(impossible("it holds other windows than the last ones"));
        }
        let cells = self.evidence.reference_counts().len();
        let recent = (0..windows).map(|_| reader.packed(cells)).collect::<Result<VecDeque<_>, _>>()?;
        if recent.iter().any(|window| window.len() != cells) {
            return Err(impossible("a window has not a count for each cell"));
        }
        Ok(Self { evidence, recent })
    }
}
