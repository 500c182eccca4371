//! [`ActingHost`]: a host with one zone, whose server does what the test says, and how its process ends.

use super::*;

/// A host with the effects of a zone over a server.
pub(super) struct ActingHost<S> {
    pub(super) fixture: Fixture,
    pub(super) server: Arc<S>,
    pub(super) executor: Arc<Executor>,
    effects: fn(&Arc<S>) -> Vec<Arc<dyn Effect>>,
}

thread_local! {
    /// Whether this test dies at the fail points: they are those of all tests at once.
    static IS_DYING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

impl<S> ActingHost<S> {
    pub(super) fn of(
        fixture: Fixture,
        server: Arc<S>,
        effects: fn(&Arc<S>) -> Vec<Arc<dyn Effect>>,
    ) -> Self {
        let executor = Executor::new(Arc::clone(&fixture.approvals), effects(&server));
        Self {
            fixture,
            server,
            executor: Arc::new(executor),
            effects,
        }
    }

    pub(super) fn restarted(self) -> Self {
        Self::of(self.fixture.restarted(), self.server, self.effects)
    }

    /// What is handed out next, if anything is.
    pub(super) async fn handed_out(&self) -> Option<Approved> {
        let effects = (self.effects)(&self.server);
        let kinds: Vec<_> = effects.iter().map(|effect| effect.kind()).collect();
        self.fixture.approvals.next_due(&kinds).await.unwrap()
    }

    /// Carries out what is handed out next.
    pub(super) async fn next(&self) -> Result<Receipt, EffectError> {
        let approved = self.handed_out().await.unwrap();
        let kind = approved.draft().action.kind();
        self.executor.execute(approved, kind).await
    }

    pub(super) async fn state(&self) -> String {
        self.fixture.states().await.join(" | ")
    }

    /// What its owner is told of each attempt in doubt.
    pub(super) async fn doubts(&self) -> Vec<String> {
        let asked = self.executor.reconcile().await.unwrap();
        asked.in_doubt.into_iter().map(|doubt| doubt.why).collect()
    }

    /// The draft that waits.
    pub(super) fn pending(&self, n: u128) -> DraftNote {
        let path = layout::pending(id(n));
        let text = self.fixture.vault.read_text(&path, 100_000).unwrap();
        DraftNote::parse(&text).unwrap()
    }

    /// Begins what is next, and ends with the process while it waits for a call, once that `is_reached`.
    pub(super) async fn dies_when(self, is_reached: impl Fn(&S) -> bool) -> Self {
        let approved = self.handed_out().await.unwrap();
        let kind = approved.draft().action.kind();
        let executor = Arc::clone(&self.executor);
        let attempt = tokio::spawn(async move { executor.execute(approved, kind).await });
        while !is_reached(&self.server) {
            tokio::task::yield_now().await;
        }
        attempt.abort();
        self.restarted()
    }

    /// Begins what is next, and ends with the process at a fail point.
    pub(super) fn dies_at_point(self, point: &str) -> Self {
        println!("dies at {point}");
        fail::cfg_callback(point, || {
            assert!(!IS_DYING.get(), "the process ends here");
        })
        .unwrap();
        IS_DYING.set(true);
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(self.next())));
        IS_DYING.set(false);
        fail::remove(point);
        assert!(died.is_err(), "{point}");
        self.restarted()
    }

    /// After the end of the process: the other side says that it happened, or the owner that it shall once more.
    pub(super) fn comes_to_its_end(&self, has_happened: bool) {
        run(async {
            let asked = self.executor.reconcile().await.unwrap();
            let (confirmed, in_doubt) = (asked.confirmed == 1, asked.in_doubt.len() == 1);
            assert_eq!((confirmed, in_doubt), (has_happened, !has_happened));
            if !has_happened {
                self.executor.let_go(id(1)).await.unwrap();
                self.fixture.confirm(id(1));
                self.next().await.unwrap();
            }
            let state = self.state().await;
            assert!(state.starts_with("done at "), "{state}");
        });
    }
}
