//! The one test binary: everything links once. Each module says what it tests.

mod cases;
mod cli;
mod explain;
mod golden;
mod ingest_rows;
mod ingest_split;
mod ingest_values;
mod jurisdiction;
mod overlay;
mod project;
mod property;
mod reference;
mod registry;
mod report;
mod school;
mod support;
mod synth;
mod synth_state;
mod tally;
mod whole;
