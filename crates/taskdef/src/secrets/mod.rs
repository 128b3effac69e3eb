//! `SECRETS`, the mini-language of the writer image: which piece of which vault record goes where.
//!
//! One entry per line, `NOTATION > DESTINATION`, separated by real line feeds. The image has no public
//! source, so what we write is the narrowest form its documentation shows, and what we read is checked
//! harder than the image may do.

mod line;
mod notation;

pub use line::{Destination, Entry, LineError, ParseError, Secrets};
pub use notation::{Notation, NotationError, Pick, Selector};
