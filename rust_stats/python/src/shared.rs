//! A summary that many Python threads may update.

use std::sync::{Mutex, PoisonError};

/// A value behind a lock that is only ever held for moments, and never while waiting for the interpreter.
pub struct Shared<T>(Mutex<T>);

impl<T: Clone> Shared<T> {
    pub fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// The value as it is now.
    pub fn get(&self) -> T {
        self.with(|value| value.clone())
    }

    /// What `act` makes of the value, or gives from it.
    pub fn with<Given>(&self, act: impl FnOnce(&mut T) -> Given) -> Given {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: Clone + PartialEq> PartialEq for Shared<T> {
    /// Copies first, since both may be the same one.
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}
