//! The protobuf messages of the administrator protocol.
