//! The attacker: what can be computed from published tables, in whole numbers, by anybody.
//!
//! It reads only [`crate::published::Published`]: figures as they are shown and the relations that the public knows. A count that is not
//! shown is *given away* when it has the same value in every whole-number table that agrees with all of it (specification: disclosure.md,
//! "The attacker"). For every other count there is a second table that differs in it; both are told, so that nobody has to trust this code:
//! see [`Attack::base`] and [`Attack::moves`].
//!
//! Steps: relations become rows over the unknown counts (`system`); pieces that hang together (`pieces`) are attacked apart, on several
//! threads; bounds are tightened by the rows (`domain`); in what is left a first point is looked for (`first`), then a second for each
//! count by short moves (`moves`), exact search (`search`) and elimination modulo a prime (`rank`). What is not decided within its budget
//! is told as undecided, never passed over. Budgets count entries that are looked at, not time, so the result is the same every time.
//!
//! Tables come from files by a description (`describe`, `read`).

mod attack;
mod describe;
mod domain;
mod explain;
mod first;
mod frame;
mod guess;
mod implied;
mod moves;
mod paths;
mod pieces;
mod rank;
mod read;
mod reduced;
mod relate;
mod search;
mod shown;
mod solve;
mod system;
mod tell;

pub use attack::{Attack, Finding, attack, attack_again};
pub use describe::{
    Absent, CohortWithin, Columns, DescribeError, Description, GroupWithin, Groups, LevelSum, LineTable, Partition, Same, Shown, Ties,
};
pub use frame::{Column, Frame};
pub use read::PublicTable;
pub(crate) use relate::leave_out_seeming;
pub use system::{Layer, Relation};
