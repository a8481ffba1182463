//! The memory behind a NumPy array, read with the interpreter lock released: all unsafe code of the
//! extension.
//!
//! Once the lock is released, other Python threads may write to an array that we read; a read-only view does
//! not hinder the owner of its memory. So no Rust reference to an array's elements is ever made. Each value
//! is read once, by a volatile read, into memory of our own. If somebody writes meanwhile, each value is
//! found as it was or as it became: the result is that of a mixture, but of the right number of values, and
//! there is neither a crash nor a number that was never there. (On processors of 32 bits, one half of a
//! double may be old and the other new.)
//!
//! The array is kept alive meanwhile. Only `ndarray.resize(refcheck=False)` could take its memory away, as it
//! could from every NumPy function that releases the lock; NumPy documents it as unsafe.

use numpy::{Element, PyArray1, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// The elements of an array of numbers.
pub enum Numbers {
    Float64(Elements<f64>),
    Float32(Elements<f32>),
    Int64(Elements<i64>),
    Bool(Elements<u8>),
}

impl Numbers {
    /// None unless the array has one dimension, is aligned and holds float64, float32, int64 or bool.
    pub fn of(array: &Bound<'_, PyUntypedArray>) -> Option<Self> {
        None.or_else(|| Elements::of(array).map(Self::Float64))
            .or_else(|| Elements::of(array).map(Self::Float32))
            .or_else(|| Elements::of(array).map(Self::Int64))
            .or_else(|| Elements::of(array).map(|flags| Self::Bool(flags.into_bytes())))
    }

    pub fn length(&self) -> usize {
        match self {
            Self::Float64(elements) => elements.length,
            Self::Float32(elements) => elements.length,
            Self::Int64(elements) => elements.length,
            Self::Bool(elements) => elements.length,
        }
    }

    /// As many numbers from `first` on as there are and as `into` holds.
    pub fn read<'into>(&self, first: usize, into: &'into mut [f64]) -> &'into [f64] {
        match self {
            Self::Float64(elements) => elements.read(first, into, |number| number),
            Self::Float32(elements) => elements.read(first, into, f64::from),
            Self::Int64(elements) => elements.read(first, into, nearest),
            Self::Bool(elements) => elements.read(first, into, zero_or_one),
        }
    }
}

/// The elements of an array of counts.
pub enum Counts {
    Int64(Elements<i64>),
    UInt64(Elements<u64>),
}

impl Counts {
    /// None unless the array has one dimension, is aligned and holds int64 or uint64.
    pub fn of(array: &Bound<'_, PyUntypedArray>) -> Option<Self> {
        None.or_else(|| Elements::of(array).map(Self::Int64))
            .or_else(|| Elements::of(array).map(Self::UInt64))
    }

    /// All counts, or one that is negative.
    pub fn read(&self) -> Result<Vec<u64>, i64> {
        match self {
            Self::Int64(elements) => {
                let mut counts = vec![0; elements.length];
                elements.read(0, &mut counts, |count| count);
                counts.into_iter().map(|count| u64::try_from(count).map_err(|_| count)).collect()
            }
            Self::UInt64(elements) => {
                let mut counts = vec![0; elements.length];
                elements.read(0, &mut counts, |count| count);
                Ok(counts)
            }
        }
    }
}

/// The elements of an array of booleans.
pub struct Flags(Elements<u8>);

impl Flags {
    /// None unless the array has one dimension and holds bool.
    pub fn of(array: &Bound<'_, PyUntypedArray>) -> Option<Self> {
        Elements::of(array).map(|flags| Self(flags.into_bytes()))
    }

    pub fn length(&self) -> usize {
        self.0.length
    }

    /// As many flags from `first` on as there are and as `into` holds.
    pub fn read<'into>(&self, first: usize, into: &'into mut [bool]) -> &'into [bool] {
        self.0.read(first, into, |byte| byte != 0)
    }
}

/// Where the elements of an array lie, and a share in the array, which keeps them there.
pub struct Elements<T> {
    start: *const T,
    /// Bytes from one element to the next: negative in a reversed view, zero in a broadcast one.
    stride: isize,
    length: usize,
    owner: Py<PyUntypedArray>,
}

#[expect(unsafe_code, reason = "the address goes along where the interpreter lock is released")]
// SAFETY: nothing is written through the address, and reading tolerates writers, see `read_strided`.
unsafe impl<T> Sync for Elements<T> {}

impl<T: Element> Elements<T> {
    /// None unless the array has one dimension, is aligned and holds `T`.
    pub fn of(array: &Bound<'_, PyUntypedArray>) -> Option<Self> {
        let typed = array.cast::<PyArray1<T>>().ok()?;
        typed.is_aligned().then(|| Self {
            start: typed.data(),
            stride: typed.strides().first().copied().unwrap_or_default(),
            length: typed.len(),
            owner: array.clone().unbind(),
        })
    }
}

impl Elements<bool> {
    /// In an array of booleans NumPy lets any byte stand, as in a view of integers; Rust only 0 and 1.
    fn into_bytes(self) -> Elements<u8> {
        Elements { start: self.start.cast(), stride: self.stride, length: self.length, owner: self.owner }
    }
}

impl<T: Copy> Elements<T> {
    pub fn length(&self) -> usize {
        self.length
    }

    /// As many elements from `first` on as there are and as `into` holds, each converted.
    pub fn read<'into, Into>(
        &self,
        first: usize,
        into: &'into mut [Into],
        convert: impl Fn(T) -> Into,
    ) -> &'into [Into] {
        let length = into.len().min(self.length.saturating_sub(first));
        let into = into.get_mut(..length).unwrap_or_default();
        let start = self.start.wrapping_byte_offset(self.stride.wrapping_mul(first.cast_signed()));
        // Said once as a constant, the stride of a contiguous array costs nothing.
        let size = size_of::<T>().cast_signed();
        if self.stride == size {
            read_strided(start, size, into, convert);
        } else {
            read_strided(start, self.stride, into, convert);
        }
        into
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "only inlined does the constant stride reach the loop")]
#[expect(unsafe_code, reason = "NumPy's memory is read with the interpreter lock released")]
fn read_strided<T: Copy, Into>(
    start: *const T,
    stride: isize,
    into: &mut [Into],
    convert: impl Fn(T) -> Into,
) {
    let mut at = start;
    for slot in into {
        // SAFETY: `at` runs over elements of a living, aligned array of `T`: its one caller hands in no more
        // slots than there are elements left. Every bit pattern is a `T` (a number of Rust, never bool or char). The memory
        // is NumPy's, outside of any Rust allocation; a volatile read presumes nothing about who else uses it.
        *slot = convert(unsafe { at.read_volatile() });
        at = at.wrapping_byte_offset(stride);
    }
}

#[expect(clippy::cast_precision_loss, reason = "documented: beyond 2^53 an integer is the nearest double")]
fn nearest(number: i64) -> f64 {
    number as f64
}

/// Written with integers since a choice between two doubles becomes a jump, guessed wrong every other time.
fn zero_or_one(byte: u8) -> f64 {
    f64::from_bits(1.0_f64.to_bits() * u64::from(byte != 0))
}
