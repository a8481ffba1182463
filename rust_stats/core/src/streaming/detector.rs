//! What all detectors have in common: which values they take, what they count, and how they travel.

use crate::encoding::{Kind, Reader, Writer, impossible};
use crate::error::Error;

const VERSION: u8 = 1;

/// Values beyond this are taken for broken readings: their squares could not be summed.
pub const LARGEST: f64 = 1e100;

/// How a detector decides; the parameters are part of it.
pub trait Rule: Sized {
    /// Which detector.
    #[expect(private_interfaces, reason = "rules are only made here")]
    const KIND: Kind;

    /// Forgets all values, and keeps the parameters.
    fn restart(&mut self);

    /// Takes a value, a finite one, and says whether it shows a change.
    fn take(&mut self, value: f64) -> bool;

    /// What is wrong with a finite value that the rule has no use for.
    #[must_use]
    fn refusal(_value: f64) -> Option<Error> {
        None
    }

    /// Writes parameters and state.
    #[expect(private_interfaces, reason = "rules are only made here")]
    fn write(&self, to: &mut Writer);

    /// Reads what `write` wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Impossible`] if nothing can have written it.
    #[expect(private_interfaces, reason = "rules are only made here")]
    fn read(from: &mut Reader<'_>) -> Result<Self, Error>;
}

/// A detector of changes in a stream, by the rule `R`.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector<R> {
    pub(super) rule: R,
    seen: u64,
    left_out: u64,
    detections: u64,
    drift_detected: bool,
}

impl<R: Rule> Detector<R> {
    pub(super) const fn starting(rule: R) -> Self {
        Self { rule, seen: 0, left_out: 0, detections: 0, drift_detected: false }
    }

    /// Takes the next value of the stream: does it show a change?
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for a finite value that the detector has no use for. Nothing has changed then.
    pub fn update(&mut self, value: f64) -> Result<bool, Error> {
        if !usable(value) {
            self.left_out = self.left_out.saturating_add(1);
            return Ok(false);
        }
        match R::refusal(value) {
            Some(refusal) => Err(refusal),
            None => Ok(self.take(value)),
        }
    }

    /// Takes the next values of the stream, and gives the positions in `values` of those that show a change.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there is a finite value that the detector has no use for. No value has been
    /// taken then.
    pub fn update_many(&mut self, values: &[f64]) -> Result<Vec<usize>, Error> {
        let refusal = values.iter().copied().filter(|value| usable(*value)).find_map(R::refusal);
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        let mut detections = Vec::new();
        for (position, value) in values.iter().copied().enumerate() {
            if !usable(value) {
                self.left_out = self.left_out.saturating_add(1);
            } else if self.take(value) {
                detections.push(position);
            }
        }
        Ok(detections)
    }

    fn take(&mut self, value: f64) -> bool {
        if self.drift_detected {
            self.rule.restart();
        }
        self.seen = self.seen.saturating_add(1);
        self.drift_detected = self.rule.take(value);
        self.detections = self.detections.saturating_add(u64::from(self.drift_detected));
        self.drift_detected
    }

    /// Forgets all values and counts, and keeps the parameters.
    pub fn reset(&mut self) {
        self.rule.restart();
        (self.seen, self.left_out, self.detections, self.drift_detected) = (0, 0, 0, false);
    }

    /// Whether the latest value that was taken showed a change. The next one starts anew.
    #[must_use]
    pub const fn drift_detected(&self) -> bool {
        self.drift_detected
    }

    /// Number of values taken since the start.
    #[must_use]
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// Number of values that were not finite or beyond [`LARGEST`], and not taken.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Number of changes detected since the start.
    #[must_use]
    pub const fn detections(&self) -> u64 {
        self.detections
    }

    /// Parameters, state and counts as bytes with a version and a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(R::KIND, VERSION);
        for count in [self.seen, self.left_out, self.detections, u64::from(self.drift_detected)] {
            writer.count(count);
        }
        self.rule.write(&mut writer);
        writer.seal()
    }

    /// The detector that [`Detector::to_bytes`] wrote, which goes on where that one was.
    ///
    /// # Errors
    ///
    /// A named [`Error`] if the bytes are foreign, damaged, of another detector or version, or contradict
    /// themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::open(bytes, R::KIND, VERSION)?;
        let (seen, left_out, detections) = (reader.count()?, reader.count()?, reader.count()?);
        let drift_detected = flag(&mut reader)?;
        let rule = R::read(&mut reader)?;
        reader.close()?;
        if detections > seen || drift_detected && detections == 0 {
            return Err(impossible("it detected more changes than it took values"));
        }
        Ok(Self { rule, seen, left_out, detections, drift_detected })
    }
}

fn usable(value: f64) -> bool {
    value.abs() <= LARGEST
}

pub(super) fn flag(from: &mut Reader<'_>) -> Result<bool, Error> {
    match from.count()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(impossible("a flag is neither 0 nor 1")),
    }
}

/// A number of a state: finite.
pub(super) fn finite(from: &mut Reader<'_>) -> Result<f64, Error> {
    let number = from.number()?;
    if number.is_finite() { Ok(number) } else { Err(impossible("a number of a detector is not finite")) }
}

/// A number of deviations or of squares: finite and not negative.
pub(super) fn not_negative(from: &mut Reader<'_>) -> Result<f64, Error> {
    let number = finite(from)?;
    if number >= 0.0 { Ok(number) } else { Err(impossible("a sum of squares or a threshold is negative")) }
}

/// The parameter `value`, if it lies strictly between 0 and 1.
pub(super) fn probability(name: &'static str, value: f64) -> Result<f64, Error> {
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(Error::argument(name, format!("must lie between 0 and 1, both excluded, but is {value:?}")))
    }
}

/// The parameter `value`, if it is finite and not negative.
pub(super) fn size(name: &'static str, value: f64) -> Result<f64, Error> {
    if value >= 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::argument(name, format!("must be a finite number of at least 0, but is {value:?}")))
    }
}

/// The parameter `value`, if it is at least `least`.
pub(super) fn at_least(name: &'static str, value: u64, least: u64) -> Result<u64, Error> {
    if value >= least {
        Ok(value)
    } else {
        Err(Error::argument(name, format!("must be at least {least}, but is {value}")))
    }
}

/// Parameters that no constructor takes cannot have been written.
pub(super) fn as_written<T>(made: Result<T, Error>) -> Result<T, Error> {
    made.map_err(|_| impossible("a parameter of the detector has a value that it cannot take"))
}
