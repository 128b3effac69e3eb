//! Everything a certificate goes through.
