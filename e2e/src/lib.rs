//! The whole guide against emulators.
