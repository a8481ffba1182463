//! Reads labels from what Python has: lists of str, arrays, and the buffers of Apache Arrow.

use std::fmt::Write;

use edge_aiops_stats_core::BLOCK;
use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyList, PyString};

use crate::column::{marks, one_dimensional, wrong_element};
use crate::memory::{Elements, Flags};

/// What counts labels.
pub trait Counter: Send {
    fn add(&mut self, label: &str, times: u64);
    fn add_missing(&mut self, times: u64);
}

/// Counts the labels in a list of str or an array.
pub fn read(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    missing: Option<&Bound<'_, PyAny>>,
    counter: &mut impl Counter,
) -> PyResult<()> {
    if let Ok(list) = values.cast::<PyList>() {
        let missing = missing.map(|mask| marks(mask, list.len())).transpose()?;
        return read_objects(list, missing.as_deref(), counter);
    }
    if !values.is_instance_of::<PyUntypedArray>() {
        return Err(PyTypeError::new_err(format!(
            "values must be a list of str or a NumPy array, not {}; pass list(values)",
            values.get_type().name()?
        )));
    }
    let array = one_dimensional(values, "values")?;
    let missing = missing.map(|mask| marks(mask, array.len())).transpose()?;
    let missing = missing.as_deref();
    let kind = array.dtype().kind();
    if kind == b'O' {
        let list = array.call_method0("tolist")?.cast_into()?;
        read_objects(&list, missing, counter)
    } else if kind == b'U' && array.dtype().is_native_byteorder().unwrap_or(true) {
        FixedWidth::of(&array)?.read(py, missing, counter)
    } else if let Some(flags) = Flags::of(&array) {
        py.detach(|| read_flags(&flags, missing, counter));
        Ok(())
    } else if let Some(integers) = Elements::of(&array) {
        py.detach(|| read_integers(&integers, missing, counter));
        Ok(())
    } else {
        Err(wrong_element(&array, "values", "str, object, bool or int64", "str"))
    }
}

/// Counts the labels that lie one after the other in `data`, each from its offset to the next.
pub fn read_arrow(
    py: Python<'_>,
    offsets: &Bound<'_, PyAny>,
    data: &Bound<'_, PyAny>,
    missing: Option<&Bound<'_, PyAny>>,
    counter: &mut impl Counter,
) -> PyResult<()> {
    let array = one_dimensional(offsets, "offsets")?;
    let Some(length) = array.len().checked_sub(1) else {
        return Err(PyValueError::new_err(
            "offsets must have one entry more than there are labels, but is empty",
        ));
    };
    let missing = missing.map(|mask| marks(mask, length)).transpose()?;
    let missing = missing.as_deref();
    let data = bytes_of(data)?;
    if let Some(narrow) = Elements::<i32>::of(&array) {
        py.detach(|| read_ranges(&narrow, i64::from, &data, missing, counter))
    } else if let Some(wide) = Elements::<i64>::of(&array) {
        py.detach(|| read_ranges(&wide, |offset| offset, &data, missing, counter))
    } else {
        Err(wrong_element(&array, "offsets", "int32 or int64", "int64"))
    }
}

/// Counts Python objects. An object that came shortly before is known by its address, and only counted; the list
/// keeps it alive, and the interpreter lock, which is held throughout, keeps the list as it is.
fn read_objects(
    list: &Bound<'_, PyList>,
    missing: Option<&[bool]>,
    counter: &mut impl Counter,
) -> PyResult<()> {
    let mut recent = Recent::new(list.len());
    for (at, object) in list.iter().enumerate() {
        if is_marked(missing, at) {
            counter.add_missing(1);
            continue;
        }
        let address = object.as_ptr() as u64;
        if recent.has_counted(address) {
            continue;
        }
        count_object(&object, at, 1, counter)?;
        if let Some(left) = recent.enter(address, at) {
            count_object(&list.get_item(left.first)?, left.first, left.times, counter)?;
        }
    }
    for left in recent.left() {
        count_object(&list.get_item(left.first)?, left.first, left.times, counter)?;
    }
    Ok(())
}

fn count_object(
    object: &Bound<'_, PyAny>,
    at: usize,
    times: u64,
    counter: &mut impl Counter,
) -> PyResult<()> {
    if let Ok(text) = object.cast::<PyString>() {
        let label = text.to_str().map_err(|_| not_utf8("values", at))?;
        counter.add(label, times);
        return Ok(());
    }
    let is_nan = || object.cast::<PyFloat>().is_ok_and(|number| number.value().is_nan());
    if !object.is_none() && !is_nan() {
        return Err(PyTypeError::new_err(format!(
            "values must hold str, and None or NaN where there is none, but entry {at} is {}; convert it with str()",
            object.get_type().name()?
        )));
    }
    counter.add_missing(times);
    Ok(())
}

/// An array of texts of the same width, in code points of 32 bits with zeros to the right.
struct FixedWidth {
    code_points: Elements<u32>,
    width: usize,
    length: usize,
}

impl FixedWidth {
    fn of(array: &Bound<'_, PyUntypedArray>) -> PyResult<Self> {
        let (width, length) = (array.dtype().itemsize() / size_of::<u32>(), array.len());
        let numpy = array.py().import("numpy")?;
        let contiguous = numpy.call_method1("ascontiguousarray", (array,))?;
        let code_points = if width == 0 {
            numpy.call_method1("zeros", (0, "uint32"))?
        } else {
            contiguous.call_method1("view", ("uint32",))?
        };
        let code_points = one_dimensional(&code_points, "values")?;
        let code_points =
            Elements::of(&code_points).ok_or_else(|| wrong_element(&code_points, "values", "str", "str"))?;
        Ok(Self { code_points, width, length })
    }

    fn read(&self, py: Python<'_>, missing: Option<&[bool]>, counter: &mut impl Counter) -> PyResult<()> {
        py.detach(|| {
            let (mut points, mut label) = (vec![0; self.width], String::new());
            for at in 0..self.length {
                if is_marked(missing, at) {
                    counter.add_missing(1);
                    continue;
                }
                let points = self.code_points.read(at * self.width, &mut points, |point: u32| point);
                let end = points.iter().rposition(|point| *point != 0).map_or(0, |last| last + 1);
                label.clear();
                for point in points.iter().take(end) {
                    label.push(char::from_u32(*point).ok_or_else(|| not_utf8("values", at))?);
                }
                counter.add(&label, 1);
            }
            Ok(())
        })
    }
}

fn read_flags(flags: &Flags, missing: Option<&[bool]>, counter: &mut impl Counter) {
    let mut block = [false; BLOCK];
    let mut counts = [0; 2];
    for first in (0..flags.length()).step_by(BLOCK) {
        for (at, flag) in (first..).zip(flags.read(first, &mut block)) {
            if is_marked(missing, at) {
                counter.add_missing(1);
            } else if *flag {
                counts[1] += 1;
            } else {
                counts[0] += 1;
            }
        }
    }
    for (label, times) in ["false", "true"].into_iter().zip(counts).filter(|(_, times)| *times > 0) {
        counter.add(label, times);
    }
}

fn read_integers(integers: &Elements<i64>, missing: Option<&[bool]>, counter: &mut impl Counter) {
    let (mut block, mut label) = ([0; BLOCK], String::new());
    let mut recent = Recent::new(integers.length());
    let mut count = |integer: u64, times: u64, counter: &mut _| {
        label.clear();
        // Writing to a string does not fail.
        let _ = write!(label, "{}", integer.cast_signed());
        Counter::add(counter, &label, times);
    };
    for first in (0..integers.length()).step_by(BLOCK) {
        for (at, integer) in (first..).zip(integers.read(first, &mut block, i64::cast_unsigned)) {
            if is_marked(missing, at) {
                counter.add_missing(1);
            } else if !recent.has_counted(*integer) {
                count(*integer, 1, counter);
                if let Some(left) = recent.enter(*integer, at) {
                    count(left.key, left.times, counter);
                }
            }
        }
    }
    for left in recent.left() {
        count(left.key, left.times, counter);
    }
}

fn read_ranges<Offset: Copy>(
    offsets: &Elements<Offset>,
    wide: impl Fn(Offset) -> i64,
    data: &Elements<u8>,
    missing: Option<&[bool]>,
    counter: &mut impl Counter,
) -> PyResult<()> {
    // Blocks overlap by the offset that ends one label and begins the next.
    let (mut block, mut label) = ([0; BLOCK + 1], Vec::new());
    for first in (0..offsets.length().saturating_sub(1)).step_by(BLOCK) {
        let block = offsets.read(first, &mut block, &wide);
        for (at, (start, end)) in (first..).zip(block.iter().zip(block.iter().skip(1))) {
            if is_marked(missing, at) {
                counter.add_missing(1);
                continue;
            }
            let range = usize::try_from(*start).ok().zip(usize::try_from(*end).ok());
            let range = range.filter(|(start, end)| start <= end && *end <= data.length());
            let Some((start, end)) = range else {
                return Err(PyValueError::new_err(format!(
                    "offsets must not decrease nor pass the end of data, but label {at} goes from {start} to {end} of {}",
                    data.length()
                )));
            };
            label.resize(end - start, 0);
            data.read(start, &mut label, |byte| byte);
            counter.add(str::from_utf8(&label).map_err(|_| not_utf8("data", at))?, 1);
        }
    }
    Ok(())
}

fn bytes_of(data: &Bound<'_, PyAny>) -> PyResult<Elements<u8>> {
    let array = if data.is_instance_of::<PyUntypedArray>() {
        data.clone()
    } else {
        let numpy = data.py().import("numpy")?;
        numpy.call_method1("frombuffer", (data, "uint8")).map_err(|refusal| {
            let problem = format!("data must be bytes, one after the other: {}", refusal.value(data.py()));
            PyErr::from_type(refusal.get_type(data.py()), problem)
        })?
    };
    let array = one_dimensional(&array, "data")?;
    Elements::of(&array).ok_or_else(|| wrong_element(&array, "data", "uint8", "uint8"))
}

fn is_marked(missing: Option<&[bool]>, at: usize) -> bool {
    missing.is_some_and(|missing| missing.get(at) == Some(&true))
}

fn not_utf8(name: &str, at: usize) -> PyErr {
    PyValueError::new_err(format!(
        "{name} must be texts that UTF-8 can express, but entry {at} is not; \
         decode it with errors='replace' or mark it as missing"
    ))
}

/// How often some keys came since they were last counted: a small table in which a newcomer takes the place of
/// whoever was there.
struct Recent {
    slots: Vec<Option<Waiting>>,
    /// What is left of a hash for a slot.
    shift: u32,
}

/// A key that came `times` times since it was last counted, and where it came first.
#[derive(Clone, Copy)]
struct Waiting {
    key: u64,
    first: usize,
    times: u64,
}

impl Recent {
    fn new(length: usize) -> Self {
        let slots = length.next_power_of_two().clamp(2, 1024);
        Self { slots: vec![None; slots], shift: u64::BITS - slots.ilog2() }
    }

    /// Whether the key is here; it came once more then.
    #[inline]
    fn has_counted(&mut self, key: u64) -> bool {
        match self.slot(key) {
            Some(Some(waiting)) if waiting.key == key => {
                waiting.times += 1;
                true
            }
            _ => false,
        }
    }

    /// Puts in a key that has just been counted. Gives the one that had its place if that is still to be counted.
    #[inline]
    fn enter(&mut self, key: u64, first: usize) -> Option<Waiting> {
        let before = self.slot(key)?.replace(Waiting { key, first, times: 0 });
        before.filter(|waiting| waiting.times > 0)
    }

    /// All that are still to be counted.
    fn left(self) -> impl Iterator<Item = Waiting> {
        self.slots.into_iter().flatten().filter(|waiting| waiting.times > 0)
    }

    #[inline]
    fn slot(&mut self, key: u64) -> Option<&mut Option<Waiting>> {
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift;
        self.slots.get_mut(usize::try_from(hash).ok()?)
    }
}
