//! The complete page of `sync_down` of spec 7.11, made with the vendor's functions.
