//! `platinum conflicts`.

use std::fs;

use super::{Home, Kind};

const COPY: &str = "Plans/week.conflict-cloud-20261120T184303122Z-0123abcd.md";
const NOTE: &str = "# Week\n\n- call Ann\n- write the offer\n\nEnd.\n";
const OTHER: &str = "# Week\n\n- call Bob\n- write the offer\n- post it\n\nEnd.\n";

async fn home() -> Home {
    let home = Home::ready().await;
    fs::create_dir_all(home.path("vault/Plans")).unwrap();
    fs::write(home.path("vault/Plans/week.md"), NOTE).unwrap();
    fs::write(home.path("vault").join(COPY), OTHER).unwrap();
    home
}

#[tokio::test]
async fn conflicts_lists_both_versions_side_by_side() {
    let home = home().await;
    assert_eq!(
        home.does(&["conflicts"]).await,
        "0123abcd  Plans/week.md: a version of cloud, 2026-11-20 18:43 UTC\n\
         \u{20}         Plans/week.conflict-cloud-20261120T184303122Z-0123abcd.md\n\
         \u{20} the note, from line 3                  | the copy, from line 3\n\
         \u{20} - call Ann                             | - call Bob\n\
         \u{20} - write the offer                      | - write the offer\n\
         \u{20}                                        | - post it\n\
         \n\
         1 copy. `platinum conflicts take ID` puts a copy in its note's place, `platinum conflicts keep ID` leaves the note; the other version goes to .trash/.\n"
    );
    let status = home.does(&["status"]).await;
    let row = "1 copy to look at: Plans/week.conflict-cloud-20261120T184303122Z-0123abcd.md; `platinum conflicts` shows each beside its note";
    assert!(status.contains(row), "{status}");
}

#[tokio::test]
async fn conflicts_take_puts_the_copy_in_the_notes_place() {
    let home = home().await;
    // Something was put there before.
    fs::create_dir(home.path("vault/.trash")).unwrap();
    fs::write(home.path("vault/.trash/week.md"), "older").unwrap();
    assert_eq!(
        home.does(&["conflicts", "take", "0123abcd"]).await,
        "Plans/week.md is the copy now; what it was before is .trash/week 2.md.\n"
    );
    assert_eq!(home.read("Plans/week.md"), OTHER);
    assert_eq!(home.read(".trash/week 2.md"), NOTE);
    assert_eq!(home.read(".trash/week.md"), "older");
    assert!(!home.path("vault").join(COPY).exists());
    assert_eq!(home.does(&["conflicts"]).await, "No conflict copies.\n");
    let error = home.fails(&["conflicts", "take", "0123abcd"]).await;
    assert_eq!(
        (error.kind, error.to_string().as_str()),
        (
            Kind::NotFound,
            "no conflict copy is called 0123abcd\n  `platinum conflicts` lists them"
        )
    );
}

#[tokio::test]
async fn conflicts_keep_puts_the_copy_away() {
    let home = home().await;
    assert_eq!(
        home.does(&["conflicts", "keep", COPY]).await,
        format!(
            "Plans/week.md stays as it is; the copy is .trash/{} now.\n",
            &COPY[6..]
        )
    );
    assert_eq!(home.read("Plans/week.md"), NOTE);
    assert_eq!(home.read(&format!(".trash/{}", &COPY[6..])), OTHER);
    // Of a note that is gone, the copy takes its place.
    fs::rename(
        home.path(&format!("vault/.trash/{}", &COPY[6..])),
        home.path("vault").join(COPY),
    )
    .unwrap();
    fs::remove_file(home.path("vault/Plans/week.md")).unwrap();
    assert!(
        home.does(&["conflicts"])
            .await
            .contains("  there is no such note any more\n")
    );
    assert_eq!(
        home.does(&["conflicts", "take", "0123abcd"]).await,
        "Plans/week.md was not there, and is the copy now.\n"
    );
    assert_eq!(home.read("Plans/week.md"), OTHER);
}
