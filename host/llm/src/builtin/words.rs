//! The words of a reply without a model, in each language.

use super::language::Language;

/// The fixed words of a reply.
pub(super) struct Words {
    pub(super) greeting: &'static str,
    pub(super) thanks: &'static str,
    pub(super) question: &'static str,
    pub(super) questions: &'static str,
    pub(super) gap_reply: &'static str,
    pub(super) gap_more: &'static str,
    pub(super) gap_answer: &'static str,
    pub(super) farewell: &'static str,
    pub(super) gap_name: &'static str,
}

impl Words {
    /// In this language.
    pub(super) fn of(language: Language) -> Self {
        match language {
            Language::English => Self {
                greeting: "Hello,",
                thanks: "thank you for your message.",
                question: "You asked:",
                questions: "You asked several things; one by one:",
                gap_reply: "[✎ answer]",
                gap_more: "[✎ the mail asks more than this: answer the rest]",
                gap_answer: "[✎ your answer]",
                farewell: "Kind regards",
                gap_name: "[✎ your name]",
            },
            Language::German => Self {
                greeting: "Guten Tag,",
                thanks: "vielen Dank für Ihre Nachricht.",
                question: "Sie fragen:",
                questions: "Sie fragen mehreres; der Reihe nach:",
                gap_reply: "[✎ Antwort]",
                gap_more: "[✎ die Mail fragt noch mehr: den Rest beantworten]",
                gap_answer: "[✎ Ihre Antwort]",
                farewell: "Mit freundlichen Grüßen",
                gap_name: "[✎ Ihr Name]",
            },
            Language::French => Self {
                greeting: "Bonjour,",
                thanks: "merci pour votre message.",
                question: "Vous demandez :",
                questions: "Vous posez plusieurs questions ; dans l'ordre :",
                gap_reply: "[✎ réponse]",
                gap_more: "[✎ le message pose d'autres questions : y répondre]",
                gap_answer: "[✎ votre réponse]",
                farewell: "Cordialement",
                gap_name: "[✎ votre nom]",
            },
            Language::Spanish => Self {
                greeting: "Hola:",
                thanks: "gracias por su mensaje.",
                question: "Usted pregunta:",
                questions: "Usted pregunta varias cosas; por orden:",
                gap_reply: "[✎ respuesta]",
                gap_more: "[✎ el mensaje pregunta más: responder al resto]",
                gap_answer: "[✎ su respuesta]",
                farewell: "Saludos cordiales",
                gap_name: "[✎ su nombre]",
            },
            Language::Italian => Self {
                greeting: "Buongiorno,",
                thanks: "grazie per il Suo messaggio.",
                question: "Lei chiede:",
                questions: "Lei pone più domande; in ordine:",
                gap_reply: "[✎ risposta]",
                gap_more: "[✎ il messaggio chiede altro: rispondere al resto]",
                gap_answer: "[✎ la Sua risposta]",
                farewell: "Cordiali saluti",
                gap_name: "[✎ il Suo nome]",
            },
            Language::Dutch => Self {
                greeting: "Goedendag,",
                thanks: "dank voor uw bericht.",
                question: "U vraagt:",
                questions: "U vraagt verschillende dingen; op volgorde:",
                gap_reply: "[✎ antwoord]",
                gap_more: "[✎ het bericht vraagt nog meer: beantwoord de rest]",
                gap_answer: "[✎ uw antwoord]",
                farewell: "Met vriendelijke groet",
                gap_name: "[✎ uw naam]",
            },
            Language::Portuguese => Self {
                greeting: "Olá,",
                thanks: "obrigado pela sua mensagem.",
                question: "A sua pergunta:",
                questions: "As suas perguntas, por ordem:",
                gap_reply: "[✎ resposta]",
                gap_more: "[✎ a mensagem pergunta mais: responder ao resto]",
                gap_answer: "[✎ a sua resposta]",
                farewell: "Com os melhores cumprimentos",
                gap_name: "[✎ o seu nome]",
            },
            Language::Japanese => Self {
                greeting: "お世話になっております。",
                thanks: "ご連絡ありがとうございます。",
                question: "ご質問について：",
                questions: "ご質問に順にお答えします：",
                gap_reply: "[✎ 回答]",
                gap_more: "[✎ ほかにも質問があります：残りに回答]",
                gap_answer: "[✎ お返事]",
                farewell: "よろしくお願いいたします。",
                gap_name: "[✎ お名前]",
            },
            Language::Chinese => Self {
                greeting: "您好：",
                thanks: "感谢您的来信。",
                question: "您的问题：",
                questions: "您的问题，逐一回复如下：",
                gap_reply: "[✎ 答复]",
                gap_more: "[✎ 邮件还有其他问题：请答复其余部分]",
                gap_answer: "[✎ 您的答复]",
                farewell: "此致敬礼",
                gap_name: "[✎ 您的姓名]",
            },
        }
    }
}
