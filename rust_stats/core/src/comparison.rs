//! A profile against its baseline, once: which features have drifted, by how much, and how sure that is.
//!
//! For each feature several tests look at different things: the Kolmogorov-Smirnov test on all bins sees shifts
//! of numbers, the chi-square test on few groups changes of shape and of shares, two exact tests values beyond all
//! that the reference had and a change of how many are missing. The smallest of their p-values times their number (Bonferroni) is the p-value
//! of the feature, and the false discovery rate over all features is controlled by Benjamini and Hochberg. A
//! feature has drifted when it is found so and the change is large: with many values even a change that matters
//! to nobody is certain.
//!
//! The size is the population stability index over the groups and missing values. This is for one look at two
//! samples; looking again and again wants evidence that stays valid, see `evidence`.

use crate::baseline::Feature;
use crate::beyond::beyond_test;
use crate::cells::Cells;
use crate::counts::{
    binned_ks_test, binned_wasserstein_distance, chi_square_test, fisher_exact_test, hellinger_distance,
    jensen_shannon_distance, kullback_leibler_divergence, psi, total_variation_distance,
};
use crate::error::Error;
use crate::float::{float, float_len};
use crate::multiplicity::benjamini_hochberg;
use crate::numeric::NumericSummary;
use crate::profile::{Profile, Summary};
use crate::reference::Reference;
use crate::result::{TestResult, Warning};

/// The test of missing values.
const MISSINGNESS: &str = "missingness";

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
    size("min_effect", min_effect)?;
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

/// Refuses what is no threshold on an effect size.
pub(crate) fn size(name: &'static str, threshold: f64) -> Result<(), Error> {
    if threshold >= 0.0 && threshold.is_finite() {
        return Ok(());
    }
    let problem = format!("must be a number from 0 on, not {threshold:?}; 0 lets every certain change count");
    Err(Error::argument(name, problem))
}

impl FeatureComparison {
    fn of(name: &str, feature: &Feature, summary: &Summary) -> Result<Self, Error> {
        let (theirs, ours) = (feature.cells(), feature.cells_of(summary));
        let misses = theirs.missing > 0 || ours.missing > 0;
        let (kind, mut tests) = match (feature, summary) {
            (Feature::Numeric { reference, .. }, Summary::Numeric(numbers)) => {
                (Kind::Numeric, on_bins(reference, numbers, &theirs, &ours)?.to_vec())
            }
            _ => (Kind::Category, vec![("chi_square", chi_square_test(&theirs.present, &ours.present)?)]),
        };
        tests.extend(on_cells(theirs, ours)?);
        // Where nothing is missing on either side, nothing was tested by looking for it.
        let tested = tests.iter().filter(|(name, _)| misses || *name != MISSINGNESS);
        let p_values: Vec<_> = tested.filter_map(|(_, test)| test.p_value).collect();
        let smallest = p_values.iter().copied().reduce(f64::min);
        let p_value = smallest.map(|p| (p * float_len(p_values.len())).min(1.0));
        let effect_size = tests.iter().find(|(name, _)| *name == "psi").and_then(|(_, psi)| psi.effect_size);
        Ok(Self {
            name: name.to_owned(),
            kind,
            tests,
            p_value,
            adjusted_p_value: None,
            effect_size,
            drifted: false,
        })
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

/// Tests of a numeric feature: on all bins, on the groups of bins, and of what lies beyond all edges, where the
/// reference has nothing by its construction.
fn on_bins(
    reference: &Reference,
    numbers: &NumericSummary,
    theirs_in_groups: &Cells,
    ours_in_groups: &Cells,
) -> Result<[(&'static str, TestResult); 4], Error> {
    let [theirs, ours] = [reference.histogram(), numbers.histogram()];
    let positions = positions(reference, numbers);
    let mut wasserstein = binned_wasserstein_distance(theirs.present(), ours.present(), &positions)?;
    if reference.moments().infinite() > 0 || numbers.moments().infinite() > 0 {
        wasserstein = wasserstein.warned([Warning::Other {
            code: "infinite",
            message: "infinities are taken to be as far out as the finite values beyond the edges".into(),
        }]);
    }
    let [(groups, beyond), (groups_too, beyond_too)] = [theirs_in_groups, ours_in_groups].map(apart);
    Ok([
        ("ks", binned_ks_test(theirs.present(), ours.present())?),
        ("wasserstein", wasserstein),
        ("chi_square", chi_square_test(&groups, &groups_too)?),
        ("beyond", beyond_test(beyond, beyond_too)?),
    ])
}

/// The groups with what lies beyond the edges in the outermost ones; and how many values lie within, and beyond.
fn apart(cells: &Cells) -> (Vec<u64>, [u64; 2]) {
    let [under, groups @ .., over] = cells.present.as_slice() else {
        return (Vec::new(), [0, 0]);
    };
    let beyond = under.saturating_add(*over);
    let mut groups = if groups.is_empty() { vec![0] } else { groups.to_vec() };
    for (end, count) in [(0, under), (groups.len() - 1, over)] {
        if let Some(group) = groups.get_mut(end) {
            *group = group.saturating_add(*count);
        }
    }
    (groups, [cells.total().saturating_sub(beyond), beyond])
}

/// Where the values of each bin lie. Those beyond the edges on the side of the farther extreme lie where the mean
/// of the current values says, those beyond the other ones on the edge.
fn positions(reference: &Reference, numbers: &NumericSummary) -> Vec<f64> {
    let (inner, moments) = (reference.positions(), numbers.moments());
    let [low, high] = [inner.first(), inner.last()].map(|end| end.copied().unwrap_or_default());
    let (mut lowest, mut highest) = (low, high);
    if let ([under, between @ .., over], Some(mean)) = (numbers.histogram().present(), moments.mean()) {
        let [least, most] = [moments.minimum(), moments.maximum()].map(Option::unwrap_or_default);
        let within: f64 = between.iter().zip(inner).map(|(count, at)| float(*count) * at).sum();
        let beyond = mean * float(moments.count()) - within;
        let far_above = most - high > low - least;
        let [outside, edge] =
            if far_above { [over, under] } else { [under, over] }.map(|count| float(*count));
        let place = (beyond - edge * if far_above { low } else { high }) / outside.max(1.0);
        if place.is_finite() && far_above {
            highest = place.clamp(high, most.max(high));
        } else if place.is_finite() {
            lowest = place.clamp(least.min(low), low);
        }
    }
    [lowest].into_iter().chain(inner.iter().copied()).chain([highest]).collect()
}

/// What is the same for numbers and for labels: the distances on the cells and the missing values, and a test of
/// the missing values themselves.
fn on_cells(theirs: Cells, ours: Cells) -> Result<[(&'static str, TestResult); 6], Error> {
    let mut missingness =
        fisher_exact_test(&[theirs.total(), theirs.missing], &[ours.total(), ours.missing])?;
    // That nothing is missing on either side is no reason to be warned.
    missingness.warnings.retain(|warning| *warning != Warning::Constant);
    let [theirs, ours] = [theirs.with_missing(), ours.with_missing()];
    Ok([
        ("psi", psi(&theirs, &ours)?),
        ("jensen_shannon", jensen_shannon_distance(&theirs, &ours)?),
        ("kullback_leibler", kullback_leibler_divergence(&theirs, &ours)?),
        ("hellinger", hellinger_distance(&theirs, &ours)?),
        ("total_variation", total_variation_distance(&theirs, &ours)?),
        (MISSINGNESS, missingness),
    ])
}
