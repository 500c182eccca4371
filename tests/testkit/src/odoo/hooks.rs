//! Leaving out one hook of the addon at a time, to see what it alone holds back.
//!
//! An addon of the tests alone puts itself before each hook: where the hook is left out, the method behind it in
//! Odoo is called without being judged. What that does inside is taken for Odoo's own, as the hook would say too:
//! else the other hooks would refuse it. Which are left out is read at each call, so no restart is needed.

use std::{fs, path::PathBuf};

use super::OdooServer;

/// Every hook: the method of a class of the addon.
pub const HOOKS: [&str; 15] = [
    "base.create",
    "base.write",
    "base.unlink",
    "base._has_field_access",
    "base._BaseModel__ensure_xml_id",
    "ir.actions.server._run_action_webhook",
    "base.module.upgrade.upgrade_module",
    "ir.sequence._next",
    "account.move.create",
    "account.move.write",
    "account.move.unlink",
    "account.move._post",
    "account.move.line.create",
    "account.move.line.write",
    "account.move.line.unlink",
];

const ADDON: &str = r"
import functools, os
from odoo.addons.platinum_draft_only.models import account_move, base, guard

FOLDER = os.environ['PLATINUM_HOOKS_LEFT_OUT']

def switch(model, owner, name):
    hook = getattr(owner, name)
    path = os.path.join(FOLDER, '%s.%s' % (model, name))
    @functools.wraps(hook)
    def method(self, *args, **kwargs):
        if os.path.exists(path):
            behind = getattr(super(owner, self), name)
            if not model.startswith('account.move'):
                return behind(*args, **kwargs)
            with guard.allowed_call():
                return behind(*args, **kwargs)
        return hook(self, *args, **kwargs)
    setattr(owner, name, method)

HOOKS = {
    'base': (base.Base, ['create', 'write', 'unlink', '_has_field_access', '_BaseModel__ensure_xml_id']),
    'base.module.upgrade': (base.BaseModuleUpgrade, ['upgrade_module']),
    'ir.actions.server': (base.IrActionsServer, ['_run_action_webhook']),
    'ir.sequence': (base.IrSequence, ['_next']),
    'account.move': (account_move.AccountMove, ['create', 'write', 'unlink', '_post']),
    'account.move.line': (account_move.AccountMoveLine, ['create', 'write', 'unlink']),
}
for model, (owner, names) in HOOKS.items():
    for name in names:
        switch(model, owner, name)
";

impl OdooServer {
    /// Starts one whose hooks can be left out.
    ///
    /// # Errors
    /// As [`OdooServer::start`].
    pub fn start_with_hooks() -> anyhow::Result<Self> {
        Self::start_with(true)
    }

    /// Leaves out these of [`HOOKS`] while `act` runs.
    ///
    /// # Errors
    /// If they cannot be left out, or this is not a server whose hooks can be.
    pub fn without_hooks<T>(&self, hooks: &[&str], act: impl FnOnce() -> T) -> anyhow::Result<T> {
        let marks: Vec<PathBuf> = hooks
            .iter()
            .map(|hook| self.left_out().join(hook))
            .collect();
        for mark in &marks {
            fs::write(mark, "")?;
        }
        let result = act();
        for mark in &marks {
            fs::remove_file(mark)?;
        }
        Ok(result)
    }

    /// A file in it with the name of a hook leaves that out.
    pub(super) fn left_out(&self) -> PathBuf {
        self.dir.path().join("hooks-left-out")
    }

    /// The folder of the addon that does it.
    pub(super) fn hooks_addons(&self) -> PathBuf {
        self.dir.path().join("hooks-addons")
    }

    pub(super) fn write_hooks_addon(&self) -> anyhow::Result<()> {
        fs::create_dir_all(self.left_out())?;
        let addon = self.hooks_addons().join("platinum_hooks_left_out");
        fs::create_dir_all(&addon)?;
        fs::write(
            addon.join("__manifest__.py"),
            "{'name': 'Hooks left out', 'license': 'LGPL-3'}",
        )?;
        Ok(fs::write(addon.join("__init__.py"), ADDON)?)
    }
}
