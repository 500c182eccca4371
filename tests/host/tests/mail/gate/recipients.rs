//! An answer to several: everybody who got the mail gets the answer, and nobody else.

use std::fs;

use mail_parser::MessageParser;
use platinum_testkit::{
    mail::{CLIENT, OWNER},
    wait_for,
};

use super::cluster::{Cluster, SOON};

const MAIL: &str = "From: \"Weiss, Clara\" <client@example.test>\r\n\
    To: Owner <owner@example.test>; Bo <client+bo@example.test>\r\n\
    Cc: owner+shop@example.test, Info <client+info@example.test>\r\n\
    Subject: RV: [EXT] Plan\r\n\
    Date: Fri, 20 Nov 2026 17:42:00 +0100\r\n\
    Message-ID: <no-at-sign,here>\r\n\
    References: <LYRIS-12345> <first@client.example>\r\n\
    List-Unsubscribe: <https://crm.test/u/1>\r\n\r\n\
    Hello,\r\n\r\nwhich day suits you?\r\n\r\nClara\r\n";

#[test]
fn answer_to_all_reaches_everybody_but_the_owner() {
    let cluster = Cluster::set();
    let _cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    let _local = cluster.local();
    cluster.mail.deliver(OWNER, MAIL.as_bytes()).unwrap();
    let draft = cluster.wait_for_draft();
    let text = fs::read_to_string(&draft).unwrap();
    assert!(text.contains("copy to 2 more"), "{text}");
    assert!(
        text.contains(
            "A copy goes to Bo <client+bo@example.test>, Info <client+info@example.test>."
        ),
        "{text}"
    );
    fs::write(&draft, platinum_testkit::notes::fill_gaps(&text)).unwrap();
    let to = cluster.vault("local").join("Approved");
    fs::rename(&draft, to.join(draft.file_name().unwrap())).unwrap();
    let received = wait_for("the answer in all three mailboxes", SOON, || {
        let mails = cluster.mail.mailbox(CLIENT)?;
        Ok((mails.len() == 3).then_some(mails))
    })
    .unwrap();
    let mail = MessageParser::default().parse(&received[0]).unwrap();
    let addresses = |list: Option<&mail_parser::Address<'_>>| -> Vec<String> {
        let list = list.into_iter().flat_map(mail_parser::Address::iter);
        list.filter_map(|one| one.address().map(str::to_owned))
            .collect()
    };
    assert_eq!(addresses(mail.to()), [CLIENT]);
    assert_eq!(
        addresses(mail.cc()),
        ["client+bo@example.test", "client+info@example.test"]
    );
    assert_eq!(mail.subject(), Some("Re: Plan"));
    // What the sender's program wrote for an id is copied as it is.
    assert_eq!(mail.in_reply_to().as_text(), Some("no-at-sign,here"));
    let references = mail
        .references()
        .clone()
        .into_text_list()
        .unwrap_or_default();
    assert_eq!(
        references,
        ["LYRIS-12345", "first@client.example", "no-at-sign,here"]
    );
    let copies = cluster.mail.folder(OWNER, "Sent").unwrap();
    assert_eq!(copies.len(), 1, "the owner gets no copy but that in Sent");
}
