//! The tokens of services, by the words they start with.
//!
//! To add one: a line in [`TOKENS`], from what the service says of its tokens.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use super::{
    Matcher,
    char_class::{
        CharClass, alnum, base64, contains, dotted, hex, is_mixed, is_placeholder, is_random, near,
        run, run_before, starts_word, unwrapped, upper, urlish, word,
    },
    key_value::is_identifier,
};
use crate::Kind;

/// Longest token that is read.
const MOST: usize = 512;

/// How sure the start of a token makes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// Nothing else starts so: it may stand anywhere.
    Sure,
    /// Words may start so: it stands at the start of one, and what follows has digits and letters.
    Weak,
    /// As `Weak`, and what follows is exactly of the stated length.
    Exact,
}
use Start::{Exact, Sure, Weak};

/// Whose, how it starts, the letters and the least number of them that follow.
const TOKENS: &[(&str, &str, CharClass, usize, Start)] = &[
    ("GitHub", "ghp_", alnum, 30, Sure),
    ("GitHub", "gho_", alnum, 30, Sure),
    ("GitHub", "ghu_", alnum, 30, Sure),
    ("GitHub", "ghs_", dotted, 30, Sure),
    ("GitHub", "ghr_", alnum, 30, Sure),
    ("GitHub", "github_pat_", word, 40, Sure),
    ("GitLab", "glpat-", dotted, 20, Sure),
    ("GitLab", "gldt-", word, 20, Sure),
    ("GitLab", "glptt-", word, 20, Sure),
    ("GitLab", "glrt-", dotted, 20, Sure),
    ("GitLab", "glrtr-", dotted, 20, Sure),
    ("GitLab", "glcbt-", word, 20, Sure),
    ("GitLab", "glsoat-", word, 20, Sure),
    ("GitLab", "glft-", word, 20, Sure),
    ("GitLab", "glimt-", word, 20, Sure),
    ("GitLab", "glagent-", word, 40, Sure),
    ("GitLab", "gloas-", word, 40, Sure),
    ("GitLab", "GR1348941", word, 20, Sure),
    ("Bitbucket", "ATBB", alnum, 24, Weak),
    ("Atlassian", "ATATT3xFfGF0", base64, 60, Sure),
    ("Atlassian", "ATCTT3xFfGN0", base64, 60, Sure),
    ("Trello", "ATTA", hex, 64, Weak),
    ("AWS", "ABIA", upper, 16, Exact),
    ("AWS", "ACCA", upper, 16, Exact),
    ("AWS Bedrock", "ABSKQmVkcm9ja0FQSUtleS", base64, 60, Sure),
    ("Google", "AIza", word, 35, Weak),
    ("Google", "GOCSPX-", word, 24, Sure),
    ("Google", "ya29.", dotted, 30, Weak),
    ("Google", "1//0", word, 38, Weak),
    ("Azure", "AccountKey=", base64, 64, Sure),
    ("Azure", "SharedAccessKey=", base64, 40, Sure),
    ("Slack", "xoxb-", word, 20, Sure),
    ("Slack", "xoxp-", word, 20, Sure),
    ("Slack", "xoxa-", word, 20, Sure),
    ("Slack", "xoxr-", word, 20, Sure),
    ("Slack", "xoxs-", word, 20, Sure),
    ("Slack", "xoxc-", word, 20, Sure),
    ("Slack", "xoxd-", urlish, 20, Sure),
    ("Slack", "xoxe-", word, 20, Sure),
    ("Slack", "xoxe.xoxp-", word, 20, Sure),
    ("Slack", "xapp-", word, 30, Sure),
    ("Slack", "hooks.slack.com/services/", base64, 24, Sure),
    ("Slack", "hooks.slack.com/workflows/", base64, 24, Sure),
    ("Slack", "hooks.slack.com/triggers/", base64, 24, Sure),
    ("Stripe", "sk_live_", alnum, 16, Sure),
    ("Stripe", "rk_live_", alnum, 16, Sure),
    ("Stripe", "sk_test_", alnum, 16, Sure),
    ("Stripe", "rk_test_", alnum, 16, Sure),
    ("Stripe", "whsec_", base64, 24, Sure),
    ("OpenAI", "sk-proj-", word, 32, Sure),
    ("OpenAI", "sk-svcacct-", word, 32, Sure),
    ("OpenAI", "sk-admin-", word, 32, Sure),
    ("OpenAI", "sk-None-", word, 32, Sure),
    ("OpenAI", "sk-", alnum, 32, Weak),
    ("Anthropic", "sk-ant-", word, 32, Sure),
    ("OpenRouter", "sk-or-v1-", hex, 48, Sure),
    ("Langfuse", "sk-lf-", word, 32, Sure),
    ("LangSmith", "lsv2_pt_", word, 32, Sure),
    ("LangSmith", "lsv2_sk_", word, 32, Sure),
    ("Groq", "gsk_", alnum, 40, Weak),
    ("xAI", "xai-", alnum, 60, Weak),
    ("Perplexity", "pplx-", alnum, 40, Sure),
    ("Replicate", "r8_", alnum, 32, Weak),
    ("Hugging Face", "hf_", alnum, 30, Weak),
    ("Hugging Face", "api_org_", alnum, 30, Sure),
    ("NVIDIA", "nvapi-", word, 50, Sure),
    ("ElevenLabs", "sk_", hex, 48, Weak),
    ("Tavily", "tvly-", word, 28, Sure),
    ("Pinecone", "pcsk_", word, 40, Sure),
    ("Cerebras", "csk-", alnum, 40, Weak),
    ("Twilio", "SK", hex, 32, Exact),
    ("SendGrid", "SG.", dotted, 50, Weak),
    ("Mailgun", "key-", hex, 32, Exact),
    ("Brevo", "xkeysib-", word, 60, Sure),
    ("Brevo", "xsmtpsib-", word, 60, Sure),
    ("Resend", "re_", word, 30, Weak),
    ("Postman", "PMAK-", word, 50, Sure),
    ("npm", "npm_", alnum, 32, Sure),
    ("PyPI", "pypi-AgE", word, 40, Sure),
    ("crates.io", "cio", alnum, 32, Exact),
    ("RubyGems", "rubygems_", hex, 40, Sure),
    ("NuGet", "oy2", alnum, 43, Exact),
    ("Clojars", "CLOJARS_", alnum, 50, Sure),
    ("Docker", "dckr_pat_", word, 24, Sure),
    ("Docker", "dckr_oat_", word, 24, Sure),
    ("JFrog", "AKCp", alnum, 60, Weak),
    ("Heroku", "HRKU-", word, 32, Sure),
    ("DigitalOcean", "dop_v1_", hex, 60, Sure),
    ("DigitalOcean", "doo_v1_", hex, 60, Sure),
    ("DigitalOcean", "dor_v1_", hex, 60, Sure),
    ("Cloudflare", "v1.0-", word, 60, Weak),
    ("Dropbox", "sl.", word, 60, Weak),
    ("Dropbox", "sl.u.", word, 60, Weak),
    ("Dropbox", "sl.B.", word, 60, Weak),
    ("Notion", "secret_", alnum, 40, Weak),
    ("Notion", "ntn_", alnum, 40, Weak),
    ("Linear", "lin_api_", alnum, 32, Sure),
    ("Linear", "lin_oauth_", alnum, 32, Sure),
    ("HubSpot", "pat-na1-", word, 30, Sure),
    ("HubSpot", "pat-eu1-", word, 30, Sure),
    ("Figma", "figd_", word, 32, Sure),
    ("Figma", "figo_", word, 32, Sure),
    ("Zapier", "hooks.zapier.com/hooks/catch/", base64, 12, Sure),
    ("Discord", "mfa.", word, 60, Weak),
    ("Meta", "EAA", alnum, 100, Weak),
    ("Shopify", "shpat_", hex, 32, Sure),
    ("Shopify", "shpss_", hex, 32, Sure),
    ("Shopify", "shpca_", hex, 32, Sure),
    ("Shopify", "shppa_", hex, 32, Sure),
    ("Square", "EAAA", word, 56, Weak),
    ("Square", "sq0atp-", word, 20, Sure),
    ("Square", "sq0csp-", word, 40, Sure),
    (
        "PayPal",
        "access_token$production$",
        |b| alnum(b) || b == b'$',
        40,
        Sure,
    ),
    (
        "PayPal",
        "access_token$sandbox$",
        |b| alnum(b) || b == b'$',
        40,
        Sure,
    ),
    ("Plaid", "access-production-", word, 32, Sure),
    ("Plaid", "access-sandbox-", word, 32, Sure),
    ("Flutterwave", "FLWSECK", word, 32, Sure),
    ("Razorpay", "rzp_live_", alnum, 14, Sure),
    ("EasyPost", "EZAK", alnum, 50, Weak),
    ("Shippo", "shippo_live_", hex, 40, Sure),
    ("Duffel", "duffel_live_", word, 40, Sure),
    ("Vault", "hvs.", word, 24, Weak),
    ("Vault", "hvb.", word, 24, Weak),
    ("Vault", "hvr.", word, 24, Weak),
    ("Terraform", ".atlasv1.", base64, 60, Sure),
    ("Pulumi", "pul-", hex, 40, Weak),
    ("Doppler", "dp.pt.", alnum, 40, Sure),
    ("Doppler", "dp.st.", dotted, 40, Sure),
    ("Netlify", "nfp_", alnum, 36, Weak),
    ("Supabase", "sbp_", hex, 40, Weak),
    ("Supabase", "sb_secret_", word, 20, Sure),
    ("PlanetScale", "pscale_tkn_", dotted, 32, Sure),
    ("PlanetScale", "pscale_pw_", dotted, 32, Sure),
    ("Databricks", "dapi", hex, 32, Weak),
    ("New Relic", "NRAK-", alnum, 27, Sure),
    ("Grafana", "glsa_", word, 32, Sure),
    ("Grafana", "glc_", base64, 32, Weak),
    ("Sentry", "sntrys_", base64, 40, Sure),
    ("Sentry", "sntryu_", hex, 60, Sure),
    ("PostHog", "phx_", alnum, 40, Weak),
    ("Contentful", "CFPAT-", word, 40, Sure),
    ("Dynatrace", "dt0c01.", dotted, 60, Sure),
    ("Fly.io", "FlyV1 fm", |b| base64(b) || b == b',', 60, Sure),
    ("Fly.io", "fo1_", word, 40, Weak),
    ("Alibaba Cloud", "LTAI", alnum, 16, Weak),
    ("Tencent Cloud", "AKID", alnum, 32, Exact),
    ("Yandex", "AQVN", word, 35, Weak),
    ("Tailscale", "tskey-", word, 20, Sure),
    ("Typeform", "tfp_", word, 40, Weak),
    ("Prefect", "pnu_", alnum, 36, Weak),
    ("ReadMe", "rdme_", alnum, 60, Sure),
    ("Sourcegraph", "sgp_", word, 40, Weak),
    ("Infracost", "ico-", alnum, 32, Exact),
    ("Frame.io", "fio-u-", word, 50, Sure),
    ("1Password", "ops_eyJ", base64, 60, Sure),
    (
        "Microsoft Teams",
        "webhook.office.com/webhookb2/",
        |b| base64(b) || b == b'@',
        60,
        Sure,
    ),
    ("Bitcoin", "xprv", alnum, 100, Weak),
];

/// Adds a rule for each.
pub(super) fn rules(add: &mut dyn FnMut(&'static str, Matcher)) {
    for (service, start, letters, least, sure) in TOKENS {
        let matcher = move |text: &[u8], at: usize, end: usize| {
            if text.get(at..end) != Some(start.as_bytes()) {
                return None;
            }
            let fits = |body: &[u8]| {
                body.len() >= *least
                    && (*sure != Exact || body.len() == *least)
                    && (*sure == Sure
                        || (starts_word(text, at) && is_mixed(body) && !is_title(body)))
                    && is_random(body)
            };
            let wrapped = || {
                let body = unwrapped(text, end, *letters, MOST);
                body.is_some_and(|(body, _)| is_mixed(&body) && fits(&body))
            };
            let body = run(text, end, *letters, MOST);
            (fits(body) || wrapped()).then_some(Kind::Token(service))
        };
        add(start, Box::new(matcher));
    }
    add("AKIA", Box::new(aws_key_id));
    add("ASIA", Box::new(aws_key_id));
    add(":AA", Box::new(telegram));
    add("Q~", Box::new(azure_secret));
    add("AZDO", Box::new(azure_devops));
    add("JQQJ99", Box::new(azure_devops));
    add("T3BlbkFJ", Box::new(old_openai));
    add("-us", Box::new(mailchimp));
    add("/api/webhooks/", Box::new(discord_webhook));
    add("AAAAAAAAAAAAAAAAAAAAA", Box::new(twitter));
    add("A3-", Box::new(one_password));
    add("otpauth://", Box::new(one_time));
    add("asana", Box::new(asana));
    add("pat", Box::new(airtable));
}

/// Words in small letters and numbers, joined: `2026-11-20_angebot_website_relaunch_v2`.
fn is_title(body: &[u8]) -> bool {
    !body.iter().any(u8::is_ascii_uppercase) && is_identifier(body)
}

/// In a signed address of S3 the id is no secret, and mails are full of those.
fn aws_key_id(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let body = run(text, end, alnum, 17);
    let signed = near(text, at.saturating_sub(20), at);
    let fits = starts_word(text, at)
        && text.get(at..end)?.iter().all(u8::is_ascii_uppercase)
        && body.len() == 16
        && body.iter().all(|b| upper(*b))
        && is_random(body)
        && !contains(&signed, b"credential=");
    fits.then_some(Kind::Token("AWS"))
}

/// A bot's number, a colon, 35 letters.
fn telegram(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let bot = run_before(text, at, |b| b.is_ascii_digit(), 12);
    let body = run(text, end, word, 40);
    let fits = (8..=11).contains(&bot.len()) && body.len() == 33 && is_random(body);
    fits.then_some(Kind::Token("Telegram"))
}

/// Three letters, a digit, `Q~`, and 31 to 34 more.
fn azure_secret(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let before = run_before(text, at, urlish, 5);
    let body = run(text, end, urlish, 64);
    let fits = before.len() == 4
        && before.last().is_some_and(u8::is_ascii_digit)
        && (31..=40).contains(&body.len())
        && is_random(body);
    fits.then_some(Kind::Token("Azure"))
}

fn azure_devops(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let before = run_before(text, at, alnum, 90).len();
    let len = before + (end - at) + run(text, end, alnum, 90).len();
    let exact = text.get(at..end)?.iter().all(|b| upper(*b));
    (len == 84 && exact).then_some(Kind::Token("Azure"))
}

fn old_openai(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let around = run_before(text, at, word, 20).len() >= 20 && run(text, end, word, 20).len() >= 20;
    (around && text.get(at..end) == Some(b"T3BlbkFJ")).then_some(Kind::Token("OpenAI"))
}

fn mailchimp(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let key = run_before(text, at, alnum, 33);
    let place = run(text, end, |b| b.is_ascii_digit(), 3);
    let fits = key.len() == 32
        && key.iter().all(|b| hex(*b))
        && (1..=2).contains(&place.len())
        && is_random(key);
    fits.then_some(Kind::Token("Mailchimp"))
}

fn discord_webhook(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let host = near(text, at.saturating_sub(16), at);
    let id = run(text, end, |b| b.is_ascii_digit(), 24);
    let body = run(text, end + id.len() + 1, word, 100);
    let fits = contains(&host, b"discord") && id.len() >= 16 && body.len() >= 50;
    fits.then_some(Kind::Token("Discord"))
}

/// `pat`, 14 letters, a point, 64 digits.
fn airtable(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let id = run(text, end, alnum, 15);
    let body = run(text, end + 15, hex, 80);
    let fits = starts_word(text, at)
        && id.len() == 14
        && text.get(end + 14) == Some(&b'.')
        && body.len() == 64
        && is_random(body);
    fits.then_some(Kind::Token("Airtable"))
}

/// The number of a bot in base64, six letters, and 27 or more, joined by points.
pub(super) fn discord_around(text: &[u8], point: usize) -> bool {
    if text.get(point + 7) != Some(&b'.') {
        return false;
    }
    let id = run_before(text, point, alnum, 30);
    let body = run(text, point + 8, word, 48);
    let middle = run(text, point + 1, word, 7).len() == 6;
    let number = STANDARD_NO_PAD.decode(id).unwrap_or_default();
    middle
        && (23..=28).contains(&id.len())
        && (27..=44).contains(&body.len())
        && number.len() >= 17
        && number.iter().all(u8::is_ascii_digit)
}

/// The token of an application, with its signs written as in an address.
fn twitter(text: &[u8], _at: usize, end: usize) -> Option<Kind> {
    let body = run(text, end, urlish, 160);
    let fits = body.len() >= 60 && contains(body, b"%") && is_random(body);
    fits.then_some(Kind::Token("X"))
}

/// `A3-` and groups of 6, 6 or 11, 5, 5, 5 letters.
fn one_password(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let body = run(text, end, |b| upper(b) || b == b'-', 40);
    let groups: Vec<usize> = body.split(|b| *b == b'-').map(<[u8]>::len).collect();
    let fits = starts_word(text, at)
        && matches!(
            groups.as_slice(),
            [6, 11, 5, 5, 5] | [6, 6, 5, 5, 5] | [6, 5, 5, 5, 5]
        )
        && is_random(body);
    fits.then_some(Kind::Token("1Password"))
}

/// What an app for one-time passwords is set up with.
fn one_time(text: &[u8], _at: usize, end: usize) -> Option<Kind> {
    let rest = run(text, end, |b| !b.is_ascii_whitespace(), 400);
    let at = rest.windows(7).position(|w| w == b"secret=")?;
    let secret = run(rest, at + 7, alnum, 128);
    (secret.len() >= 10 && !is_placeholder(secret)).then_some(Kind::Token("one-time passwords"))
}

/// `2/<number>/<number>:<32 digits>` near the service's name.
fn asana(text: &[u8], _at: usize, end: usize) -> Option<Kind> {
    let rest = text.get(end..text.len().min(end + 80))?;
    let colon = rest.iter().position(|b| *b == b':');
    let mut colons = rest.iter().enumerate().filter(|(_, b)| **b == b':');
    colon?;
    let found = colons.any(|(at, _)| {
        let body = run(rest, at + 1, alnum, 40);
        let number = run_before(rest, at, |b| b.is_ascii_digit() || b == b'/', 40);
        body.len() == 32 && body.iter().all(|b| hex(*b)) && number.len() >= 14
    });
    found.then_some(Kind::Token("Asana"))
}
