//! A pretend world to deploy into.
