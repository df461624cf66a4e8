//! Messaging, payments and shops.

use super::Rule;
use crate::secret::rule::Lead;

pub(super) const RULES: &[Rule] = &[
    // Our own keys.
    Rule::new("systemprompt-api-key", "systemprompt", &["sp_live_"], r"sp_live_[A-Za-z0-9-]{1,}_[0-9a-f]{64}"),
    Rule::new(
        "slack-token",
        "Slack",
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxc-", "xoxd-", "xoxe-", "xoxe.xox", "xapp-", "xwfp-"],
        r"(xox[abceoprsd]-[A-Za-z0-9%+/-]{10,}|xoxe\.xox[bp]-[0-9]-[A-Za-z0-9]{100,}|xapp-[0-9]-[A-Z0-9]{6,15}-[0-9]{6,15}-[A-Za-z0-9]{20,}|xwfp-[A-Za-z0-9-]{30,})",
    )
    .digit(),
    Rule::new(
        "slack-webhook",
        "Slack",
        &["hooks.slack.com/", "slack.com/"],
        r"(hooks\.)?slack\.com/(services/T[A-Za-z0-9_]{6,14}/B[A-Za-z0-9_]{6,14}/[A-Za-z0-9_]{20,30}|(workflows|triggers)/[A-Za-z0-9_/]{30,})",
    ),
    Rule::new(
        "discord-webhook",
        "Discord",
        &["/api/webhooks/"],
        r"/api/webhooks/[0-9]{15,20}/[A-Za-z0-9_-]{50,80}",
    ),
    Rule::new("telegram-bot-token", "Telegram", &[":AA"], r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,33}").lead(Lead::Digits),
    Rule::new("twilio-key", "Twilio", &["SK"], r"SK[0-9a-f]{32}").word().closed(),
    Rule::named("twilio-auth-token", "Twilio", &["twilio"], r"[0-9a-f]{32}"),
    Rule::new("sendgrid-api-key", "SendGrid", &["SG."], r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}").word(),
    Rule::new("mailgun-key", "Mailgun", &["key-"], r"key-[0-9a-f]{32}").word().closed(),
    Rule::named("mailgun-key", "Mailgun", &["mailgun"], r"[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}"),
    Rule::new("mailchimp-api-key", "Mailchimp", &["-us"], r"[0-9a-f]{32}-us[0-9]{1,2}").lead(Lead::Bytes(32)).word().closed(),
    Rule::new("mandrill-api-key", "Mailchimp", &["md-"], r"md-[A-Za-z0-9_-]{22}").word().closed().digit(),
    Rule::new("brevo-api-key", "Brevo", &["xkeysib-", "xsmtpsib-"], r"x(keysib|smtpsib)-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    Rule::new("resend-api-key", "Resend", &["re_"], r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}").word().closed(),
    Rule::named("postmark-token", "Postmark", &["postmark"], r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    Rule::new("messagebird-key", "MessageBird", &["live_", "test_"], r"(live|test)_[A-Za-z0-9]{25}").word().closed().digit(),
    // Payments and shops.
    Rule::new("stripe-key", "Stripe", &["sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_org_"], r"(sk|rk)_(live|test|org)_[A-Za-z0-9_]{16,}"),
    Rule::new("stripe-webhook-secret", "Stripe", &["whsec_"], r"whsec_[A-Za-z0-9+/=]{24,}"),
    Rule::new("square-token", "Square", &["EAAA", "sq0atp-", "sq0csp-", "sq0idp-"], r"(EAAA[A-Za-z0-9_-]{56,64}|sq0(atp|csp|idp)-[A-Za-z0-9_-]{22,43})").word().digit(),
    Rule::new("paypal-braintree-token", "PayPal", &["access_token$"], r"access_token\$(production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}"),
    Rule::named("paypal-client-secret", "PayPal", &["paypal", "braintree"], r"([A-Za-z0-9_-]{80}|[0-9a-f]{32})"),
    Rule::new("shopify-token", "Shopify", &["shpat_", "shpca_", "shppa_", "shpss_", "shpua_", "shptka_"], r"shp(at|ca|pa|ss|ua|tka)_[a-fA-F0-9]{32}"),
    Rule::new("adyen-api-key", "Adyen", &["AQE"], r"AQE[A-Za-z0-9+/]{6,20}[A-Za-z0-9+/=-]{60,}").word().digit(),
    Rule::new("flutterwave-key", "Flutterwave", &["FLWSECK"], r"FLWSECK(_TEST)?-[A-Za-z0-9]{20,40}-X"),
    Rule::new("razorpay-key", "Razorpay", &["rzp_live_", "rzp_test_"], r"rzp_(live|test)_[A-Za-z0-9]{14}"),
    Rule::new("plaid-token", "Plaid", &["access-"], r"access-(sandbox|development|production)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").word(),
    Rule::new("facebook-access-token", "Meta", &["EAA"], r"EAA[A-Za-z0-9]{80,}").word().digit(),
];
