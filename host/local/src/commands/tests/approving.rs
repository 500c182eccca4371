//! `platinum approve` binds the bytes that its owner was shown.

use super::*;

/// A draft that answers the sender of its task: nothing in it has to be confirmed.
fn plain_answer(home: &Home, body: &str) -> (DraftNote, PathBuf) {
    let answer = draft(7, body);
    home.pending(&answer);
    let path = home.path(&format!("vault/Pending_Approval/{}.md", answer.id));
    (answer, path)
}

/// Shown with a finding, edited elsewhere so that none is left: the digest is of other bytes.
#[tokio::test]
async fn approve_compares_a_given_digest_without_findings() {
    let home = Home::ready().await;
    let (mut shown, path) = plain_answer(&home, "Tuesday is fine.\n");
    let id = shown.id.to_string();
    let mut mail: EmailSend = shown.action.read().unwrap();
    mail.bcc = vec!["eve@else.test".to_owned()];
    let plain = fs::read_to_string(&path).unwrap();
    shown.action = Action::new(&mail);
    fs::write(&path, shown.render()).unwrap();
    let error = home.fails(&["approve", &id]).await.to_string();
    let digest = error.rsplit("--confirm ").next().unwrap().trim().to_owned();
    fs::write(&path, plain.replace("Tuesday", "Friday")).unwrap();
    let error = home.fails(&["approve", &id, "--confirm", &digest]).await;
    let why = format!("not {digest}: it is not what you were shown");
    assert!(error.to_string().contains(&why), "{error}");
    assert_eq!(error.kind, Kind::Refused);
    assert!(path.exists());
    // Without a digest it is approved as it is: nothing in it has to be confirmed.
    home.does(&["approve", &id]).await;
    assert!(!path.exists());
}
