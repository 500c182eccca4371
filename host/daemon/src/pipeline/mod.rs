//! [`Pipeline`]: the way of a task through the skills. Its steps are in `steps`; whether the owner has done
//! a task themself is asked in `owners_work`.

mod owners_work;
mod steps;

pub use owners_work::OwnersWork;
pub(crate) use owners_work::ZonesWork;
pub use steps::Pipeline;
