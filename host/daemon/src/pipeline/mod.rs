//! [`Pipeline`]: the way of a task through the skills. Its steps are in `steps`; whether the owner has done
//! a task themself is asked in `owners_work`; which tasks were left without a draft is in `unfinished`, which
//! drafting runs were cut off in `runs`, when a task is tried again in `retries`.

mod owners_work;
mod retries;
mod runs;
mod steps;
mod unfinished;

pub use owners_work::OwnersWork;
pub(crate) use owners_work::ZonesWork;
pub use steps::Pipeline;
