//! [`TempFolder`]: where the ordinary tests put their temporary files: in memory, if there is enough of it.
//!
//! They make and remove files by the hundred thousand, and on a disk the kernel's part of that is a third of
//! what they compute. None of them asserts anything about a disk. The long forms run on the disk.
//! Invariant: nothing stays in memory when the run has ended; what a killed run left goes with the next one.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where Linux has a file system in memory.
const IN_MEMORY: &str = "/dev/shm";
/// With less than this, in KiB, the tests stay on the disk.
const LEAST_KIB: u64 = 6 << 20;
/// What the folder's name starts with, before the id of the process.
const PREFIX: &str = "platinum-tests-";

/// A folder that is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct TempFolder(PathBuf);

impl TempFolder {
    /// One in memory, if programs may be run there and there is room.
    pub(crate) fn in_memory() -> Option<Self> {
        let mounts = fs::read_to_string("/proc/mounts").ok()?;
        let memory = fs::read_to_string("/proc/meminfo").ok()?;
        if !has_room(&mounts, &memory) {
            return None;
        }
        let root = Path::new(IN_MEMORY);
        remove_abandoned(root);
        let folder = root.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&folder).ok()?;
        Some(Self(folder))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}

/// Whether the file system in memory, among `mounts` as in `/proc/mounts`, runs programs and is large enough,
/// as is the memory that is free, in `/proc/meminfo`.
fn has_room(mounts: &str, memory: &str) -> bool {
    let mount = mounts.lines().rev().find_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        match fields.as_slice() {
            [_, IN_MEMORY, "tmpfs", options, ..] => Some(options.split(',').collect::<Vec<_>>()),
            _ => None,
        }
    });
    let kib = |text: &str| {
        text.trim()
            .trim_end_matches("kB")
            .trim_end()
            .parse::<u64>()
            .ok()
    };
    let free = memory
        .lines()
        .find_map(|line| kib(line.strip_prefix("MemAvailable:")?));
    let is_enough = |kib: u64| kib >= LEAST_KIB;
    mount.is_some_and(|options| {
        // Without a size it is half of the memory.
        let size = options
            .iter()
            .find_map(|option| option.strip_prefix("size="));
        let size = size.map(|size| size.strip_suffix('k').and_then(kib));
        !options.contains(&"noexec") && size.is_none_or(|size| size.is_some_and(is_enough))
    }) && free.is_some_and(is_enough)
}

/// Removes the folders of processes that are no more.
fn remove_abandoned(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // One of another user stays.
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_room_needs_a_large_mount_that_runs_programs() {
        let memory = |kib: u64| format!("MemTotal: 9 kB\nMemAvailable:   {kib} kB\n");
        let mount =
            |options: &str| format!("/dev/vda / ext4 rw 0 0\ntmpfs /dev/shm tmpfs {options} 0 0\n");
        let enough = memory(LEAST_KIB);
        for (mounts, memory, expected) in [
            (mount("rw,relatime,size=24684096k"), &enough, true),
            (mount("rw"), &enough, true),
            (mount("rw"), &memory(LEAST_KIB - 1), false),
            (mount("rw,size=65536k"), &enough, false),
            (mount("rw,noexec,size=24684096k"), &enough, false),
            ("/dev/vda / ext4 rw 0 0\n".to_owned(), &enough, false),
        ] {
            assert_eq!(has_room(&mounts, memory), expected, "{mounts}");
        }
    }

    #[test]
    fn remove_abandoned_keeps_what_is_in_use() {
        let root = std::env::temp_dir().join(format!("xtask-temp-folder-{}", std::process::id()));
        let own = root.join(format!("{PREFIX}{}", std::process::id()));
        // No process has a number as large.
        let dead = root.join(format!("{PREFIX}4294967295"));
        let other = root.join("other");
        for folder in [&own, &dead, &other] {
            fs::create_dir_all(folder).unwrap();
        }
        remove_abandoned(&root);
        assert_eq!(
            (own.exists(), dead.exists(), other.exists()),
            (true, false, true)
        );
        fs::remove_dir_all(&root).unwrap();
    }
}
