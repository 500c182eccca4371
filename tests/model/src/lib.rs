//! Claims and sync, searched whole and simulated: two ways to find the one order of events in a
//! million that breaks a promise.
//!
//! Lives here: [`claims`], a model that `stateright` searches to the last state, and [`sim`], a
//! simulator that runs from seeds. Lives elsewhere: what they run is the real code of
//! `platinum-protocol`; real Git, real processes and real lines are tried in `tests/host`.
//!
//! # The model of claims
//!
//! The remote is a compare-and-swap register of a few files per task. Two agents claim, act, finish
//! and release up to three tasks; each agent *is* a [`platinum_protocol::ClaimMachine`] with the
//! driver around it. Agent 0 is local: it alone acts, and it alone takes over, as the path table
//! has it. Faults, as many in one run as a bound says, in any order and of any kind: a crash (what
//! is in memory is lost, what is on the disk is kept), a cut line, a time-out, a lost answer (a
//! time-out before a push that arrives late), a push that arrives twice, one that arrives after
//! its sender gave up, a death in the middle of an effect. A live owner may be taken for a stuck
//! one at any time: what is slow looks like what is dead.
//!
//! Promises, in every state: at most one owner is confirmed per task and epoch; epochs only grow;
//! no effect without the confirmed claim of the current epoch in the moment of the effect, though
//! anything may happen between the fence's answer and the effect; an effect at most once; a task
//! is in exactly one place; its owner knows it, or finds out when it looks. And from
//! every state, once the faults stop, all gets done.
//!
//! The search is bounded by the number of faults, of claims of a task that was claimed before, and
//! of pushes of one claim. It is made small by what changes no answer:
//!
//! - Tasks differ in nothing, so a state is the same with its tasks in another order.
//! - What is between a look at the remote and the sending of a push is in the agent's memory
//!   alone, so it is one step; so are a push's arrival and its answer. An answer that comes later
//!   finds the same agent, which waited; one that never comes is a time-out before the arrival.
//! - A push whose base is gone can only be rejected, so it is, at once.
//! - Ids of commits and claims that nothing names any more are used again; marks of claims that
//!   can never land are forgotten; of a finished task, from which nothing leads away, the epochs.
//! - An agent that asks for nothing does not notice a cut line; an agent that is not its turn for a while
//!   is the same.
//! - With three tasks, a claim is pushed once: an agent that was rejected has done with it and may
//!   begin again. The machine's own second attempts are searched with one task and with two.
//!
//! It rests on this: the remote never goes back to an earlier tip (it refuses non-fast-forward
//! pushes and deletes), random ids differ, and a disk keeps what was synced to it. Left out:
//! heartbeats (they only forbid some take-overs) and work without a remote (the simulator has it).
//!
//! # The simulator
//!
//! A seed makes a simulation: two to four hosts, half-broken lines, clocks that are off by minutes and
//! jump, disks with times of one second, of which some ignore case, people who write, delete and
//! rename notes on any host in any moment, in one piece or slowly into the open file, tasks in
//! shared zones and in one that local works in alone, with and without the remote. Daemons step
//! the real `SyncMachine`, `merge::plan`, `hlc`, `conflict_name`, `ClaimMachine`, `Leases` and
//! `reconcile::replay`; a step is a fetch, a push, or one change of one file, and between two steps
//! everything else can happen, also a daemon's end. Then all is calm, and everybody must come to
//! the same files.
//!
//! The oracle sees everything. At each landing: a task is in one place, epochs grow, no claim lands
//! whose maker learned that it is lost. At each answer: one owner per epoch. At each effect: the
//! claim is confirmed, or the zone is local's own; and it is the first. In the end: all trees are
//! equal but for what no tree may have (two names that differ in case), every task is done, and
//! every text that was written and not knowingly overwritten or deleted by a person who saw it is
//! in a file: at its path or in a conflict copy, not only in the history.
//!
//! It rests on this: an editor that writes into the open file pauses for less time than a
//! half-written file is left alone. Left out: the path table (each host may write everywhere;
//! whether it may overwrite is chance), the judging of commits and secrets, which have tests of
//! their own; drafts; people who edit a task's note.
//!
//! # Mistakes
//!
//! Both have switches for known mistakes in the driver: no random id, a claim that is rebased, a
//! time-out taken for a loss, no look at the epoch, and more ([`claims::Mutation`],
//! [`sim::Mistake`]). Each must be found; a test that finds nothing in right code shows something
//! only if it finds the mistake in wrong code.
//!
//! # To run
//!
//! `cargo test -p platinum-model` searches the model and runs 20,000 seeds. The nightly length is
//! `PLATINUM_SEEDS=1000000 cargo test --release -p platinum-model --test model simulator::`; it uses every
//! processor. `PLATINUM_SEED=4711` plays one run; a failure prints its seed and every step. Seeds
//! that once failed are kept in `seeds.txt`.

pub mod claims;
pub mod sim;
