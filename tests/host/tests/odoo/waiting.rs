//! Drafts that wait in a real Odoo become tasks, once each, read with the key of a drafter.

use std::{fs, path::Path, process::Command};

use platinum_testkit::{
    odoo::{OdooServer, OdooUser},
    program,
};
use platinum_vault::note::TaskNote;
use serde_json::{Value, json};

/// Saves a bill in Odoo as the owner; answers its number.
fn save_bill(server: &OdooServer, partner: &Value, origin: &str) -> anyhow::Result<i64> {
    let values = json!({
        "move_type": "in_invoice", "partner_id": partner, "invoice_date": "2026-11-30", "invoice_origin": origin,
        "invoice_line_ids": [[0, 0, {"name": "Tea", "quantity": 2, "price_unit": 10.25, "tax_ids": []}]],
    });
    let ids = server.call(
        OdooUser::Owner,
        "account.move",
        "create",
        &json!({"vals_list": [values]}),
    )?;
    Ok(ids[0].as_i64().unwrap())
}

/// Runs the source once, and answers the tasks there are about this partner.
fn poll(folder: &Path, protocol: &str) -> anyhow::Result<Vec<TaskNote>> {
    let toml = folder.join("odoo.toml");
    let text = fs::read_to_string(&toml)?;
    let (start, _) = text.split_once("protocol").unwrap_or((&text, ""));
    fs::write(&toml, format!("{start}protocol = '{protocol}'\n"))?;
    let output = Command::new(program("platinum-intake", "platinum-intake")?)
        .args(["odoo", "--once", "--config"])
        .arg(&toml)
        .arg("--vault")
        .arg(folder.join("vault"))
        .arg("--state")
        .arg(folder.join("state"))
        .output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let entries = fs::read_dir(folder.join("vault/Needs_Action/accounting"))
        .into_iter()
        .flatten();
    let mut tasks = Vec::new();
    for entry in entries {
        tasks.push(TaskNote::parse(&fs::read_to_string(entry?.path())?)?);
    }
    tasks.retain(|task| task.from == "Waiting GmbH");
    Ok(tasks)
}

#[test]
fn waiting_bill_of_a_real_odoo_becomes_one_task() -> anyhow::Result<()> {
    if !OdooServer::present()? {
        return Ok(());
    }
    let server = OdooServer::shared()?;
    let partner = json!({"vals_list": [{"name": "Waiting GmbH"}]});
    let partner = server.call(OdooUser::Owner, "res.partner", "create", &partner)?[0].take();
    let bill = save_bill(&server, &partner, "")?;
    // What Platinum saved has a task.
    save_bill(&server, &partner, "bill-0123456789abcdef0123456789abcdef")?;

    let folder = tempfile::tempdir()?;
    fs::create_dir_all(folder.path().join("vault/Needs_Action"))?;
    server.write_config(folder.path(), &server.url(), OdooUser::Drafter, "")?;
    let tasks = poll(folder.path(), "json-2")?;
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].fact("odoo-document"), [bill.to_string()]);
    assert!(
        tasks[0]
            .subject
            .starts_with("Draft in Odoo: vendor bill with Waiting GmbH, 20.5"),
        "{}",
        tasks[0].subject
    );

    let changed = json!({"ids": [bill], "vals": {"ref": "R-17"}});
    server.call(OdooUser::Owner, "account.move", "write", &changed)?;
    assert_eq!(poll(folder.path(), "json-rpc")?.len(), 1);
    Ok(())
}
