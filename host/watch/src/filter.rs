//! [`EventFilter`]: which events matter, and to which paths.
//!
//! Invariants: in doubt an event matters, and everything may differ. A needless wake-up costs a
//! scan; a missing one costs latency. A path is marked before anybody is woken for it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use notify::{
    ErrorKind, Event, EventKind,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode},
};

use crate::{
    DirtyPaths, WakeUps,
    dirty::Mark,
    wake::{Signal, wake_ups},
};

/// How long after a new folder the waiters are woken once more: the system reports nothing of what
/// was put into it before it was watched.
const NEW_FOLDER_DELAY: Duration = Duration::from_millis(300);

/// So many paths that fail are remembered.
const MOST_FAILING: usize = 4096;

/// Filters events, marks their paths and wakes the waiters.
#[derive(Debug)]
pub(crate) struct EventFilter {
    root: PathBuf,
    dirty: DirtyPaths,
    signal: Arc<Signal>,
    /// Paths of which the watcher reported last that they cannot be read.
    failing: Mutex<BTreeSet<PathBuf>>,
}

/// What became of an event.
#[derive(Debug)]
pub(crate) enum Handled {
    /// It does not matter.
    Ignored,
    /// The waiters were woken.
    Woken,
    /// The waiters were woken, and some folders will report no more events.
    Exhausted(notify::Error),
}

impl EventFilter {
    pub(crate) fn new(root: PathBuf, dirty: &DirtyPaths) -> (Arc<Self>, WakeUps) {
        let (signal, waiting) = wake_ups();
        let filter = Self {
            root,
            dirty: dirty.clone(),
            signal,
            failing: Mutex::default(),
        };
        (Arc::new(filter), waiting)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the changed paths are gathered.
    pub(crate) fn dirty(&self) -> &DirtyPaths {
        &self.dirty
    }

    /// From now on the gathered paths are complete.
    pub(crate) fn attach(&self) {
        self.dirty.attach(&self.signal);
    }

    pub(crate) fn on_event(&self, event: notify::Result<Event>) -> Handled {
        let event = match event {
            Ok(event) => event,
            Err(error) if self.is_of_known_paths(&error) => {
                // A poller repeats it at every turn; it counts once.
                if !self.is_first(&error.paths) {
                    return Handled::Ignored;
                }
                for path in &error.paths {
                    if let PathKind::Path(text) = self.classify(path) {
                        let (below, arrived) = (true, None);
                        self.dirty.mark(&text, Mark { below, arrived }, None);
                    }
                }
                self.signal.wake(None);
                tracing::warn!(
                    "Cannot watch a folder ({error}); it is scanned by the timer instead."
                );
                return Handled::Woken;
            }
            Err(error) => {
                self.dirty.mark_everything();
                self.signal.wake(None);
                if matches!(error.kind, ErrorKind::MaxFilesWatch) {
                    return Handled::Exhausted(error);
                }
                tracing::warn!(
                    "The file watcher lost events ({error}); the whole vault is scanned."
                );
                return Handled::Woken;
            }
        };
        if !self.matters(&event) {
            return Handled::Ignored;
        }
        let is_folder = may_be_new_folder(&event);
        let again = is_folder.then(|| Instant::now() + NEW_FOLDER_DELAY);
        self.mark(&event, is_folder, again);
        self.signal.wake(again);
        Handled::Woken
    }

    /// Whether an error is about paths below the root alone, and not about watching at all.
    fn is_of_known_paths(&self, error: &notify::Error) -> bool {
        let is_below =
            |path: &PathBuf| matches!(self.classify(path), PathKind::Path(_) | PathKind::Hidden);
        !matches!(error.kind, ErrorKind::MaxFilesWatch)
            && !error.paths.is_empty()
            && error.paths.iter().all(is_below)
    }

    /// Whether one of these paths did not fail before.
    fn is_first(&self, paths: &[PathBuf]) -> bool {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if failing.len() > MOST_FAILING {
            failing.clear();
        }
        let new = paths.iter().filter(|path| failing.insert((*path).clone()));
        new.count() > 0
    }

    /// Marks what an event names; everything, if it names nothing, or something that is not here.
    fn mark(&self, event: &Event, below: bool, again: Option<Instant>) {
        if event.need_rescan() || event.paths.is_empty() {
            self.dirty.mark_everything();
            return;
        }
        for (at, path) in event.paths.iter().enumerate() {
            let arrived = arrived(event.kind, at);
            match self.classify(path) {
                PathKind::Path(text) => self.dirty.mark(&text, Mark { below, arrived }, again),
                // The folder itself went away, or came back.
                PathKind::Root if is_touch(event.kind) => {
                    self.dirty.mark("", Mark::default(), None);
                }
                PathKind::Root | PathKind::Elsewhere => self.dirty.mark_everything(),
                PathKind::Hidden => {}
            }
        }
    }

    fn classify(&self, path: &Path) -> PathKind {
        let Ok(below) = path.strip_prefix(&self.root) else {
            return PathKind::Elsewhere;
        };
        if self.is_hidden(path) {
            return PathKind::Hidden;
        }
        match below.to_str() {
            Some("") => PathKind::Root,
            Some(text) => PathKind::Path(text.to_owned()),
            // No name of a vault.
            None => PathKind::Hidden,
        }
    }

    fn matters(&self, event: &Event) -> bool {
        if event.need_rescan() {
            return true;
        }
        match event.kind {
            // The end of writing counts; opening and reading do not, or a scan would wake itself.
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {}
            EventKind::Access(_) => return false,
            _ => {}
        }
        event.paths.is_empty() || event.paths.iter().any(|path| !self.is_hidden(path))
    }

    /// Whether a component below the root starts with a dot: an unfinished file, an editor's swap
    /// file, `.git`, `.obsidian`. None of them is a note.
    fn is_hidden(&self, path: &Path) -> bool {
        path.strip_prefix(&self.root).is_ok_and(|below| {
            below
                .components()
                .any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
        })
    }
}

/// What a path is to the watched folder.
enum PathKind {
    Path(String),
    Root,
    Hidden,
    Elsewhere,
}

/// Whether what was there is still there.
fn is_touch(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_) | ModifyKind::Data(_))
    )
}

/// Whether the path with this number in an event was moved to where it is; none if the event does
/// not touch the content.
fn arrived(kind: EventKind, at: usize) -> Option<bool> {
    match kind {
        EventKind::Modify(ModifyKind::Metadata(_)) => None,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(true),
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => Some(at == 1),
        _ => Some(false),
    }
}

/// Whether a folder has just appeared.
fn may_be_new_folder(event: &Event) -> bool {
    match event.kind {
        EventKind::Create(CreateKind::Folder) => true,
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)) => {
            event.paths.iter().any(|path| path.is_dir())
        }
        _ => event.need_rescan(),
    }
}
