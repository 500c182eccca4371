//! [`Ears`]: which events are news.
//!
//! Invariant: in doubt it is news. A wake-up too many costs a look; one too few costs latency.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use notify::{
    ErrorKind, Event, EventKind,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind},
};
use tokio::sync::watch;

use crate::WakeUps;

/// How long after a new folder everybody is woken once more: what was put into it before the
/// system watched it is reported by nobody.
const ECHO: Duration = Duration::from_millis(300);

/// What waiters see.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct News {
    /// When to wake once more.
    pub(crate) echo: Option<Instant>,
}

/// Listens to events and tells the waiters.
#[derive(Debug)]
pub(crate) struct Ears {
    root: PathBuf,
    news: watch::Sender<News>,
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
    pub(crate) fn new(root: PathBuf) -> (Arc<Self>, WakeUps) {
        let (news, waiting) = watch::channel(News::default());
        (Arc::new(Self { root, news }), WakeUps::new(waiting))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn hear(&self, event: notify::Result<Event>) -> Heard {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                self.tell(false);
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
        self.tell(may_be_new_folder(&event));
        Heard::News
    }

    fn tell(&self, with_echo: bool) {
        self.news.send_modify(|news| {
            if with_echo {
                news.echo = Some(Instant::now() + ECHO);
            }
        });
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
