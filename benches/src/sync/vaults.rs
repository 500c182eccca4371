//! The vault that everybody syncs: the same notes for each contender, made from a seed.

use std::{fs, io, path::Path};

/// Notes in a folder; the vault of Platinum has its `Done/` by months, about so full.
const PER_FOLDER: usize = 100;

/// Numbers that look random and are the same every time (SplitMix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// The next one.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The path of a note in the vault.
pub(crate) fn path(number: usize) -> String {
    let folder = number / PER_FOLDER;
    format!(
        "Inbox/{:02}/{:03}/{number:06}.md",
        folder / 100,
        folder % 100
    )
}

/// The text of a note: half a KiB to four.
pub(crate) fn text(number: usize, version: u64) -> String {
    let mut numbers = Numbers(number as u64 ^ (version << 32));
    let words = 70 + usize::try_from(numbers.next() % 500).unwrap_or(0);
    let mut text = format!("---\nid: {number}\nversion: {version}\n---\n# Note {number}\n\n");
    for word in 0..words {
        let end = if word % 12 == 11 { ".\n" } else { " " };
        text.push_str(&format!("w{:05x}{end}", numbers.next() % 0x10_0000));
    }
    text
}

/// Writes a vault of so many notes.
pub(crate) fn write(vault: &Path, notes: usize) -> io::Result<()> {
    for number in 0..notes {
        let path = vault.join(path(number));
        if number % PER_FOLDER == 0
            && let Some(folder) = path.parent()
        {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text(number, 0))?;
    }
    Ok(())
}

/// Changes one note as a program saves it: a new file in the place of the old one.
pub(crate) fn change(vault: &Path, number: usize, version: u64) -> io::Result<()> {
    let path = vault.join(path(number));
    let new = path.with_extension("new~");
    fs::write(&new, text(number, version))?;
    fs::rename(new, path)
}
