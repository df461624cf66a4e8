//! Unpublished member over the facade with `full`.
