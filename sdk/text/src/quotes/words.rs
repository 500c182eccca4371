//! How mail programs introduce what is quoted: Outlook, Gmail, Apple Mail, Thunderbird and a few others, in
//! English, German, French, Spanish, Italian, Dutch, Portuguese, Japanese and Chinese, and some of their neighbours.
//!
//! Tables only, all in lower case; how they are applied is in [`super`]. A language is added by its words here.

/// What a line of a mail's header block says, as a program writes it above the mail it quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    From,
    /// When it was sent. `only_mail` is a word that stands in mails alone, as "Sent" does and "Date" does not.
    Date {
        only_mail: bool,
    },
    To,
    Cc,
    Subject,
}

const DATE: Field = Field::Date { only_mail: false };
const SENT: Field = Field::Date { only_mail: true };

/// The labels of a header block, before their colon.
pub(super) const LABELS: &[(&str, Field)] = &[
    ("from", Field::From),
    ("sent", SENT),
    ("date", DATE),
    ("to", Field::To),
    ("cc", Field::Cc),
    ("bcc", Field::Cc),
    ("subject", Field::Subject),
    // German
    ("von", Field::From),
    ("gesendet", SENT),
    ("gesendet am", SENT),
    ("datum", DATE),
    ("an", Field::To),
    ("kopie", Field::Cc),
    ("kopie (cc)", Field::Cc),
    ("betreff", Field::Subject),
    // French, and what it shares with Spanish and Portuguese
    ("de", Field::From),
    ("envoyé", SENT),
    ("envoyé le", SENT),
    ("à", Field::To),
    ("pour", Field::To),
    ("copie à", Field::Cc),
    ("objet", Field::Subject),
    ("sujet", Field::Subject),
    // Spanish
    ("enviado", SENT),
    ("enviado el", SENT),
    ("fecha", DATE),
    ("para", Field::To),
    ("asunto", Field::Subject),
    // Italian
    ("da", Field::From),
    ("mittente", Field::From),
    ("inviato", SENT),
    ("inviato il", SENT),
    ("data", DATE),
    ("a", Field::To),
    ("oggetto", Field::Subject),
    // Dutch
    ("van", Field::From),
    ("verzonden", SENT),
    ("verstuurd", SENT),
    ("aan", Field::To),
    ("onderwerp", Field::Subject),
    // Portuguese
    ("enviada", SENT),
    ("enviada em", SENT),
    ("enviado em", SENT),
    ("assunto", Field::Subject),
    // Japanese
    ("差出人", Field::From),
    ("送信者", Field::From),
    ("送信元", Field::From),
    ("送信日時", SENT),
    ("送信日", SENT),
    ("日時", DATE),
    ("日付", DATE),
    ("宛先", Field::To),
    ("送信先", Field::To),
    ("件名", Field::Subject),
    // Chinese, simplified and traditional
    ("发件人", Field::From),
    ("寄件者", Field::From),
    ("寄件人", Field::From),
    ("发送时间", SENT),
    ("发送日期", SENT),
    ("寄件日期", SENT),
    ("傳送時間", SENT),
    ("日期", DATE),
    ("时间", DATE),
    ("收件人", Field::To),
    ("收件者", Field::To),
    ("抄送", Field::Cc),
    ("副本", Field::Cc),
    ("主题", Field::Subject),
    ("主旨", Field::Subject),
    ("主題", Field::Subject),
    // Swedish, Danish, Norwegian
    ("från", Field::From),
    ("fra", Field::From),
    ("skickat", SENT),
    ("sendt", SENT),
    ("dato", DATE),
    ("till", Field::To),
    ("til", Field::To),
    ("ämne", Field::Subject),
    ("emne", Field::Subject),
    // Polish, Czech, Russian
    ("od", Field::From),
    ("wysłano", SENT),
    ("odesláno", SENT),
    ("do", Field::To),
    ("komu", Field::To),
    ("temat", Field::Subject),
    ("předmět", Field::Subject),
    ("от", Field::From),
    ("от кого", Field::From),
    ("отправлено", SENT),
    ("дата", DATE),
    ("кому", Field::To),
    ("тема", Field::Subject),
];

/// How the line above a quoted mail begins, and what it must contain or end with to be one: `On … wrote:`,
/// `Am … schrieb …:`. A line in which the verb stands last ends with it; where it may stand in the middle, the
/// name follows it.
pub(super) struct Opening {
    /// The first word of the line.
    pub(super) word: &'static str,
    /// What it says of the writer.
    pub(super) verbs: &'static [&'static str],
    /// Whether the writer's name follows the verb.
    pub(super) name_may_follow: bool,
}

pub(super) const OPENINGS: &[Opening] = &[
    opening("on", &["wrote"], false),
    opening("at", &["wrote"], false),
    opening("am", &["schrieb", "geschrieben"], true),
    opening("den", &["skrev"], true),
    opening("på", &["skrev"], true),
    opening("le", &["a écrit", "écrit"], false),
    opening("el", &["escribió", "ha escrito"], false),
    opening("il", &["ha scritto", "scrisse"], false),
    opening("in data", &["ha scritto"], false),
    opening("op", &["schreef", "geschreven"], true),
    opening("em", &["escreveu"], false),
    opening("no dia", &["escreveu"], false),
    opening("a", &["escreveu"], false),
    opening("w dniu", &["pisze", "napisał", "napisał(a)"], true),
    opening("dnia", &["pisze", "napisał", "napisał(a)"], true),
    opening("dne", &["napsal", "napsal(a)"], true),
    opening("在", &["写道"], false),
    opening("於", &["寫道"], false),
];

const fn opening(
    word: &'static str,
    verbs: &'static [&'static str],
    name_may_follow: bool,
) -> Opening {
    Opening {
        word,
        verbs,
        name_may_follow,
    }
}

/// How a line ends that names a writer and perhaps a day, before its colon: `Ann <ann@x.test> wrote:`.
pub(super) const LAST_WORDS: &[&str] = &[
    "wrote",
    "schrieb",
    "geschrieben",
    "a écrit",
    "escribió",
    "ha scritto",
    "schreef",
    "escreveu",
    "skrev",
    "写道",
    "寫道",
    "寫道",
    "さんは書きました",
    "は書きました",
    "のメール",
    "のメッセージ",
    "написал",
    "написал(а)",
    "написала",
    "napisał(a)",
    "napsal(a)",
    "şunu yazdı",
    "kirjoitti",
];

/// What stands between dashes, or before a colon, above a mail that is answered.
pub(super) const ORIGINAL: &[&str] = &[
    "original message",
    "original mail",
    "original email",
    "reply message",
    "original appointment",
    "ursprüngliche nachricht",
    "ursprüngliche mail",
    "originalnachricht",
    "original-nachricht",
    "original nachricht",
    "message d'origine",
    "message d’origine",
    "message original",
    "message initial",
    "mensaje original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "origineel bericht",
    "mensagem original",
    "元のメッセージ",
    "元のメール",
    "原始邮件",
    "原始郵件",
    "邮件原件",
    "回复的原邮件",
    "原邮件",
    "ursprungligt meddelande",
    "oprindelig meddelelse",
    "oprindelig besked",
    "opprinnelig melding",
    "wiadomość oryginalna",
    "původní zpráva",
    "исходное сообщение",
];

/// What stands between dashes, or before a colon, above a mail that is forwarded.
pub(super) const FORWARDED: &[&str] = &[
    "forwarded message",
    "begin forwarded message",
    "forwarded by",
    "forwarded mail",
    "weitergeleitete nachricht",
    "weitergeleitete mail",
    "anfang der weitergeleiteten nachricht",
    "anfang der weitergeleiteten e-mail",
    "weitergeleitet von",
    "message transféré",
    "message transmis",
    "message réexpédié",
    "début du message réexpédié",
    "début du message transféré",
    "mensaje reenviado",
    "inicio del mensaje reenviado",
    "messaggio inoltrato",
    "inizio messaggio inoltrato",
    "doorgestuurd bericht",
    "begin doorgestuurd bericht",
    "mensagem encaminhada",
    "mensagem reencaminhada",
    "início da mensagem encaminhada",
    "início da mensagem reencaminhada",
    "転送されたメッセージ",
    "転送メッセージ",
    "メッセージを転送",
    "转发的邮件",
    "转发邮件信息",
    "转发邮件",
    "轉寄的郵件",
    "轉寄郵件",
    "开始转发的邮件",
    "以下是转发的邮件",
    "vidarebefordrat meddelande",
    "vidarebefordrat mejl",
    "videresendt meddelelse",
    "videresendt besked",
    "videresendt melding",
    "przekazana wiadomość",
    "přeposlaná zpráva",
    "пересылаемое сообщение",
];

/// How the subject of a forwarded mail begins, before its colon.
pub(super) const FORWARDED_SUBJECTS: &[&str] = &[
    "fwd", "fw", "wg", "tr", "rv", "i", "doorst", "enc", "vb", "vs", "转发", "轉寄", "转寄", "転送",
];
