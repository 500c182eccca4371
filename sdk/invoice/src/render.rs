//! The invoice text written: what [`Invoice::parse`] reads as the same invoice.

use rust_decimal::Decimal;

use crate::{Invoice, Kind, Party, number, table};

/// The headings of the table.
const COLUMNS: [&str; 6] = ["Item", "Quantity", "Price", "Discount", "Tax", "Total"];

impl Invoice {
    /// The invoice as text: keys, a table of its lines, sums, details, notes. It ends with a line break.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        let mut add = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                text.push_str(&format!("{key}: {value}\n"));
            }
        };
        add(
            "Type",
            Some(match self.kind {
                Kind::Invoice => "Invoice",
                Kind::CreditNote => "Credit note",
            }),
        );
        add("Number", self.number.as_deref());
        add("Date", self.date.as_deref());
        add("Due", self.due.as_deref());
        add("Currency", self.currency.as_deref());
        for (name, party) in [("Seller", &self.seller), ("Buyer", &self.buyer)] {
            let Party {
                name: party_name,
                vat,
                iban,
                email,
                country,
            } = party;
            add(name, party_name.as_deref());
            add(&format!("{name} VAT"), vat.as_deref());
            add(&format!("{name} IBAN"), iban.as_deref());
            add(&format!("{name} email"), email.as_deref());
            add(&format!("{name} country"), country.as_deref());
        }
        if self.prices_include_tax {
            add("Prices", Some("with tax"));
        }
        if !self.lines.is_empty() {
            text.push('\n');
            text.push_str(&self.render_lines());
        }
        let sums = [
            ("Net", self.net),
            ("Tax", self.tax),
            ("Total", self.total),
            ("Payable", self.payable),
        ];
        let mut sums = sums
            .iter()
            .filter_map(|(name, sum)| sum.map(|sum| format!("{name}: {}\n", number::render(sum))))
            .peekable();
        if sums.peek().is_some() {
            text.push('\n');
        }
        text.extend(sums);
        if !self.notes.is_empty() || !self.details.is_empty() {
            text.push('\n');
        }
        text.extend(
            self.details
                .iter()
                .map(|detail| format!("Detail: {detail}\n")),
        );
        text.extend(self.notes.iter().map(|note| format!("Note: {note}\n")));
        text
    }

    fn render_lines(&self) -> String {
        let per_cent = |rate: Decimal| format!("{} %", number::render(rate));
        let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
        rows.extend(self.lines.iter().map(|line| {
            vec![
                line.name.clone(),
                number::render(line.quantity),
                number::render(line.unit_price),
                match line.discount.is_zero() {
                    true => String::new(),
                    false => per_cent(line.discount),
                },
                line.tax.map(per_cent).unwrap_or_default(),
                line.total.map(number::render).unwrap_or_default(),
            ]
        }));
        let mut lines: Vec<String> = rows.iter().map(|row| table::row(row)).collect();
        lines.insert(1, "| --- | ---: | ---: | ---: | ---: | ---: |".to_owned());
        lines.join("\n") + "\n"
    }
}
