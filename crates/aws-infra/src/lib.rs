//! The AWS half of the guide, one file per resource.
