//! [`Ears`]: which events are news, and of which paths.
//!
//! Invariants: in doubt it is news, and everything may differ. A wake-up too many costs a look; one
//! too few costs latency. A path is marked before anybody is woken for it.

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
use tokio::sync::watch;

use crate::{Dirty, WakeUps, dirty::Marked};

/// How long after a new folder everybody is woken once more: what was put into it before the
/// system watched it is reported by nobody.
const ECHO: Duration = Duration::from_millis(300);

/// Further wake-ups this close together are one.
const SLOT: Duration = Duration::from_millis(250);

/// So many paths that fail are remembered.
const MOST_FAILING: usize = 4096;

/// What waiters see.
#[derive(Debug, Clone, Default)]
pub(crate) struct News {
    /// How many events were news.
    pub(crate) count: u64,
    /// When to wake once more, in order, a slot apart.
    pub(crate) echoes: Vec<Instant>,
}

impl News {
    /// Adds a further wake-up, or takes one that comes soon after it for it.
    fn add(&mut self, at: Instant) {
        let now = Instant::now();
        self.echoes.retain(|echo| *echo + SLOT > now);
        let behind = self.echoes.partition_point(|echo| *echo < at);
        let near = self.echoes.get(behind);
        if near.is_none_or(|next| next.duration_since(at) > SLOT) {
            self.echoes.insert(behind, at);
        }
    }
}

/// Listens to events and tells the waiters.
#[derive(Debug)]
pub(crate) struct Ears {
    root: PathBuf,
    dirty: Dirty,
    news: watch::Sender<News>,
    /// Paths that the watcher could not look at when it last said something of them.
    failing: Mutex<BTreeSet<PathBuf>>,
}

/// What an event was.
#[derive(Debug)]
pub(crate) enum Heard {
    /// Nothing that anybody needs to know.
    Nothing,
    /// News; the waiters are told.
    News,
    /// The waiters are told, and no more events will come of some folders.
    Exhausted(notify::Error),
}

impl Ears {
    pub(crate) fn new(root: PathBuf, dirty: &Dirty) -> (Arc<Self>, WakeUps) {
        let (news, waiting) = watch::channel(News::default());
        let dirty = dirty.clone();
        let ears = Self {
            root,
            dirty,
            news,
            failing: Mutex::default(),
        };
        (Arc::new(ears), WakeUps::new(waiting))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the changed paths are gathered.
    pub(crate) fn dirty(&self) -> &Dirty {
        &self.dirty
    }

    /// Wakes everybody at this time too.
    pub(crate) fn echo_at(&self, at: Instant) {
        self.news.send_modify(|news| news.add(at));
    }

    pub(crate) fn hear(&self, event: notify::Result<Event>) -> Heard {
        let event = match event {
            Ok(event) => event,
            Err(error) if self.is_of_known_paths(&error) => {
                // A poller says so again at every turn: that is news once.
                if !self.is_first(&error.paths) {
                    return Heard::Nothing;
                }
                for path in &error.paths {
                    if let Named::Path(text) = self.named(path) {
                        let (below, arrived) = (true, None);
                        self.dirty.mark(&text, Marked { below, arrived }, None);
                    }
                }
                self.tell(None);
                tracing::warn!(%error, "a folder cannot be watched; it is looked at in slow turns");
                return Heard::News;
            }
            Err(error) => {
                self.dirty.mark_everything();
                self.tell(None);
                if matches!(error.kind, ErrorKind::MaxFilesWatch) {
                    return Heard::Exhausted(error);
                }
                tracing::warn!(%error, "the watcher missed something");
                return Heard::News;
            }
        };
        if !self.is_news(&event) {
            return Heard::Nothing;
        }
        let is_folder = may_be_new_folder(&event);
        let echo = is_folder.then(|| Instant::now() + ECHO);
        self.mark(&event, is_folder, echo);
        self.tell(echo);
        Heard::News
    }

    /// Whether an error is about paths below the root alone, and not about watching at all.
    fn is_of_known_paths(&self, error: &notify::Error) -> bool {
        let is_below = |path: &PathBuf| matches!(self.named(path), Named::Path(_) | Named::Hidden);
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
        let news = paths.iter().filter(|path| failing.insert((*path).clone()));
        news.count() > 0
    }

    fn tell(&self, echo: Option<Instant>) {
        self.news.send_modify(|news| {
            news.count = news.count.wrapping_add(1);
            if let Some(at) = echo {
                news.add(at);
            }
        });
    }

    /// Marks what an event names; everything, if it names nothing, or something that is not here.
    fn mark(&self, event: &Event, below: bool, again: Option<Instant>) {
        if event.need_rescan() || event.paths.is_empty() {
            self.dirty.mark_everything();
            return;
        }
        for (at, path) in event.paths.iter().enumerate() {
            let arrived = arrived(event.kind, at);
            match self.named(path) {
                Named::Path(text) => self.dirty.mark(&text, Marked { below, arrived }, again),
                // The folder itself went away, or came back.
                Named::Root if is_touch(event.kind) => {
                    self.dirty.mark("", Marked::default(), None);
                }
                Named::Root | Named::Elsewhere => self.dirty.mark_everything(),
                Named::Hidden => {}
            }
        }
    }

    fn named(&self, path: &Path) -> Named {
        let Ok(below) = path.strip_prefix(&self.root) else {
            return Named::Elsewhere;
        };
        if self.is_hidden(path) {
            return Named::Hidden;
        }
        match below.to_str() {
            Some("") => Named::Root,
            Some(text) => Named::Path(text.to_owned()),
            // No name of a vault.
            None => Named::Hidden,
        }
    }

    fn is_news(&self, event: &Event) -> bool {
        if event.need_rescan() {
            return true;
        }
        match event.kind {
            // The end of writing counts; opening and reading do not, or looking would wake us.
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
enum Named {
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
