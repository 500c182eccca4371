//! Secrets that look real, put together here so that no file of the repository holds one.

use base64::{Engine as _, engine::general_purpose::STANDARD};

const ALNUM: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Letters that look random, the same for the same seed.
pub(crate) fn random(letters: &str, len: usize, seed: u64) -> String {
    let letters: Vec<char> = letters.chars().collect();
    let mut state = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(state >> 33).unwrap_or(0) % letters.len();
            letters[at]
        })
        .collect()
}

/// A token of each service that is known, by the service's name.
pub(crate) fn tokens() -> Vec<(&'static str, String)> {
    let mut seed = 0;
    let mut next = || {
        seed += 1;
        seed
    };
    let mut list = Vec::new();
    let alnum: &[(&'static str, &str, usize)] = &[
        ("GitHub classic", "ghp_", 36),
        ("GitHub OAuth", "gho_", 36),
        ("GitHub user", "ghu_", 36),
        ("GitHub app", "ghs_", 36),
        ("GitHub refresh", "ghr_", 36),
        ("GitHub fine-grained", "github_pat_", 82),
        ("GitLab", "glpat-", 20),
        ("GitLab deploy", "gldt-", 20),
        ("GitLab trigger", "glptt-", 40),
        ("GitLab runner", "glrt-", 20),
        ("Google API", "AIza", 35),
        ("Google OAuth secret", "GOCSPX-", 28),
        ("Google access", "ya29.", 120),
        ("Slack bot", "xoxb-123456789012-", 24),
        ("Slack user", "xoxp-123456789012-", 32),
        ("Slack app", "xapp-1-A0123456789-", 40),
        ("Stripe live", "sk_live_", 24),
        ("Stripe restricted", "rk_live_", 24),
        ("Stripe test", "sk_test_", 24),
        ("Stripe webhook", "whsec_", 32),
        ("OpenAI project", "sk-proj-", 48),
        ("OpenAI", "sk-", 48),
        ("OpenAI service", "sk-svcacct-", 48),
        ("Anthropic", "sk-ant-api03-", 93),
        ("Groq", "gsk_", 52),
        ("xAI", "xai-", 80),
        ("Perplexity", "pplx-", 48),
        ("Replicate", "r8_", 37),
        ("Hugging Face", "hf_", 34),
        ("NVIDIA", "nvapi-", 64),
        ("npm", "npm_", 36),
        ("PyPI", "pypi-AgEIcHlwaS5vcmc", 120),
        ("Docker", "dckr_pat_", 27),
        ("Heroku", "HRKU-AA", 58),
        ("Dropbox", "sl.", 135),
        ("Notion", "ntn_", 46),
        ("Notion integration", "secret_", 43),
        ("Linear", "lin_api_", 40),
        ("Figma", "figd_", 40),
        ("Meta", "EAAG", 180),
        ("Square", "sq0atp-", 22),
        ("Square secret", "sq0csp-", 43),
        ("Vault", "hvs.", 90),
        ("New Relic", "NRAK-", 27),
        ("Tailscale", "tskey-auth-", 40),
        ("Resend", "re_", 32),
        ("Netlify", "nfp_", 36),
        ("Airtable secret", "key_secret=", 40),
        ("Brevo", "xkeysib-", 81),
        ("Postman", "PMAK-", 59),
        ("Atlassian", "ATATT3xFfGF0", 180),
    ];
    for (service, start, len) in alnum {
        list.push((*service, format!("{start}{}", random(ALNUM, *len, next()))));
    }
    let hex: &[(&'static str, &str, usize)] = &[
        ("Twilio", "SK", 32),
        ("Mailgun", "key-", 32),
        ("DigitalOcean", "dop_v1_", 64),
        ("Shopify", "shpat_", 32),
        ("Databricks", "dapi", 32),
        ("Supabase", "sbp_", 40),
        ("RubyGems", "rubygems_", 48),
        ("OpenRouter", "sk-or-v1-", 64),
        ("ElevenLabs", "sk_", 48),
    ];
    for (service, start, len) in hex {
        list.push((*service, format!("{start}{}", random(HEX, *len, next()))));
    }
    let bot = STANDARD.encode("112233445566778899");
    let bot = bot.trim_end_matches('=');
    let mut a = |len| random(ALNUM, len, next());
    list.extend([
        (
            "Slack webhook",
            format!(
                "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/{}",
                a(24)
            ),
        ),
        ("Azure storage", format!("AccountKey={}==", a(86))),
        ("Azure client secret", format!("{}8Q~{}", a(3), a(34))),
        ("Telegram", format!("1234567890:AA{}", a(33))),
        ("Discord bot", format!("{bot}.{}.{}", a(6), a(30))),
        (
            "Discord webhook",
            format!(
                "https://discord.com/api/webhooks/112233445566778899/{}",
                a(68)
            ),
        ),
        ("SendGrid", format!("SG.{}.{}", a(22), a(43))),
        ("Mailchimp", format!("{}-us21", random(HEX, 32, 901))),
        (
            "Cloudflare origin",
            format!("v1.0-{}-{}", random(HEX, 24, 902), random(HEX, 146, 903)),
        ),
        ("Terraform", format!("{}.atlasv1.{}", a(14), a(67))),
        ("AWS key id", format!("AKIA{}", random(UPPER, 16, 904))),
        (
            "AWS session key id",
            format!("ASIA{}", random(UPPER, 16, 905)),
        ),
        ("AWS secret", format!("aws_secret_access_key = {}", a(40))),
        (
            "1Password",
            format!(
                "A3-{}-{}-{}-{}-{}",
                random(UPPER, 6, 906),
                random(UPPER, 6, 907),
                random(UPPER, 5, 908),
                random(UPPER, 5, 909),
                random(UPPER, 5, 910)
            ),
        ),
        (
            "one-time password",
            format!("otpauth://totp/x?secret={}", random(UPPER, 32, 911)),
        ),
        ("Cloudflare", format!("CLOUDFLARE_API_TOKEN={}", a(40))),
        (
            "Twilio auth",
            format!("TWILIO_AUTH_TOKEN={}", random(HEX, 32, 912)),
        ),
        ("Heroku key", format!("HEROKU_API_KEY={}", a(36))),
        ("Airtable", format!("pat{}.{}", a(14), random(HEX, 64, 913))),
        ("web token", web_token(914)),
    ]);
    list
}

/// A signed web token.
pub(crate) fn web_token(seed: u64) -> String {
    let part = |text: &str| {
        let text = STANDARD.encode(text);
        text.trim_end_matches('=')
            .replace('+', "-")
            .replace('/', "_")
    };
    format!(
        "{}.{}.{}",
        part(r#"{"alg":"HS256","typ":"JWT"}"#),
        part(&format!(r#"{{"sub":"user-{seed}","iat":1763673600}}"#)),
        random(ALNUM, 43, seed)
    )
}

/// A private key in its frame.
pub(crate) fn private_key(what: &str, seed: u64) -> String {
    let lines: Vec<_> = (0..8).map(|n| random(ALNUM, 64, seed + n)).collect();
    format!(
        "-----BEGIN {what}PRIVATE KEY-----\n{}\n-----END {what}PRIVATE KEY-----\n",
        lines.join("\n")
    )
}

/// Letters of a key's body.
pub(crate) fn key_letters(len: usize, seed: u64) -> String {
    random(ALNUM, len, seed)
}

/// Capitals and digits.
pub(crate) fn capitals(len: usize, seed: u64) -> String {
    random(UPPER, len, seed)
}
