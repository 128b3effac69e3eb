//! A graph of resources that can be looked up, compared, applied and undone.
