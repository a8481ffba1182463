//! Direct loss estimation (DLE) of regressors.
//!
//! A second model learns, on a reference, how large the error of the first one is for which features and
//! prediction: |y − ŷ| for the mean absolute error, (y − ŷ)² for the mean squared one and its root. The mean
//! of what it says of new rows is the metric expected there. As NannyML does it (its package
//! `direct_loss_estimation`, release 0.13), with a model after LightGBM's defaults but of our own, so
//! estimates agree to less than a sampling error, and not to the last digit.
//!
//! The sampling error is the standard deviation of the errors on the reference over √n, for the root that
//! over twice the root of their mean.

use super::Estimate;
use super::boosting::{Binned, Boosted};
use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;
use crate::float::{float, float_len};
use crate::metrics::rows::{missing, same_length};

const VERSION: u8 = 1;

/// Which loss is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Mean of |y − ŷ|.
    MeanAbsoluteError,
    /// Mean of (y − ŷ)².
    MeanSquaredError,
    /// Its square root.
    RootMeanSquaredError,
}

impl Loss {
    /// As results name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MeanAbsoluteError => "mean absolute error",
            Self::MeanSquaredError => "mean squared error",
            Self::RootMeanSquaredError => "root mean squared error",
        }
    }

    fn of(self, label: f64, prediction: f64) -> f64 {
        match self {
            Self::MeanAbsoluteError => (label - prediction).abs(),
            Self::MeanSquaredError | Self::RootMeanSquaredError => (label - prediction).powi(2),
        }
    }
}

/// What a reference says of a regressor: how large its errors are where.
#[derive(Debug, Clone, PartialEq)]
pub struct LossEstimator {
    loss: Loss,
    model: Boosted,
    mean: f64,
    deviation: f64,
    n: u64,
}

impl LossEstimator {
    /// Learns from a reference, whose labels are known and on which the model was not trained.
    ///
    /// `features` holds so many `columns` for each row, one row after the other. A feature may be NaN, which
    /// is learnt from like any value; rows whose label or prediction is not finite are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for no column, other lengths, no row at all, or errors whose squares exceed the
    /// range of `f64`.
    pub fn fit(
        loss: Loss,
        features: Vec<f64>,
        columns: usize,
        predictions: Vec<f64>,
        mut labels: Vec<f64>,
    ) -> Result<Self, Error> {
        same_length(labels.len(), predictions.len(), "labels", "predictions")?;
        if u32::try_from(labels.len()).is_err() {
            return Err(Error::argument(
                "labels",
                "must be fewer than 2^32; learn from a sample of the rows",
            ));
        }
        // Where a label or prediction is not finite, neither is the loss, nor is it taken for one.
        for (label, prediction) in labels.iter_mut().zip(&predictions) {
            *label = if label.is_finite() && prediction.is_finite() {
                loss.of(*label, *prediction)
            } else {
                f64::NAN
            };
        }
        let complete =
            inputs(&features, columns, &predictions)?.zip(&labels).filter(|(_, loss)| !loss.is_nan());
        let rows = complete.map(|((of_row, prediction), _)| of_row.iter().copied().chain([prediction]));
        let binned = Binned::new(rows, columns + 1);
        // What is left to learn from are bins and losses.
        drop((features, predictions));
        let mut losses = labels;
        losses.retain(|loss| !loss.is_nan());
        if losses.is_empty() {
            return Err(Error::argument(
                "labels",
                "must have at least one row that is complete to learn from",
            ));
        }
        let n = float_len(losses.len());
        let mean = losses.iter().map(|loss| loss / n).sum::<f64>();
        let deviation = losses.iter().map(|loss| (loss - mean).powi(2) / n).sum::<f64>().sqrt();
        if !deviation.is_finite() || !losses.iter().map(|loss| loss * loss).sum::<f64>().is_finite() {
            let problem =
                "are so far from the predictions that squares exceed the range of float64; scale both down";
            return Err(Error::argument("labels", problem));
        }
        let model = Boosted::fit(&binned, &losses);
        Ok(Self { loss, model, mean, deviation, n: losses.len() as u64 })
    }

    /// Which loss it estimates.
    #[must_use]
    pub const fn loss(&self) -> Loss {
        self.loss
    }

    /// Rows of the reference that were learnt from.
    #[must_use]
    pub const fn n_reference(&self) -> u64 {
        self.n
    }

    /// The loss expected for `predictions` made from `features`, both as in [`LossEstimator::fit`]. Rows
    /// whose prediction is not finite are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for other lengths or another number of columns than on the reference.
    pub fn estimate(&self, features: &[f64], columns: usize, predictions: &[f64]) -> Result<Estimate, Error> {
        if columns + 1 != self.model.features() {
            let problem = format!(
                "must have the {} columns of the reference, but has {columns}",
                self.model.features().saturating_sub(1)
            );
            return Err(Error::argument("features", problem));
        }
        let (mut sum, mut n) = (0.0, 0_u64);
        let mut row_and_prediction = Vec::with_capacity(columns + 1);
        for (of_row, prediction) in inputs(features, columns, predictions)? {
            if prediction.is_finite() {
                row_and_prediction.clear();
                row_and_prediction.extend(of_row);
                row_and_prediction.push(prediction);
                sum += self.model.predict(&row_and_prediction);
                n += 1;
            }
        }
        let left_out = predictions.len() as u64 - n;
        let mean = (n > 0).then(|| (sum / float(n)).max(0.0));
        let error = self.deviation / float(n).sqrt();
        let (value, error) = match self.loss {
            Loss::RootMeanSquaredError => (mean.map(f64::sqrt), error / (2.0 * self.mean.sqrt())),
            Loss::MeanAbsoluteError | Loss::MeanSquaredError => (mean, error),
        };
        // A model without any error on the reference has nothing that spreads.
        let error = if self.deviation > 0.0 { error } else { 0.0 };
        let warnings = missing(left_out, usize::try_from(n).unwrap_or(usize::MAX));
        Ok(Estimate::new(self.loss.name(), value, Some(error), f64::MAX, n, warnings))
    }

    /// The estimator as bytes with a version and a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(Kind::LossEstimator, VERSION);
        writer.count(self.loss as u64);
        writer.count(self.n);
        writer.number(self.mean);
        writer.number(self.deviation);
        self.model.write(&mut writer);
        writer.seal()
    }

    /// The estimator that [`LossEstimator::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another statistic or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, Kind::LossEstimator, VERSION)?;
        let loss = match reader.count()? {
            0 => Loss::MeanAbsoluteError,
            1 => Loss::MeanSquaredError,
            2 => Loss::RootMeanSquaredError,
            _ => return Err(impossible("it estimates no known loss")),
        };
        let (n, mean, deviation) = (reader.count()?, reader.number()?, reader.number()?);
        // Written so that a NaN fails the comparison.
        if n == 0 || !(mean >= 0.0 && mean.is_finite() && deviation >= 0.0 && deviation.is_finite()) {
            return Err(impossible("its losses on the reference are none"));
        }
        let model = Boosted::read(&mut reader)?;
        reader.close()?;
        Ok(Self { loss, model, mean, deviation, n })
    }
}

/// Each row's features and prediction.
fn inputs<'data>(
    features: &'data [f64],
    columns: usize,
    predictions: &'data [f64],
) -> Result<impl Iterator<Item = (&'data [f64], f64)> + Clone, Error> {
    if columns == 0 {
        return Err(Error::argument("features", "must have at least one column"));
    }
    let rows = features.chunks_exact(columns);
    same_length(predictions.len(), rows.len(), "predictions", "rows of features")?;
    Ok(rows.zip(predictions.iter().copied()))
}
