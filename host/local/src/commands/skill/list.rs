//! `platinum skill list`: the installed skills and the roles that let them in.

use platinum_core::Role;
use platinum_daemon::installed;

use super::{
    super::terminal::{Level, Table, plain},
    Checker, CommandError, Context,
};

/// List the installed skills and the roles that let them in.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {}

pub(super) fn run(_: &ListArgs, ctx: &Context) -> Result<(), CommandError> {
    let folder = ctx.skills_folder()?;
    let found = installed(&folder)?;
    if found.is_empty() {
        return ctx.print(&format!("There is no skill in {}.\n", folder.display()));
    }
    let checker = Checker::new()?;
    let mut table = Table::default();
    for skill in &found {
        let component = skill.read_component()?;
        let lets_in = |role: &Role| checker.check(&skill.name, &component, *role).is_ok();
        let roles: Vec<&str> = Role::ALL
            .iter()
            .filter(|role| lets_in(role))
            .map(|role| role.as_str())
            .collect();
        let (tone, roles) = match roles.as_slice() {
            [] => (Level::Error, "no role".to_owned()),
            roles => (Level::Ok, roles.join(", ")),
        };
        table.coloured(
            1,
            tone,
            [
                plain(&skill.name, 64).as_str(),
                &roles,
                &plain(&skill.description, 100),
            ],
        );
    }
    ctx.print(&table.render(ctx.paint))
}
