//! Git objects, and the remote as a compare-and-swap register.
//!
//! Lives here: reading trees and commits, making a commit as a pure tree edit ([`Repo`]), and the
//! remote behind [`Remote`], spoken to by git's own client ([`GitRemote`]); keys and signatures of
//! commits in git's own format ([`SigningKey`], [`Signers`], [`Signature`]).
//! Lives elsewhere: who owns a task and what to merge is decided in `protocol`, who may change
//! what in `policy`; the files of the vault are `vault`'s, and the daemon's `sync` joins them.
//! Invariants: the repository is bare and outside the vault; there is no index, no checkout, no
//! rebase and no reset; a push names the full id it expects to replace, or that there is nothing
//! yet. libgit2 never speaks to a remote: its push to a path is no compare-and-swap.

mod batch;
mod blobs;
mod commit;
mod compare;
mod error;
mod lookup;
mod maintenance;
mod new_objects;
mod open;
mod process_lock;
mod refs;
mod remote;
mod repo;
mod sign;
mod tree;
mod wal;

pub use batch::Batch;
pub use commit::{CommitInfo, CommitMeta, Edit, TRAILER_AGENT, TRAILER_ROLE};
pub use compare::{Changed, Comparison, Fault, collision_key};
pub use error::RepoError;
pub use git2::Oid;
pub use lookup::{Folder, FolderSize, Item, file_weight};
pub use maintenance::{MaintenanceError, ObjectStats};
pub use new_objects::NewObject;
pub use refs::RefName;
pub use remote::{
    Address, AddressError, BRANCH, ClientOptions, GitRemote, HostKey, Remote, RemoteError,
    RemoteEvent, SERVER_SAYS, push_outcome, watch_branch,
};
pub use repo::Repo;
pub use sign::{
    KeyError, PublicKey, Purpose, Retired, Signature, Signer, Signers, SignersError, SigningKey,
    signer_mail, signer_of_text,
};
pub use wal::replace_file;
