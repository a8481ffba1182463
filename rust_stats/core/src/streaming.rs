//! Detectors of a change in a stream: a value in, a verdict out, in constant memory.
//!
//! A [`Detector`] is given the values of a stream in order, one by one or many at a time, which comes to the
//! same. After it has detected a change it starts anew with the value that follows. What it knows travels as
//! bytes, and goes on elsewhere as if nothing had happened.
//!
//! Libraries differ in their detectors. These follow river 0.26, detection for detection; each file says in
//! what not.
//!
//! Only numbers of at most [`LARGEST`] in magnitude are taken. Others, NaN and infinities among them, are
//! counted and change nothing else.

mod adwin;
mod ddm;
mod detector;
mod kswin;
mod page_hinkley;

pub use adwin::{AdaptiveWindow, Adwin};
pub use ddm::{Ddm, ErrorRate};
pub use detector::{Detector, LARGEST, Rule};
pub use kswin::{Kswin, RecentAgainstOlder};
pub use page_hinkley::{Direction, MeanSums, PageHinkley};
