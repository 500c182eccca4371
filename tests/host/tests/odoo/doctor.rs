//! What `platinum-cloud doctor` says of accounting with a real Odoo: whether its key can only draft.

use platinum_testkit::odoo::{OdooServer, OdooUser};
use serde_json::json;

use crate::halves::Halves;

/// The row of the zone, and whether all is well.
fn examine(halves: &Halves) -> (String, bool) {
    let output = halves.hosts.cloud.run(&["doctor"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut rows = printed.lines();
    let row = rows.find(|row| row.split_whitespace().nth(1) == Some("accounting"));
    let row = row.unwrap_or_else(|| panic!("no row in:\n{printed}"));
    println!("{row}");
    (row.to_owned(), output.status.success())
}

#[test]
fn doctor_of_a_cloud_proves_what_its_key_can_do() -> anyhow::Result<()> {
    if !OdooServer::present()? {
        return Ok(());
    }
    let halves = Halves::set();
    // Somebody else's document, so that this way is tried, too.
    let contact = halves.contact(&json!({"name": "Doctor"}));
    let draft = json!({"move_type": "out_invoice", "partner_id": contact});
    let draft = json!({ "vals_list": [draft] });
    halves
        .odoo
        .call(OdooUser::Owner, "account.move", "create", &draft)?;

    let (row, is_well) = examine(&halves);
    // Another test may have begun a proof of its own in the same moment, with an entry of its own.
    let (_, named) = row.rsplit_once("journal entry ").unwrap();
    let proof: u64 = named.split(',').next().unwrap().parse()?;
    let is_of_drafter = halves.row(&format!(
        "select count(*) from account_move m join res_users u on u.id = m.create_uid where m.id = {proof}
         and m.invoice_origin = 'platinum-proof-of-rights' and u.login = 'platinum-drafter'"
    ));
    assert_eq!(is_of_drafter, "1", "{row}");
    let company = halves.row("select name from res_company where id = 1");
    let start = format!("ok     accounting Odoo opens: {company} has ");
    let end = format!(
        "; this key can only draft: Odoo refused it all of 25 ways to do more; they were tried on the empty journal \
         entry {proof}, which stays there for the next time"
    );
    assert!(row.starts_with(&start) && row.ends_with(&end), "{row}");
    assert!(is_well);

    halves.give_owners_key();
    let (row, is_well) = examine(&halves);
    assert_eq!(
        row,
        "wrong  accounting this key can do more than draft: Odoo did not refuse it 25 of 25 ways (post a draft; write \
         that a draft is posted; let Odoo post a draft by itself; let Odoo send a document when it is posted; and 21 \
         more); make a key that can only draft, as deploy/odoo/README.md of Platinum says, and give this server that \
         one"
    );
    assert!(!is_well);
    // The entry of this proof is deleted again by its last way.
    let left = "select count(*) from account_move m join res_users u on u.id = m.create_uid
                where m.invoice_origin = 'platinum-proof-of-rights' and u.login = 'admin'";
    assert_eq!(halves.row(left), "0");
    Ok(())
}
