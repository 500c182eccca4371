//! [`VolatileDisk`]: folders whose unsynced writes are discarded when the power is cut.
//!
//! What is durable is what POSIX promises: of a file, what it held at its last `fsync`; of a folder, its names at
//! its last `fsync`. Nothing else survives, unless it is asked to: a real disk may write anything early. Each
//! rename is whole or not at all, also between folders, as on every file system with a journal.
//!
//! It covers the whole programs: every process that [`VolatileDisk::run`] starts and all that these start, by their
//! system calls ([`calls`]). What it does not show: writes torn within a file, a disk that lies about its syncs, and
//! files that were removed without a sync, which come back under another inode.

mod calls;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ffi::OsString,
    fs::{self, Metadata, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, bail};
use calls::Calls;

use crate::wait_for;

/// An inode, and not another one that got its number later.
type Inode = (u64, u64, Option<SystemTime>);

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    File(Arc<Vec<u8>>, u32),
    Folder,
    Link(PathBuf),
}

#[derive(Debug, Default)]
struct Durable {
    /// What files and links held when they were synced.
    contents: HashMap<Inode, Node>,
    /// The names in each folder when it was synced.
    folders: HashMap<Inode, BTreeMap<OsString, Inode>>,
    /// Syncs since it began.
    syncs: usize,
    /// The sync that is not done any more.
    cut_at: usize,
    failure: Option<String>,
}

/// Folders of a machine whose power can be cut.
#[derive(Debug)]
pub struct VolatileDisk {
    folders: Vec<PathBuf>,
    durable: Arc<Mutex<Durable>>,
    /// Filters that some process still has.
    filters: Arc<AtomicUsize>,
}

impl VolatileDisk {
    /// All that is in these folders now is durable.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn new(folders: &[PathBuf]) -> anyhow::Result<Self> {
        let mut durable = Durable {
            cut_at: usize::MAX,
            ..Durable::default()
        };
        for folder in folders {
            let all = walk(folder)?;
            let all = all
                .into_iter()
                .filter(|(_, metadata)| metadata.is_dir() || metadata.is_file());
            for (path, _) in all {
                match durable.sync(&path, &[]) {
                    // What is killed before may still end.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    synced => synced?,
                }
            }
        }
        Ok(Self {
            folders: folders.to_vec(),
            durable: Arc::new(Mutex::new(durable)),
            filters: Arc::default(),
        })
    }

    /// Starts processes whose syncs count from here on, with all that they start.
    ///
    /// # Errors
    /// If the system forbids the filter.
    pub fn run<T: Send>(&self, start: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
        let (send, receive) = mpsc::channel();
        thread::scope(|scope| {
            // A thread of its own, since a filter stays on a thread; the one that answers must have none.
            let starting = scope.spawn(move || {
                let calls = Calls::of_this_thread()?;
                let _ = send.send(calls);
                io::Result::Ok(start())
            });
            if let Ok(calls) = receive.recv() {
                self.filters.fetch_add(1, Ordering::SeqCst);
                let durable = Arc::clone(&self.durable);
                let (folders, filters) = (self.folders.clone(), Arc::clone(&self.filters));
                thread::spawn(move || {
                    if let Err(error) = serve(&calls, &folders, &durable) {
                        locked(&durable).failure = Some(error.to_string());
                    }
                    filters.fetch_sub(1, Ordering::SeqCst);
                });
            }
            match starting.join() {
                Ok(started) => started.context("the system forbids a seccomp filter"),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// How many syncs there were.
    pub fn syncs(&self) -> usize {
        locked(&self.durable).syncs
    }

    /// From the sync after so many more on, none is done any more: its caller waits for it for ever.
    pub fn cut_after(&self, syncs: usize) {
        let mut durable = locked(&self.durable);
        durable.cut_at = durable.syncs + syncs;
    }

    /// Whether a sync was not done any more.
    pub fn is_cut(&self) -> bool {
        let durable = locked(&self.durable);
        durable.syncs > durable.cut_at
    }

    /// Discards what is not durable. Everything that was started by [`VolatileDisk::run`] has to be killed by
    /// then. `survives` says of each file that was written or made since whether it got to the disk nevertheless.
    ///
    /// # Errors
    /// If some process is still alive, or a folder cannot be put back.
    pub fn discard(self, mut survives: impl FnMut() -> bool) -> anyhow::Result<()> {
        wait_for("all processes to end", Duration::from_secs(30), || {
            Ok((self.filters.load(Ordering::SeqCst) == 0).then_some(()))
        })?;
        let durable = locked(&self.durable);
        if let Some(failure) = &durable.failure {
            bail!("a sync could not be followed: {failure}");
        }
        for folder in &self.folders {
            put_back(folder, &durable, &mut survives)
                .with_context(|| format!("cannot put {} back", folder.display()))?;
        }
        Ok(())
    }
}

fn locked(durable: &Mutex<Durable>) -> MutexGuard<'_, Durable> {
    durable.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers calls until no process with the filter is left.
fn serve(calls: &Calls, folders: &[PathBuf], durable: &Mutex<Durable>) -> io::Result<()> {
    while let Some(call) = calls.next()? {
        let file = PathBuf::from(format!("/proc/{}/fd/{}", call.thread, call.descriptor));
        let mut durable = locked(durable);
        let is_ours = fs::read_link(&file)
            .is_ok_and(|path| folders.iter().any(|folder| path.starts_with(folder)));
        if is_ours {
            durable.syncs += 1;
            if durable.syncs > durable.cut_at {
                continue;
            }
            match durable.sync(&file, folders) {
                Err(error) if calls.is_waiting(&call) => return Err(error),
                _ => {}
            }
        }
        // The disk itself need not hear of it: what it holds is kept here.
        calls.answer(&call);
    }
    Ok(())
}

impl Durable {
    /// What is at this path is durable from now on: a file's content, or a folder's names.
    fn sync(&mut self, path: &Path, roots: &[PathBuf]) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_dir() {
            let node = Node::File(Arc::new(fs::read(path)?), metadata.mode());
            self.contents.insert(inode(&metadata), node);
            return Ok(());
        }
        let mut names = BTreeMap::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            // It may be gone by now.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            let node = if metadata.is_dir() {
                Node::Folder
            } else if metadata.is_symlink() {
                Node::Link(fs::read_link(entry.path())?)
            } else if metadata.is_file() {
                Node::File(Arc::default(), metadata.mode())
            } else {
                continue;
            };
            self.contents.entry(inode(&metadata)).or_insert(node);
            names.insert(entry.file_name(), inode(&metadata));
        }
        let now: HashSet<Inode> = names.values().copied().collect();
        let before = self.folders.insert(inode(&metadata), names);
        let before: HashSet<Inode> = before.unwrap_or_default().into_values().collect();
        // The other half of each rename.
        for (folder, names) in &mut self.folders {
            if *folder != inode(&metadata) {
                names.retain(|_, inode| before.contains(inode) || !now.contains(inode));
            }
        }
        if before.is_subset(&now) {
            return Ok(());
        }
        for (path, found) in roots.iter().flat_map(|root| walk(root).unwrap_or_default()) {
            let is_moved = before.contains(&inode(&found)) && !now.contains(&inode(&found));
            if is_moved
                && let Some((folder, name)) = path.parent().zip(path.file_name())
                && let Some(names) = self.folders.get_mut(&inode(&fs::metadata(folder)?))
            {
                names.insert(name.to_owned(), inode(&found));
            }
        }
        Ok(())
    }

    /// All that is durable below this path.
    fn below(&self, path: &Path, folder: Inode, found: &mut BTreeMap<PathBuf, (Inode, Node)>) {
        for (name, inode) in self.folders.get(&folder).into_iter().flatten() {
            if let Some(node) = self.contents.get(inode) {
                let path = path.join(name);
                found.insert(path.clone(), (*inode, node.clone()));
                self.below(&path, *inode, found);
            }
        }
    }
}

fn inode(metadata: &Metadata) -> Inode {
    (metadata.dev(), metadata.ino(), metadata.created().ok())
}

/// A folder and all that is below it, each before what it holds.
fn walk(folder: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let mut found = vec![(folder.to_owned(), fs::symlink_metadata(folder)?)];
    let mut next = 0;
    while let Some((path, metadata)) = found.get(next) {
        next += 1;
        if metadata.is_dir()
            && let Ok(entries) = fs::read_dir(path)
        {
            let entries = entries.flatten().collect::<Vec<_>>();
            found.extend(
                entries
                    .into_iter()
                    .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?))),
            );
        }
    }
    Ok(found)
}

/// Makes a folder what is durable of it, file by file: what is still there keeps its inode.
fn put_back(
    folder: &Path,
    durable: &Durable,
    survives: &mut impl FnMut() -> bool,
) -> anyhow::Result<()> {
    let mut wanted = BTreeMap::new();
    durable.below(folder, inode(&fs::metadata(folder)?), &mut wanted);
    let named: HashSet<Inode> = wanted.values().map(|(inode, _)| *inode).collect();
    let removed = tempfile::tempdir_in(folder.parent().context("no folder above")?)?;
    let mut moved = HashMap::new();
    let mut folders = Vec::new();
    for (number, (path, metadata)) in walk(folder)?.into_iter().enumerate().skip(1) {
        let is_wanted = wanted
            .get(&path)
            .is_some_and(|(wanted, _)| *wanted == inode(&metadata));
        if metadata.is_dir() {
            if !matches!(wanted.get(&path), Some((_, Node::Folder))) {
                folders.push(path);
            }
        } else if metadata.is_file() && (is_wanted || !named.contains(&inode(&metadata))) {
            let is_new = !wanted.contains_key(&path);
            let is_held = path.parent() == Some(folder)
                || path
                    .parent()
                    .is_some_and(|parent| wanted.contains_key(parent));
            let content = Arc::new(fs::read(&path)?);
            let is_written = match wanted.get(&path) {
                Some((_, Node::File(durable, _))) => *durable != content,
                _ => false,
            };
            if ((is_new && is_held) || (is_wanted && is_written)) && survives() {
                let node = Node::File(content, metadata.mode());
                wanted.insert(path, (inode(&metadata), node));
            } else if !is_wanted {
                fs::rename(&path, removed.path().join(number.to_string()))?;
            }
        } else if !is_wanted {
            let aside = removed.path().join(number.to_string());
            fs::rename(&path, &aside)?;
            moved.insert(inode(&metadata), aside);
        }
    }
    for path in folders.iter().rev() {
        fs::remove_dir(path)?;
    }
    for (path, (inode, node)) in &wanted {
        if let Some(aside) = moved.remove(inode) {
            fs::rename(aside, path)?;
        }
        match node {
            Node::Folder if !path.is_dir() => fs::create_dir(path)?,
            Node::Link(target) if fs::read_link(path).is_err() => symlink(target, path)?,
            Node::File(content, mode) if fs::read(path).ok().as_ref() != Some(content) => {
                let mut options = OpenOptions::new();
                options.write(true).create(true).truncate(true);
                options.mode(*mode).open(path)?.write_all(content)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Kills a process and all below it, as the power does: at once, with no signal handler.
///
/// # Errors
/// If there is no `/proc`.
pub fn kill_tree(root: u32) -> anyhow::Result<()> {
    let mut tree = BTreeSet::from([root]);
    loop {
        // Who is stopped starts nobody.
        signal("-STOP", &tree)?;
        let parents = fs::read_dir("/proc")?.flatten().filter_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name, in brackets, may hold anything.
            let mut fields = stat.rsplit_once(") ")?.1.split(' ');
            Some((id, fields.nth(1)?.parse::<u32>().ok()?))
        });
        let children: Vec<u32> = parents
            .filter(|(id, parent)| tree.contains(parent) && !tree.contains(id))
            .map(|(id, _)| id)
            .collect();
        if children.is_empty() {
            return signal("-KILL", &tree);
        }
        tree.extend(children);
    }
}

/// One of them may have ended.
fn signal(name: &str, processes: &BTreeSet<u32>) -> anyhow::Result<()> {
    let ids = processes.iter().map(u32::to_string);
    Command::new("kill").arg(name).args(ids).output()?;
    Ok(())
}

#[cfg(test)]
mod tests;
