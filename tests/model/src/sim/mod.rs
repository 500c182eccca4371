//! The simulator: hosts that run the real protocol against a remote, disks, clocks and people that
//! do what such things do. See [`run`].
//!
//! Lives here: what a run is made of and how it goes. `world` holds everything, `host` is what a
//! daemon does step by step, `editors` edit, `faults` decides what happens next, `verdict` is the
//! oracle.

mod content;
mod disk;
mod editors;
mod faults;
mod host;
mod remote;
mod rng;
mod verdict;
mod world;

/// A mistake made on purpose, in the driver around the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// Claims and commits have nothing random in them, and two hosts have one name.
    NoNonce,
    /// A rejected claim is put on the new tip as it is.
    Rebase,
    /// A push that was not answered in time is taken for a lost claim.
    TimeoutIsLost,
    /// An effect goes by what is on this disk.
    NoEpochCheck,
    /// No intent is written before an effect.
    NoIntent,
    /// A file is replaced without a look at what is there.
    ApplyBlind,
    /// The loser of a conflict is not kept.
    CopyDropped,
    /// What came in counts as applied before it is on the disk.
    AppliedFirst,
    /// It is not noted which files are being brought to the disk.
    TakeInForgotten,
    /// A delete beats an edit.
    DeleteWins,
    /// What was decided offline is pushed as it is, not held against the tip.
    CommitsReplayed,
}

/// How often things happened: a run in which nothing happened shows nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Commits that landed.
    pub landed: u32,
    /// Pushes that landed after their sender gave up on them.
    pub late: u32,
    /// Two versions of one file.
    pub conflicts: u32,
    /// Files that were edited between the look and the write.
    pub aside: u32,
    /// Daemons that died.
    pub crashes: u32,
    /// Claims that were won.
    pub claims: u32,
    /// Tasks taken over.
    pub taken_over: u32,
    /// Effects.
    pub effects: u32,
    /// Claims that were wished for while the line was cut.
    pub tentative: u32,
    /// Tasks claimed or finished without the remote.
    pub offline: u32,
    /// Work that turned out to be another's once the remote was back.
    pub lost_offline: u32,
    /// Stamps from too far ahead.
    pub distrusted: u32,
    /// Edits by people.
    pub edits: u32,
}

impl Coverage {
    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            landed: self.landed + other.landed,
            late: self.late + other.late,
            conflicts: self.conflicts + other.conflicts,
            aside: self.aside + other.aside,
            crashes: self.crashes + other.crashes,
            claims: self.claims + other.claims,
            taken_over: self.taken_over + other.taken_over,
            effects: self.effects + other.effects,
            tentative: self.tentative + other.tentative,
            offline: self.offline + other.offline,
            lost_offline: self.lost_offline + other.lost_offline,
            distrusted: self.distrusted + other.distrusted,
            edits: self.edits + other.edits,
        }
    }
}

/// A run in which a promise was broken.
#[derive(Debug, Clone)]
pub struct Failure {
    /// It gives the same run again.
    pub seed: u64,
    /// What was broken.
    pub what: String,
    /// Every step to it.
    pub trace: Vec<String>,
}

/// Runs one simulation: two to four hosts, notes that people edit, tasks in shared zones and in one
/// that local works in alone; faults of every kind at any moment; then calm, in which all must
/// become one again.
///
/// # Errors
/// With the trace, if a promise was broken.
pub fn run(seed: u64, mistake: Option<Mistake>) -> Result<Coverage, Failure> {
    match faults::run(seed, mistake, false) {
        (seen, None, _) => Ok(seen),
        // Once more, for the trace: it costs time, and is needed only now.
        (_, Some(_), _) => {
            let (_, failure, trace) = faults::run(seed, mistake, true);
            Err(Failure {
                seed,
                what: failure.unwrap_or_else(|| "not the same run again".to_owned()),
                trace,
            })
        }
    }
}
