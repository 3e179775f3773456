//! A run.
pub mod output;
pub mod parameter;
pub mod stage;
