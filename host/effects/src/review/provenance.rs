//! Who the recipients of an answer are to the owner: the note of the task says who wrote.
//!
//! Limits: a cloud that was taken over can forge the note of a task, as it can forge the mail. What
//! it cannot forge is whom the owner wrote to before: that is in this machine's journal.

use platinum_core::{TaskId, layout, text::MailAddress};
use platinum_vault::{Vault, VaultError, note::TaskNote};

/// Largest note of a task that is read, in bytes.
const MAX_TASK_BYTES: u64 = 4 * 1024 * 1024;
/// Where the note of a task may be, the likeliest first.
const TASK_FOLDERS: [&str; 3] = [layout::IN_PROGRESS, layout::NEEDS_ACTION, layout::DONE];

/// Who wrote what is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Correspondent {
    /// The address that it came from.
    pub sender: String,
    /// Where the sender asked for the answer to go, if that was said.
    pub reply_to: Vec<String>,
    /// Who else got the mail: an answer to all goes to them, too.
    pub others: Vec<String>,
}

impl Correspondent {
    /// Of a task.
    pub fn of(task: &TaskNote) -> Option<Self> {
        let address = |text: &str| Some(MailAddress::parse(text).ok()?.address());
        let sender = address(&task.from).or_else(|| {
            task.fact("from-address")
                .iter()
                .find_map(|text| address(text))
        })?;
        let all = |name: &str| task.fact(name).iter().filter_map(|text| address(text));
        Some(Self {
            sender,
            reply_to: all("reply-to").collect(),
            others: all("to").chain(all("cc")).collect(),
        })
    }

    /// Whether it came from this address.
    pub fn wrote_from(&self, address: &str) -> bool {
        self.sender.to_lowercase() == address.to_lowercase()
    }

    /// Whether the answer was asked for at this address.
    pub fn asked_for(&self, address: &str) -> bool {
        has(&self.reply_to, address)
    }

    /// Whether the mail went to this address as well.
    pub fn wrote_to(&self, address: &str) -> bool {
        has(&self.others, address)
    }
}

fn has(addresses: &[String], address: &str) -> bool {
    addresses
        .iter()
        .any(|one| one.to_lowercase() == address.to_lowercase())
}

/// The note of a task, wherever it is. Blocks on the disk.
///
/// # Errors
/// If the vault cannot be read.
pub(crate) fn task_of(vault: &Vault, task: TaskId) -> Result<Option<TaskNote>, VaultError> {
    let name = format!("{task}.md");
    for folder in TASK_FOLDERS {
        for entry in vault.walk_in(folder)? {
            if entry.path.file_name() != name {
                continue;
            }
            let text = match vault.read_text(&entry.path, MAX_TASK_BYTES) {
                Err(VaultError::NotFound(_)) => continue,
                text => text?,
            };
            if let Ok(note) = TaskNote::parse(&text) {
                return Ok(Some(note));
            }
        }
    }
    Ok(None)
}
