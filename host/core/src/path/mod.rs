//! Paths of the vault, and names that can be in one: [`VaultPath`] is checked, [`safe_file_name`] makes a name of what
//! a stranger wrote; [`VaultPath::media_type`].

mod file_name;
mod media_type;
mod vault_path;

pub use file_name::safe_file_name;
pub(crate) use vault_path::is_device;
pub use vault_path::{MAX_COMPONENT_BYTES, MAX_DEPTH, MAX_PATH_BYTES, PathError, VaultPath};
