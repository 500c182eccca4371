//! What of an invoice does not add up, in words. Nothing is mended.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::{Invoice, Line, number};

/// What does not fit together: sums of lines, the sums below them, days, the account. Each is a sentence.
#[must_use]
pub fn find_faults(invoice: &Invoice) -> Vec<String> {
    let mut faults = Vec::new();
    let digits = number::minor_digits(invoice.currency.as_deref());
    // Half a unit for each number that was rounded.
    let unit = Decimal::new(1, digits);
    let shown = |number: Decimal| number::render(number.round_dp(digits.max(2)));
    for (at, line) in invoice.lines.iter().enumerate() {
        let Some((total, computed)) = line.total.zip(line.computed(digits)) else {
            continue;
        };
        if !is_near(total, computed, unit) {
            faults.push(format!(
                "The line {} ({}) comes to {}, and it says {}.",
                at + 1,
                line.name,
                shown(computed),
                shown(total)
            ));
        }
    }
    let sums: Option<Vec<Decimal>> = invoice
        .lines
        .iter()
        .map(|line| line.total.or_else(|| line.computed(digits)))
        .collect();
    let sum = sums.and_then(|sums| {
        let mut sums = sums.into_iter();
        sums.try_fold(Decimal::ZERO, Decimal::checked_add)
    });
    let (name, said) = match invoice.prices_include_tax {
        true => ("total", invoice.total),
        false => ("net", invoice.net),
    };
    let count = Decimal::from(invoice.lines.len().max(1));
    if let (false, Some(sum), Some(said)) = (invoice.lines.is_empty(), sum, said)
        && !is_near(sum, said, unit * count)
    {
        faults.push(format!(
            "The lines come to {}, and the {name} says {}.",
            shown(sum),
            shown(said)
        ));
    }
    if let (Some(net), Some(tax), Some(total)) = (invoice.net, invoice.tax, invoice.total)
        && let Some(sum) = net.checked_add(tax)
        && !is_near(sum, total, unit)
    {
        faults.push(format!(
            "Net and tax come to {}, and the total says {}.",
            shown(sum),
            shown(total)
        ));
    }
    if let (Some(date), Some(due)) = (&invoice.date, &invoice.due)
        && due < date
    {
        faults.push(format!("It is due on {due}, before its own date {date}."));
    }
    for (whose, party) in [("seller's", &invoice.seller), ("buyer's", &invoice.buyer)] {
        if let Some(iban) = party.iban.as_deref().filter(|iban| !is_iban(iban)) {
            faults.push(format!(
                "The {whose} account {iban} is no IBAN: its check digits do not fit."
            ));
        }
    }
    faults
}

impl Line {
    /// Quantity times price less the discount, rounded half away from zero to so many decimals.
    #[must_use]
    pub fn computed(&self, digits: u32) -> Option<Decimal> {
        let rest = Decimal::ONE_HUNDRED.checked_sub(self.discount)?;
        let sum = self.quantity.checked_mul(self.unit_price)?;
        let sum = sum.checked_mul(rest)?.checked_div(Decimal::ONE_HUNDRED)?;
        Some(sum.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero))
    }
}

fn is_near(one: Decimal, other: Decimal, by: Decimal) -> bool {
    one.checked_sub(other)
        .is_some_and(|difference| difference.abs() <= by)
}

/// Whether the check digits fit (ISO 13616, mod 97).
fn is_iban(text: &str) -> bool {
    if !(15..=34).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    let (head, rest) = text.split_at(4);
    let digits = rest
        .chars()
        .chain(head.chars())
        .filter_map(|c| c.to_digit(36));
    let remainder = digits.fold(0_u32, |remainder, digit| {
        let shift = if digit < 10 { 10 } else { 100 };
        (remainder * shift + digit) % 97
    });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invoice(text: &str) -> Vec<String> {
        find_faults(&Invoice::parse(text).unwrap())
    }

    #[test]
    fn find_faults_that_fit_says_nothing() {
        let text = "Seller: A\nIBAN: DE89 3704 0044 0532 0130 00\nDate: 2026-11-30\nDue: 2026-11-30\n\n\
            | Item | Qty | Price | Discount | Total |\n|---|---|---|---|---|\n| a | 3 | 0.333 | | 1.00 |\n\
            | b | 1 | 10.00 | 5 % | 9.50 |\n\nNet: 10.50\nTax: 2.00\nTotal: 12.50\n";
        assert_eq!(invoice(text), Vec::<String>::new());
    }

    #[test]
    fn check_names_each_sum_that_does_not_fit() {
        let text = "Seller: A\nIBAN: DE88 3704 0044 0532 0130 00\nDate: 2026-11-30\nDue: 2026-11-29\n\n\
            | Item | Qty | Price | Total |\n|---|---|---|---|\n| a | 3 | 2.00 | 7.00 |\n\n\
            Net: 9.00\nTax: 2.00\nTotal: 12.00\n";
        assert_eq!(
            invoice(text),
            [
                "The line 1 (a) comes to 6, and it says 7.",
                "The lines come to 7, and the net says 9.",
                "Net and tax come to 11, and the total says 12.",
                "It is due on 2026-11-29, before its own date 2026-11-30.",
                "The seller's account DE88370400440532013000 is no IBAN: its check digits do not fit.",
            ]
        );
    }

    #[test]
    fn check_yen_has_no_decimals() {
        let text = "Currency: JPY\nBuyer: A\n\n| Item | Qty | Price | Total |\n|---|---|---|---|\n| a | 3 | 33.40 | 100 |\n\nNet: 100\n";
        assert_eq!(invoice(text), Vec::<String>::new());
    }
}
