//! Names in another Unicode form: `platinum doctor`, and `platinum doctor --fix names`.

use std::fs;

use super::{Home, Kind};

#[tokio::test]
async fn doctor_offers_to_rename_and_renames_in_bulk() {
    let home = Home::ready().await;
    let inbox = home.path("vault/Inbox");
    for n in 0..300 {
        fs::write(inbox.join(format!("Cafe\u{301} {n}.md")), n.to_string()).unwrap();
    }
    let (printed, _) = home.tries(&["doctor"]).await;
    let row = r"warn   names          300 names have their letters and accents written apart, such as `Inbox/Cafe\u{301} 0.md`; what has them stays on this machine; `platinum doctor --fix names` renames them, and they look the same";
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&printed).contains(&words(row)), "{printed}");

    let printed = home.does(&["doctor", "--fix", "names"]).await;
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 301);
    assert_eq!(
        lines[0],
        r"renamed   Inbox/Cafe\u{301} 0.md  to  Inbox/Café 0.md"
    );
    assert_eq!(lines[300], "300 names were renamed.");
    assert_eq!(home.read("Inbox/Café 299.md"), "299");
    assert_eq!(
        home.does(&["doctor", "--fix", "names"]).await,
        "Every name is in the form that is synced.\n"
    );

    // Nothing is replaced.
    fs::write(inbox.join("Cafe\u{301} 7.md"), "another").unwrap();
    let (printed, ended) = home.tries(&["doctor", "--fix", "names"]).await;
    assert_eq!(
        printed,
        "left      Inbox/Cafe\\u{301} 7.md: another file has that name already; give one of them another name\n\
         0 names were renamed.\n"
    );
    let error = ended.unwrap_err();
    assert_eq!(
        (error.kind, error.to_string().as_str()),
        (Kind::Conflict, "1 name is left as it was")
    );
    assert_eq!(home.read("Inbox/Café 7.md"), "7");
}
