//! The host side of `sync/run`.

use super::{SyncCtx, SyncRunError};
use crate::bindings::platinum::sync::run::{Error, Host, Report};

impl Host for SyncCtx {
    async fn run(&mut self) -> wasmtime::Result<Result<Report, Error>> {
        Ok(match self.syncer.run().await {
            Ok(report) => Ok(Report {
                pulled: report.pulled,
                pushed: report.pushed,
                conflicts: report.conflicts,
                tip: report.tip,
            }),
            Err(SyncRunError::Unavailable(what)) => Err(Error::Unavailable(what)),
            Err(SyncRunError::Violation(what)) => Err(Error::Violation(what)),
            Err(SyncRunError::Failed(what)) => Err(Error::Failed(what)),
        })
    }
}
