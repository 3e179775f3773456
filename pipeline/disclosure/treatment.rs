//! How a figure is published, and why.

/// A bound that stands for a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Band {
    /// `> bound`, else `< bound`.
    pub above: bool,
    /// Percent.
    pub bound: i64,
}

/// What of a figure is public. Denominator, numerator and rate are one cell: with a denominator, a rate of one decimal gives the numerator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Treatment {
    /// Denominator, numerator, rate.
    Shown,
    /// Denominator, and a bound of the rate.
    Band(Band),
    /// Denominator.
    NumeratorHidden,
    /// Nothing.
    Hidden,
}

impl Treatment {
    /// Whether the denominator is public.
    pub fn shows_denominator(self) -> bool {
        self != Treatment::Hidden
    }
}

/// Why a figure is not shown (restricted: which figure was small and which complementary tells about students).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It is shown.
    None,
    /// Few students.
    Small,
    /// It leaves few students of all, or of the whole cohort, outside.
    Complement,
    /// It is shown by a line on which hidden figures sum to few students, so it is hidden with them.
    SmallSum,
    /// Without it, another hidden figure could be computed.
    Secondary,
    /// Its rate is beyond a threshold.
    Band,
    /// An earlier release showed it, so it stays, though a rule would hide it now; or shown figures of an earlier release give it away.
    PriorRelease,
}

impl Reason {
    /// The code in the restricted table `disclosure`; none for a figure that is simply shown.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Reason::None => None,
            Reason::Small => Some("small"),
            Reason::Complement => Some("complement"),
            Reason::SmallSum => Some("small_sum"),
            Reason::Secondary => Some("secondary"),
            Reason::Band => Some("band"),
            Reason::PriorRelease => Some("prior_release"),
        }
    }
}
