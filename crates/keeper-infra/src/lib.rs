//! The Keeper half of the guide as resources.
