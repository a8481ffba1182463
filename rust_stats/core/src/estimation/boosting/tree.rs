//! A regression tree.

use crate::encoding::{Reader, Writer, impossible};
use crate::error::Error;

/// Nodes, the root first; children come after their parent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Node {
    Leaf(f64),
    Split(Split),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub(super) feature: usize,
    /// Values up to here go left.
    pub(super) bound: f64,
    pub(super) missing_left: bool,
    /// Index of the left child; the right one is the next.
    pub(super) left: usize,
}

impl Tree {
    pub(super) fn at(&self, row: &[f64]) -> f64 {
        let mut at = 0;
        loop {
            match self.nodes.get(at) {
                Some(Node::Split(split)) => {
                    let value = row.get(split.feature).copied().unwrap_or(f64::NAN);
                    let left = if value.is_nan() { split.missing_left } else { value <= split.bound };
                    at = split.left + usize::from(!left);
                }
                Some(Node::Leaf(value)) => return *value,
                None => return 0.0,
            }
        }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.count(self.nodes.len() as u64);
        for node in &self.nodes {
            match node {
                Node::Leaf(value) => {
                    writer.count(0);
                    writer.number(*value);
                }
                Node::Split(split) => {
                    writer.count(1 + u64::from(split.missing_left));
                    writer.count(split.feature as u64);
                    writer.number(split.bound);
                    writer.count(split.left as u64);
                }
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, features: usize) -> Result<Self, Error> {
        let count = usize::try_from(reader.count()?).unwrap_or(0);
        let mut nodes = Vec::new();
        for at in 0..count {
            nodes.push(match reader.count()? {
                0 => Node::Leaf(reader.number()?),
                kind @ (1 | 2) => {
                    let index = |count| usize::try_from(count).unwrap_or(usize::MAX);
                    let feature = index(reader.count()?);
                    let bound = reader.number()?;
                    let left = index(reader.count()?);
                    // Children after their parent: so every path ends.
                    if feature >= features || bound.is_nan() || left <= at || left >= count - 1 {
                        return Err(impossible("a split of a tree leads nowhere"));
                    }
                    Node::Split(Split { feature, bound, missing_left: kind == 2, left })
                }
                _ => return Err(impossible("a node of a tree is neither leaf nor split")),
            });
        }
        let leaves_are_numbers =
            nodes.iter().all(|node| !matches!(node, Node::Leaf(value) if !value.is_finite()));
        if nodes.is_empty() || !leaves_are_numbers {
            return Err(impossible("a tree has no leaf or one that is not a number"));
        }
        Ok(Self { nodes })
    }
}
