//! Where a continuous function crosses zero.

/// The end, towards `outside`, of the last interval that bisection leaves between `inside`, where `crossed` is
/// false, and `outside`, where it is true or which is the limit: two neighbouring numbers, or about 10⁻¹⁶ of
/// them.
pub(super) fn crossing(inside: f64, outside: f64, crossed: impl Fn(f64) -> bool) -> f64 {
    let (mut inside, mut outside) = (inside, outside);
    loop {
        let middle = f64::midpoint(inside, outside);
        let between = inside.min(outside) < middle && middle < inside.max(outside);
        if !between {
            return outside;
        }
        if crossed(middle) {
            outside = middle;
        } else {
            inside = middle;
        }
    }
}
