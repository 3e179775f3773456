//! Why a student counts, or does not: the views of a run over the rows of one student, and the sentences of `sql/explain` about what they found.
//!
//! Nothing is decided here. Who is in a denominator is read from `membership`, as in a run, and the views of `sql/explain` put into words what
//! the other views hold. Which of them decide an indicator is said by the header of its file.

mod answer;
mod text;

pub use answer::{Answer, Decision, Fact, Indicator, Program, Question, RuleValue, Topic, ask};
pub use text::text;
