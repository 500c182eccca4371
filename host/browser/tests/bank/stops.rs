//! Pages that must stop a payment before the last click, each with the words for it; and what is only seen behind it.

use platinum_browser::{Mode, NamespaceUse, Outcome, Recipe};
use platinum_testkit::bank::BankFault;

use crate::{World, payment};

/// What a bank does, and what is said.
const STOPS: [(BankFault, &str); 24] = [
    (BankFault::WrongPayee, "`payee` shows \"Mallory Ltd\""),
    (BankFault::HomoglyphPayee, "`payee` shows"),
    (
        BankFault::WrongIban,
        "`iban` shows \"GB33BUKB20201555555555\"",
    ),
    (
        BankFault::ChangedAmount,
        "`amount` shows \"9.999,00 EUR\", and \"EUR 1234.56\" was approved",
    ),
    (
        BankFault::OtherCurrency,
        "`amount` shows \"1.234,56 USD\", and \"EUR 1234.56\" was approved",
    ),
    (
        BankFault::DecimalPoint,
        "`amount` shows \"1,234.56 EUR\", which is not read as an amount",
    ),
    (BankFault::Dialog, "dialog"),
    (BankFault::Question, "an element of the role alertdialog"),
    (BankFault::SessionExpired, "(at https://127.0.0.1:"),
    (
        BankFault::Slow,
        "step 13 (click): the page did not answer in time",
    ),
    (BankFault::Redirect, "none of the recipe's origins"),
    (BankFault::HiddenField, "a field that cannot be seen"),
    (BankFault::InvisibleField, "a field that cannot be seen"),
    (
        BankFault::Orders,
        "the page has 2 elements that are button \"Pay now\"",
    ),
    (BankFault::Popup, "a second tab or window"),
    (BankFault::SecondTab, "a second tab or window"),
    (BankFault::Overlay, "something may lie over it"),
    (BankFault::Download, "a download"),
    (BankFault::WebSocket, "none of the recipe's origins"),
    (BankFault::WebRtc, "RTCPeerConnection"),
    (BankFault::ServiceWorker, "a service worker"),
    (BankFault::ChangesOnHover, "`amount` shows \"9.999,00 EUR\""),
    // At which look it is seen is chance.
    (BankFault::Flickers, ""),
    (BankFault::None, ""),
];

#[tokio::test]
async fn page_that_is_not_as_approved_stops_before_paying() -> anyhow::Result<()> {
    let Some(mut world) = World::new()? else {
        return Ok(());
    };
    world.settings.step_seconds = 4;
    let mut wrong = Vec::new();
    for (fault, words) in STOPS {
        world.bank.set(fault);
        let report = world.pay().await;
        let is_as_it_should = match &report.outcome {
            Outcome::NotPaid(problem) => {
                fault != BankFault::None && problem.to_string().contains(words)
            }
            Outcome::Paid { .. } => fault == BankFault::None,
            _ => false,
        };
        println!("{fault:?}: {:?} in {:?}", report.outcome, report.took);
        if !is_as_it_should {
            wrong.push(format!("{fault:?}: {report:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The last one, which had no fault, and no other.
    assert_eq!(world.bank.payments().len(), 1);
    assert_eq!(world.bank.astray(), (Vec::new(), 0));
    Ok(())
}

/// Where the system allows no namespace, the proxy and the guard of the pages hold by themselves.
#[tokio::test]
async fn page_reaches_nothing_else_without_a_namespace() -> anyhow::Result<()> {
    let Some(mut world) = World::new()? else {
        return Ok(());
    };
    world.settings.namespace = NamespaceUse::Off;
    for fault in [BankFault::Redirect, BankFault::WebSocket, BankFault::WebRtc] {
        world.bank.set(fault);
        let report = world.pay().await;
        assert!(
            matches!(report.outcome, Outcome::NotPaid(_)),
            "{fault:?}: {report:?}"
        );
    }
    assert_eq!(world.bank.payments(), []);
    assert_eq!(world.bank.astray(), (Vec::new(), 0));
    Ok(())
}

/// A page that changes when the button is pressed, and a receipt over another amount: paid, and said to be in doubt.
#[tokio::test]
async fn receipt_over_another_amount_is_a_doubt() -> anyhow::Result<()> {
    let Some(world) = World::new()? else {
        return Ok(());
    };
    for (count, fault) in [BankFault::OtherReceipt, BankFault::ChangesOnPress]
        .into_iter()
        .enumerate()
    {
        world.bank.set(fault);
        let report = world.pay().await;
        let Outcome::Unknown { problem, check } = &report.outcome else {
            panic!("{report:?}");
        };
        assert!(
            problem
                .to_string()
                .contains("the receipt shows the amount \"9.999,00 EUR\""),
            "{problem}"
        );
        assert!(
            check.contains("look at the payments of test-bank for EUR 1234.56"),
            "{check}"
        );
        assert_eq!(world.bank.payments().len(), count + 1);
    }
    Ok(())
}

#[tokio::test]
async fn answer_that_is_lost_after_booking_is_a_doubt() -> anyhow::Result<()> {
    let Some(mut world) = World::new()? else {
        return Ok(());
    };
    world.settings.step_seconds = 3;
    for (count, fault) in [BankFault::ClosesAfterBooking, BankFault::StallsAfterBooking]
        .into_iter()
        .enumerate()
    {
        world.bank.set(fault);
        let report = world.pay().await;
        assert!(
            matches!(report.outcome, Outcome::Unknown { .. }),
            "{report:?}"
        );
        assert_eq!(world.bank.payments().len(), count + 1);
        world.bank.set(BankFault::None);
        let listed = world.listed().await;
        assert!(
            matches!(listed.outcome, platinum_browser::Listed::Found(_)),
            "{listed:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn payment_that_cannot_be_is_refused_before_a_browser() -> anyhow::Result<()> {
    let Some(world) = World::new()? else {
        return Ok(());
    };
    std::fs::create_dir_all(world.state.path().join("browser"))?;
    std::fs::write(world.state.path().join("browser/lock"), "")?;
    for minor in [0, -1] {
        let mut bad = payment();
        bad.amount.minor = minor;
        let report = world.run(&world.recipe(), &bad, Mode::Pay).await;
        assert!(
            matches!(&report.outcome, Outcome::NotPaid(problem) if problem.why.starts_with("`amount`")),
            "{report:?}"
        );
    }
    let text = world
        .bank
        .recipe()
        .replace("bank-password", "other-password");
    let report = world
        .run(&Recipe::parse(&text)?, &payment(), Mode::Pay)
        .await;
    assert!(
        matches!(&report.outcome, Outcome::NotPaid(problem) if problem.why.contains("`other-password`")),
        "{report:?}"
    );
    assert_eq!(world.bank.requests(), Vec::<String>::new());
    Ok(())
}
