//! People: they write, delete and rename notes in any editor, on any host, at any moment.
//!
//! What a person wrote over what they saw is what they wanted: the text that was there is owed no
//! more. All other text is.

use platinum_core::VaultPath;

use super::{content::Blob, world::World};

/// An editor that writes into the file takes at most so long.
pub(super) const WRITING_MS: i64 = 300;

impl World {
    pub(super) fn edit(&mut self, host: usize) {
        if self.hosts[host].writing.is_some() {
            return;
        }
        self.seen.edits += 1;
        let Some(path) = self.some_note(host) else {
            return;
        };
        let there = self.hosts[host].disk.blob(&path);
        match self.rng.below(10) {
            0..=3 => self.write_whole(host, &path, there),
            4..=6 => self.write_slowly(host, &path, there),
            7 if there.is_some() => {
                self.note(|w| format!("a person deletes {path} on {}", w.hosts[host].agent));
                self.hosts[host].disk.remove(&path);
                self.overwritten(there);
            }
            8 if there.is_some() => self.rename_note(host, &path),
            _ => self.write_whole(host, &path, there),
        }
    }

    /// A note that is there, or could be; conflict copies are notes like others.
    fn some_note(&mut self, host: usize) -> Option<VaultPath> {
        if self.rng.percent(15) {
            let copies: Vec<VaultPath> = self.hosts[host]
                .disk
                .files()
                .map(|file| &file.path)
                .filter(|path| path.as_str().starts_with("Notes/"))
                .cloned()
                .collect();
            return self.rng.pick(&copies).cloned();
        }
        self.rng.pick(&self.paths.notes).cloned()
    }

    /// By a rename over the file, as many editors do.
    fn write_whole(&mut self, host: usize, path: &VaultPath, there: Option<Blob>) {
        let text = self.contents.new_text();
        self.note(|w| {
            format!(
                "a person writes {text:08x} to {path} on {}",
                w.hosts[host].agent
            )
        });
        let wall = self.wall(host);
        if self.rng.percent(50) {
            self.hosts[host].disk.put(path, text, wall);
        } else {
            self.hosts[host].disk.write(path, text, wall);
        }
        self.overwritten(there);
        self.truth.owed.insert(text);
    }

    /// Into the file: for a moment half of it is there.
    fn write_slowly(&mut self, host: usize, path: &VaultPath, there: Option<Blob>) {
        let text = self.contents.new_text();
        let half = self.contents.half_of(text);
        self.note(|w| {
            format!(
                "a person begins to write {text:08x} to {path} on {}",
                w.hosts[host].agent
            )
        });
        let wall = self.wall(host);
        let inode = self.hosts[host].disk.write(path, half, wall);
        self.overwritten(there);
        self.hosts[host].writing = Some((inode, text, self.now));
    }

    pub(super) fn finish_writing(&mut self, host: usize) {
        let Some((inode, text, _)) = self.hosts[host].writing.take() else {
            return;
        };
        let wall = self.wall(host);
        let there = self.hosts[host].disk.open(inode).map(|file| file.blob);
        let found = self.hosts[host].disk.write_open(inode, text, wall);
        self.note(|w| format!("the writing of {text:08x} ends on {}", w.hosts[host].agent));
        if found {
            self.overwritten(there);
            self.truth.owed.insert(text);
        } else {
            self.fail("a file was taken away from under its writer");
        }
    }

    fn rename_note(&mut self, host: usize, path: &VaultPath) {
        let Some(to) = self.rng.pick(&self.paths.notes).cloned() else {
            return;
        };
        self.note(|w| format!("a person renames {path} to {to} on {}", w.hosts[host].agent));
        self.hosts[host].disk.rename(path, &to);
    }

    fn overwritten(&mut self, blob: Option<Blob>) {
        if let Some(blob) = blob {
            self.truth.owed.remove(&blob);
        }
    }
}
