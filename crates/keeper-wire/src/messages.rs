//! The protobuf messages of the administrator protocol.
//!
//! Written by hand from the vendor's descriptors (Commander 18.1.8), so that neither `protoc` nor generated code is needed.
//! One module for each proto package, or for each half of a large one. Names are those of the descriptors in Rust's letter
//! case; fields that no part of this product reads or writes are left out, and are skipped when they arrive. What is called
//! a guess was never seen.
//!
//! ```
//! use keeper_wire::messages::automator::AdminEnableAutomatorRequest;
//! use prost::Message;
//!
//! let request = AdminEnableAutomatorRequest { automator_id: 7, enabled: false };
//! assert_eq!(request.encode_to_vec(), [8, 7]); // `false` leaves no byte
//! ```
//!
//! Whatever may hold a key, a token or a password has a `Debug` that shows its name only. Enum values arrive as numbers:
//! a number that is in no table is no error of the decoder, and [`told`](authentication::LoginState::told) says it to a person.

/// Values of an enum of the descriptors, each with the vendor's name.
macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident { $($value:ident = $number:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
        #[repr(i32)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $value = $number,)*
        }

        impl $name {
            /// The vendor's name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$value => $text,)* }
            }

            /// A number as it came, for a person: the vendor's name, or the number itself when the table lacks it.
            #[must_use]
            pub fn told(number: i32) -> String {
                Self::try_from(number).map_or_else(|_| format!("{} {number}", stringify!($name)), |value| value.name().to_owned())
            }
        }
    };
}

/// A `Debug` that shows a message's name and nothing that is in it.
macro_rules! hidden {
    ($($name:ident),* $(,)?) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })*
    };
}

pub mod account_summary;
pub mod applications;
pub mod authentication;
pub mod automator;
pub mod enterprise;
pub mod files;
pub mod folder;
pub mod records;
#[cfg(test)]
mod tests;
pub mod vault;
