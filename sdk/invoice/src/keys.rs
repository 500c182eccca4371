//! What a key may be called, in English and German.

/// Who a key speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Seller,
    Buyer,
}

/// What of a party a key gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Name,
    Vat,
    Iban,
    Email,
    Country,
}

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Type,
    /// The number of an invoice.
    Number,
    /// The number of a credit note.
    CreditNote,
    /// The number of an invoice that was paid.
    Payment,
    Date,
    Due,
    Currency,
    /// Of the party that it names, or of the one named last.
    Party(Option<Role>, Field),
    Prices,
    /// The rate or the amount of all taxes; a VAT number where it is none.
    Tax,
    /// The amount of the tax of one rate, of several.
    TaxOfRate,
    Net,
    Total,
    Payable,
    Note,
    Detail,
    /// Of the only line, in a text without a table.
    Item,
    Quantity,
    Price,
    Discount,
    Journal,
}

impl Key {
    /// Whether it is of a sum below the lines.
    pub(crate) fn is_sum(self) -> bool {
        matches!(
            self,
            Self::Net | Self::Tax | Self::TaxOfRate | Self::Total | Self::Payable
        )
    }
}

/// A column of the table of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Item,
    Quantity,
    Unit,
    Price,
    Discount,
    Tax,
    Total,
    /// A number of the line, which means nothing.
    Position,
}

/// What each meaning may be called, with `|` between, as [`plain`] gives it.
type Names<T> = &'static [(T, &'static str)];

const KEYS: Names<Key> = &[
    (Key::Type, "type|typ|belegart|document type"),
    (
        Key::Number,
        "number|nr|no|nummer|invoice|invoice no|invoice number|invoice nr|invoice id|bill|bill no|\
         bill number|rechnung|rechnung nr|rechnungs nr|rechnungsnr|rechnungsnummer|rechnung nummer|\
         beleg|belegnummer|document number|reference number|belegnr|beleg nr|rechnungs nummer|rg nr|re nr|inv no|\
         invoice reference|invoice ref",
    ),
    (
        Key::CreditNote,
        "credit note|credit note no|credit note number|gutschrift|gutschrift nr|gutschriftsnummer|\
         rechnungskorrektur|stornorechnung",
    ),
    (
        Key::Payment,
        "payment|payment of|payment for|paid invoice|zahlung|zahlung zu|zahlung für|zahlung von|\
         bezahlte rechnung|zahlung der rechnung",
    ),
    (
        Key::Date,
        "date|invoice date|date of invoice|issue date|date of issue|issued|bill date|datum|\
         rechnungsdatum|belegdatum|ausgestellt am|payment date|paid on|zahlungsdatum|bezahlt am|\
         gezahlt am|rechnungs datum|billing date|invoice dated|dated",
    ),
    (
        Key::Due,
        "due|due date|due on|payable by|pay by|fällig|faellig|fällig am|faellig am|fälligkeit|\
         fälligkeitsdatum|faelligkeitsdatum|zahlbar bis|zahlungsziel|zahlbar bis zum|fällig bis|zu zahlen bis|\
         payment due|payment due date|due by|payment due by|pay before|payable until",
    ),
    (Key::Currency, "currency|währung|waehrung"),
    (Key::Prices, "prices|preise"),
    (
        Key::Tax,
        "tax|taxes|vat|vat amount|tax amount|total tax|total vat|tax rate|vat rate|steuer|mwst|ust|\
         umsatzsteuer|mehrwertsteuer|steuersatz|mwst satz|steuerbetrag|zzgl mwst|zzgl ust|plus vat|\
         iva|tva|mwst betrag|ust betrag|umsatzsteuerbetrag|zzgl umsatzsteuer|zzgl mehrwertsteuer|\
         zuzüglich mwst|zuzüglich ust|enthaltene mwst|davon mwst|inkl mwst|incl vat|vat total|sales tax|gst",
    ),
    (
        Key::Net,
        "net|net amount|net total|total net|subtotal|sub total|untaxed|total excl vat|\
         total without tax|netto|nettobetrag|netto betrag|summe netto|gesamt netto|zwischensumme|\
         nettosumme|net sum|net value|nettowert|warenwert|amount excl vat|total excl tax|total ex vat|\
         total before tax|gesamtbetrag netto|rechnungsbetrag netto|zwischensumme netto|taxable amount",
    ),
    (
        Key::Total,
        "total|grand total|gross|gross total|total gross|total incl vat|total with tax|invoice total|\
         total amount|gesamt|gesamtbetrag|gesamtsumme|brutto|bruttobetrag|brutto betrag|summe|\
         summe brutto|gesamt brutto|rechnungsbetrag|endbetrag|bruttosumme|rechnungssumme|\
         rechnungsendbetrag|gesamtbetrag brutto|\
         rechnungsbetrag brutto|total inc vat|total including vat|total incl tax|amount incl vat|\
         gesamtbetrag inkl mwst|summe inkl mwst|total gross amount",
    ),
    (
        Key::Payable,
        "payable|amount due|balance due|amount payable|to pay|zahlbetrag|zu zahlen|zahlungsbetrag|\
         offener betrag|total due|total payable|amount to pay|zu zahlender betrag|noch zu zahlen",
    ),
    (
        Key::Note,
        "note|notes|comment|remark|hinweis|anmerkung|bemerkung|notiz",
    ),
    (Key::Detail, "detail|details"),
    (
        Key::Item,
        "item|description|service|for|article|product|leistung|beschreibung|bezeichnung|artikel|\
         produkt|position|für|fuer",
    ),
    (
        Key::Quantity,
        "quantity|qty|hours|menge|anzahl|stück|stueck|stunden",
    ),
    (
        Key::Price,
        "price|unit price|rate|amount|preis|einzelpreis|stückpreis|betrag|stundensatz",
    ),
    (Key::Discount, "discount|rabatt|nachlass"),
    (Key::Journal, "journal|bank journal|zahlungsjournal"),
];

const ROLES: Names<Role> = &[
    (
        Role::Seller,
        "seller|vendor|supplier|lieferant|verkäufer|verkaeufer|rechnungssteller|aussteller|kreditor|\
         bill from|invoice from|rechnung von|sold by|issued by|payee|zahlungsempfänger",
    ),
    (
        Role::Buyer,
        "buyer|customer|client|kunde|kundin|käufer|kaeufer|auftraggeber|debitor|rechnungsempfänger|\
         rechnungsempfaenger|empfänger|empfaenger|invoice to|bill to|billed to|rechnung an|\
         please invoice|invoiced to|sold to|rechnungsadresse|rechnungsanschrift",
    ),
];

const FIELDS: Names<Field> = &[
    (Field::Name, "name"),
    (
        Field::Vat,
        "vat|vat id|vat no|vat nr|vat number|vatin|vat reg no|tax id|ust id|ust idnr|ust id nr|ustid|\
         ustidnr|umsatzsteuer id|umsatzsteuer identifikationsnummer|uid|uid nr|uid nummer|mwst nr|\
         mwst nummer",
    ),
    (Field::Iban, "iban|bank account|konto|bankverbindung"),
    (
        Field::Email,
        "email|e mail|mail|email address|mail address|mailadresse",
    ),
    (Field::Country, "country|country code|land"),
];

const COLUMNS: Names<Column> = &[
    (
        Column::Item,
        "item|items|description|service|article|product|name|what|line|text|leistung|beschreibung|\
         bezeichnung|artikel|produkt|was|item description|position description|details|\
         artikelbezeichnung|leistungsbeschreibung|gegenstand",
    ),
    (
        Column::Quantity,
        "quantity|qty|count|hours|h|number|menge|anzahl|stück|stueck|stunden|std|stk",
    ),
    (Column::Unit, "unit|uom|einheit|me"),
    (
        Column::Price,
        "price|unit price|price each|each|rate|net price|preis|einzelpreis|stückpreis|stueckpreis|\
         e preis|ep|stundensatz|einzel|einzelpreis netto|preis netto|unit cost",
    ),
    (Column::Discount, "discount|disc|rabatt|nachlass"),
    (
        Column::Tax,
        "tax|vat|tax rate|vat rate|taxes|ust|mwst|steuer|steuersatz|mwst satz|ust satz|umsatzsteuer|\
         iva|tva",
    ),
    (
        Column::Total,
        "total|amount|sum|line total|subtotal|net|gesamt|gesamtpreis|summe|betrag|netto|gp|net amount|total price|\
         gesamtpreis netto|gesamtbetrag|nettobetrag",
    ),
    (
        Column::Position,
        "pos|position|no|nr|line no|art nr|artikelnr|artikelnummer|sku|item no|",
    ),
];

/// A key or a heading as it is compared: in lower case, words divided by one space, without signs, a currency, or
/// what stands in brackets.
fn plain(text: &str) -> String {
    let outside = text.split(['(', '[']).next().unwrap_or_default();
    let lower = outside.to_lowercase();
    // `USt-IdNr.` is `ust idnr`, and `MwSt.` is `mwst`.
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words
        .filter(|word| !word.is_empty() && !matches!(*word, "eur" | "usd" | "chf" | "gbp" | "in"))
        .collect();
    words.join(" ")
}

fn of<T: Copy>(table: Names<T>, text: &str) -> Option<T> {
    let mut table = table.iter();
    let found = table.find(|(_, names)| names.split('|').any(|name| name == text));
    found.map(|(meaning, _)| *meaning)
}

/// What a key means; none if it is none of ours.
pub(crate) fn key(text: &str) -> Option<Key> {
    // No key of ours is longer; free text before a colon may be.
    if text.len() > 60 {
        return None;
    }
    let text = plain(text);
    if let Some(key) = of(KEYS, &text) {
        return Some(key);
    }
    // `MwSt 19 %`, `20% VAT`, `zzgl. 7,7 % MwSt.`
    let is_digits = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    if text.split(' ').any(|word| is_digits(&word)) {
        let words: Vec<&str> = text.split(' ').filter(|word| !is_digits(word)).collect();
        if of(KEYS, &words.join(" ")) == Some(Key::Tax) {
            return Some(Key::TaxOfRate);
        }
    }
    if let Some(role) = of(ROLES, &text) {
        return Some(Key::Party(Some(role), Field::Name));
    }
    for (role, names) in ROLES {
        for name in names.split('|') {
            let rest = text.strip_prefix(name).or_else(|| text.strip_suffix(name));
            let field = rest.and_then(|rest| of(FIELDS, without_of(rest.trim())));
            if let Some(field) = field {
                return Some(Key::Party(Some(*role), field));
            }
        }
    }
    of(FIELDS, &text).and_then(|field| match field {
        Field::Name => None,
        field => Some(Key::Party(None, field)),
    })
}

/// `vat of the` and `iban des` without their last words.
fn without_of(text: &str) -> &str {
    let ends = [" of the", " of", " des", " der"];
    let cut = ends.iter().find_map(|end| text.strip_suffix(end));
    cut.unwrap_or(text)
}

/// What the heading of a column means; none if it is none of ours.
pub(crate) fn column(text: &str) -> Option<Column> {
    if text.len() > 60 {
        return None;
    }
    of(COLUMNS, &plain(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_as_people_write_it_is_known() {
        let seller = |field| Some(Key::Party(Some(Role::Seller), field));
        let buyer = |field| Some(Key::Party(Some(Role::Buyer), field));
        for (text, expected) in [
            ("Number", Some(Key::Number)),
            ("Rechnungs-Nr.", Some(Key::Number)),
            ("Rechnung Nr.", Some(Key::Number)),
            ("invoice_number", Some(Key::Number)),
            ("Gutschrift", Some(Key::CreditNote)),
            ("Fällig am", Some(Key::Due)),
            ("Lieferant", seller(Field::Name)),
            ("Supplier name", seller(Field::Name)),
            ("Seller VAT", seller(Field::Vat)),
            ("USt-IdNr. Lieferant", seller(Field::Vat)),
            ("VAT of the seller", seller(Field::Vat)),
            ("Invoice to", buyer(Field::Name)),
            ("Rechnung an", buyer(Field::Name)),
            ("Customer e-mail", buyer(Field::Email)),
            ("Kunde Land", buyer(Field::Country)),
            ("IBAN", Some(Key::Party(None, Field::Iban))),
            ("USt-IdNr.", Some(Key::Party(None, Field::Vat))),
            ("MwSt. 19 %", Some(Key::TaxOfRate)),
            ("zzgl. 19% MwSt.", Some(Key::TaxOfRate)),
            ("20% VAT", Some(Key::TaxOfRate)),
            ("plus 7.7 % VAT", Some(Key::TaxOfRate)),
            ("19", None),
            ("Total due", Some(Key::Payable)),
            ("Zahlbar bis zum", Some(Key::Due)),
            ("VAT (20%)", Some(Key::Tax)),
            ("Gesamt (EUR)", Some(Key::Total)),
            ("Total in EUR", Some(Key::Total)),
            ("From", None),
            ("To", None),
            ("Subject", None),
            ("Name", None),
            ("Hello", None),
            ("", None),
        ] {
            assert_eq!(key(text), expected, "{text}");
        }
    }

    #[test]
    fn column_as_people_name_it_is_known() {
        for (text, expected) in [
            ("Beschreibung", Some(Column::Item)),
            ("Menge", Some(Column::Quantity)),
            ("Einzelpreis (EUR)", Some(Column::Price)),
            ("MwSt. %", Some(Column::Tax)),
            ("Betrag in €", Some(Column::Total)),
            ("#", Some(Column::Position)),
            ("Pos.", Some(Column::Position)),
            ("Colour", None),
        ] {
            assert_eq!(column(text), expected, "{text}");
        }
    }

    /// A name that two keys had would mean the first of them.
    #[test]
    fn every_name_is_of_one_key_and_plain() {
        fn check<T: Copy + PartialEq + std::fmt::Debug>(table: Names<T>) {
            for (meaning, names) in table {
                for name in names.split('|') {
                    assert_eq!(plain(name), name);
                    assert_eq!(of(table, name), Some(*meaning), "{name}");
                }
            }
        }
        check(KEYS);
        check(ROLES);
        check(FIELDS);
        check(COLUMNS);
    }
}
