//! `platinum skill check`: skill by role, links or is refused because of which import.

use std::path::PathBuf;

use platinum_core::Role;

use super::{
    super::terminal::{Level, Table, count, plain},
    Checker, CommandError, Context, Kind, components,
};

/// Say which skills a role lets in, and why it refuses the others.
///
/// Fails if one is refused.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The role, `cloud` or `local`; without it, both.
    #[arg(long)]
    role: Option<Role>,
    /// Components or folders of skills; without any, the installed ones.
    files: Vec<PathBuf>,
}

pub(super) fn run(args: &CheckArgs, ctx: &Context) -> Result<(), CommandError> {
    let roles = args
        .role
        .map_or_else(|| Role::ALL.to_vec(), |role| vec![role]);
    let found = components(&args.files, ctx)?;
    let checker = Checker::new()?;
    let mut table = Table::default();
    let mut refused = 0;
    for component in &found {
        for &role in &roles {
            let name = plain(&component.name, 64);
            match checker.check(&name, &component.bytes, role) {
                Ok(()) => table.coloured(2, Level::Ok, [name.as_str(), role.as_str(), "links"]),
                Err(why) => {
                    refused += 1;
                    let why = plain(&why.to_string(), 2000);
                    table.coloured(2, Level::Error, [name.as_str(), role.as_str(), &why]);
                }
            }
        }
    }
    ctx.print(&table.render(ctx.paint))?;
    if refused == 0 {
        return Ok(());
    }
    let asked = found.len() * roles.len();
    Err(CommandError::new(
        Kind::Refused,
        format!(
            "{} refused, of {asked} checked",
            count(refused, "skill is", "skills are")
        ),
    ))
}
