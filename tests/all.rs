//! The one test binary: everything links once. Each module says what it tests.

mod cases;
mod cli;
mod golden;
mod ingest;
mod jurisdiction;
mod overlay;
mod property;
mod reference;
mod registry;
mod support;
mod synth;
