//! A profile against its baseline, once: which features have drifted, by how much, and how sure that is.
//!
//! For each feature several tests look at different things: the Kolmogorov-Smirnov test on all bins sees shifts
//! of numbers, the chi-square test on few groups changes of shape and of shares, Fisher's exact test a change of
//! how many values are missing. The smallest of their p-values times their number (Bonferroni) is the p-value
//! of the feature, and the false discovery rate over all features is controlled by Benjamini and Hochberg. A
//! feature has drifted when it is found so and the change is large: with many values even a change that matters
//! to nobody is certain.
//!
//! The size is the population stability index over the groups and missing values. This is for one look at two
//! samples; looking again and again wants evidence that stays valid, see `evidence`.

use crate::baseline::{CategoryReference, Feature};
use crate::categories::Categories;
use crate::counts::{
    binned_ks_test, binned_wasserstein_distance, chi_square_test, fisher_exact_test, hellinger_distance,
    jensen_shannon_distance, kullback_leibler_divergence, psi, total_variation_distance,
};
use crate::error::Error;
use crate::float::float_len;
use crate::multiplicity::benjamini_hochberg;
use crate::numeric::NumericSummary;
use crate::profile::{Profile, Summary};
use crate::reference::Reference;
use crate::result::{TestResult, Warning};

/// Whether a feature has numbers or labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Numeric,
    /// Labels.
    Category,
}

/// One feature compared with its reference.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureComparison {
    /// The feature's name.
    pub name: String,
    /// Whether it has numbers or labels.
    pub kind: Kind,
    /// Every test and distance, by a stable name.
    pub tests: Vec<(&'static str, TestResult)>,
    /// The feature's p-value over its tests; none without values on a side.
    pub p_value: Option<f64>,
    /// The same, corrected for the number of features.
    pub adjusted_p_value: Option<f64>,
    /// Population stability index over the groups and missing values; none without values on a side.
    pub effect_size: Option<f64>,
    /// Whether it is certain enough and large enough.
    pub drifted: bool,
}

/// All features compared with their references.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// In the order of the baseline.
    pub features: Vec<FeatureComparison>,
    /// The false discovery rate that was allowed.
    pub alpha: f64,
    /// The smallest effect size that counts as drift.
    pub min_effect: f64,
}

/// Compares a profile with its baseline. `alpha` is the false discovery rate over the features, `min_effect` the
/// smallest population stability index that counts as drift.
///
/// # Errors
///
/// [`Error::Argument`] for an alpha outside of (0, 1) or a `min_effect` that is negative or not a number.
pub fn compare(profile: &mut Profile, alpha: f64, min_effect: f64) -> Result<Comparison, Error> {
    if !(min_effect >= 0.0 && min_effect.is_finite()) {
        let problem =
            format!("must be a number from 0 on, not {min_effect:?}; 0 lets every certain change count");
        return Err(Error::argument("min_effect", problem));
    }
    let baseline = profile.baseline().clone();
    let pairs = baseline.features().iter().zip(profile.summaries()).zip(baseline.names());
    let mut features = pairs
        .map(|((feature, summary), name)| FeatureComparison::of(name, feature, summary))
        .collect::<Result<Vec<_>, _>>()?;
    let p_values = features.iter().map(|feature| feature.p_value.unwrap_or(f64::NAN)).collect();
    let found = benjamini_hochberg(p_values, alpha)?;
    for ((feature, rejected), adjusted) in features.iter_mut().zip(found.rejected()).zip(found.adjusted()) {
        feature.adjusted_p_value = adjusted;
        feature.drifted = rejected && feature.effect_size.is_some_and(|effect| effect >= min_effect);
    }
    Ok(Comparison { features, alpha, min_effect })
}

impl FeatureComparison {
    fn of(name: &str, feature: &Feature, summary: &Summary) -> Result<Self, Error> {
        match (feature, summary) {
            (Feature::Numeric { reference, .. }, Summary::Numeric(numbers)) => {
                Ok(Self::new(name, Kind::Numeric, numeric(reference, numbers)?))
            }
            (Feature::Category(reference), Summary::Category(labels)) => {
                Ok(Self::new(name, Kind::Category, category(reference, labels)?))
            }
            _ => Err(Error::Incompatible {
                because: format!("the summary of {name:?} is not that of its baseline"),
            }),
        }
    }

    fn new(name: &str, kind: Kind, tests: Vec<(&'static str, TestResult)>) -> Self {
        let p_values: Vec<_> = tests.iter().filter_map(|(_, test)| test.p_value).collect();
        let smallest = p_values.iter().copied().reduce(f64::min);
        let p_value = smallest.map(|p| (p * float_len(p_values.len())).min(1.0));
        let effect_size = tests.iter().find(|(name, _)| *name == "psi").and_then(|(_, psi)| psi.effect_size);
        Self {
            name: name.to_owned(),
            kind,
            tests,
            p_value,
            adjusted_p_value: None,
            effect_size,
            drifted: false,
        }
    }

    /// The warnings of all tests, each sort once.
    #[must_use]
    pub fn warnings(&self) -> Vec<&Warning> {
        let mut warnings: Vec<&Warning> = Vec::new();
        for warning in self.tests.iter().flat_map(|(_, test)| &test.warnings) {
            if !warnings.iter().any(|known| known.code() == warning.code()) {
                warnings.push(warning);
            }
        }
        warnings
    }
}

fn numeric(
    reference: &Reference,
    numbers: &NumericSummary,
) -> Result<Vec<(&'static str, TestResult)>, Error> {
    let [theirs, ours] = [reference.histogram(), numbers.histogram()];
    let mut tests = vec![
        ("ks", binned_ks_test(theirs.present(), ours.present())?),
        ("wasserstein", wasserstein(reference, numbers)?),
    ];
    let groups = [theirs, ours].map(|histogram| reference.in_groups(histogram.present()));
    tests.extend(on_cells(groups, [theirs.missing(), ours.missing()])?);
    Ok(tests)
}

/// Wasserstein distance on bins, of which those beyond the edges are as far out as the extremes.
fn wasserstein(reference: &Reference, numbers: &NumericSummary) -> Result<TestResult, Error> {
    let moments = [reference.moments(), numbers.moments()];
    let inner = reference.positions();
    let [first, last] = [inner.first(), inner.last()].map(|end| end.copied().unwrap_or_default());
    let lowest = moments.iter().filter_map(|moments| moments.minimum()).fold(first, f64::min);
    let highest = moments.iter().filter_map(|moments| moments.maximum()).fold(last, f64::max);
    let positions: Vec<_> = [lowest].into_iter().chain(inner.iter().copied()).chain([highest]).collect();
    let [theirs, ours] = [reference.histogram(), numbers.histogram()];
    binned_wasserstein_distance(theirs.present(), ours.present(), &positions)
}

fn category(
    reference: &CategoryReference,
    labels: &Categories,
) -> Result<Vec<(&'static str, TestResult)>, Error> {
    let cells = [reference.cells(), CategoryReference::cells_of(labels)];
    on_cells(cells, [reference.counts().missing(), labels.missing()])
}

/// What is the same for groups of numbers and for labels: chi-square on the cells, the distances on them and the
/// missing values, and a test of the missing values themselves.
fn on_cells(cells: [Vec<u64>; 2], missing: [u64; 2]) -> Result<Vec<(&'static str, TestResult)>, Error> {
    let total = |cells: &[u64]| cells.iter().fold(0_u64, |total, count| total.saturating_add(*count));
    let [theirs, ours] = &cells;
    let chi_square = chi_square_test(theirs, ours)?;
    let [none, none_too] = missing;
    let mut missingness = fisher_exact_test(&[total(theirs), none], &[total(ours), none_too])?;
    // That nothing is missing on either side is no reason to be warned.
    missingness.warnings.retain(|warning| *warning != Warning::Constant);
    let [mut theirs, mut ours] = cells;
    theirs.push(none);
    ours.push(none_too);
    Ok(vec![
        ("chi_square", chi_square),
        ("psi", psi(&theirs, &ours)?),
        ("jensen_shannon", jensen_shannon_distance(&theirs, &ours)?),
        ("kullback_leibler", kullback_leibler_divergence(&theirs, &ours)?),
        ("hellinger", hellinger_distance(&theirs, &ours)?),
        ("total_variation", total_variation_distance(&theirs, &ours)?),
        ("missingness", missingness),
    ])
}
