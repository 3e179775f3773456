//! `perkins` turns the raw collections of a state into the indicators of the Perkins V act.
//!
//! The modules follow the data: contracts say what comes in, ingest makes the lake, a jurisdiction and the catalog of SQL views say what is
//! computed, the engine runs the views, tally counts, and a run writes the tables.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo, clippy::unimplemented))]
#![warn(missing_docs)]

pub mod audit;
pub mod backfill;
pub mod catalog;
pub mod certificate;
pub mod chunk;
pub mod cli;
pub mod command;
pub mod commit;
pub mod compare;
pub mod contract;
pub mod describe;
pub mod diff;
pub mod disclosure;
pub mod docs;
pub mod engine;
pub mod error;
pub mod explain;
pub mod gc;
pub mod history;
pub mod ingest;
pub mod intake;
pub mod jurisdiction;
pub mod lake;
pub mod lineage;
pub mod mapping;
pub mod memory;
pub mod observe;
pub mod project;
pub mod publish;
pub mod published;
pub mod quality;
pub mod remove;
pub mod report;
pub mod root;
pub mod run;
pub mod seal;
pub mod store;
pub mod synth;
pub mod table;
pub mod tally;
pub mod window;

/// Version of the program, as in manifests.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
