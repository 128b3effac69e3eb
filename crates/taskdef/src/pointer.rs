//! JSON pointers (RFC 6901).

/// Escapes one token of a pointer.
pub(crate) fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}
