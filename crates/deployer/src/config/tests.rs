//! Tests of the whole way from text to config or error.
