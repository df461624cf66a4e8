//! An example and a counter-example for every rule, made at run time so that none lies in the source.

use super::*;

/// `{<class><count>}` stands for that many characters of a class:
/// `a` letters and digits, `h` hex, `u` upper case and digits, `l` lower case and digits, `d` digits,
/// `b` base64, `w` base64url; `{uuid}` for a UUID.
const EXAMPLES: &[(&str, &str, &str)] = &[
    // rule, example, counter-example
    ("aws-access-key-id", "AKIA{u16}", "xAKIA{u16}"),
    ("aws-access-key-id", "key_AKIA{u16}_x", "AKIA{u16}x"),
    ("aws-access-key-id", "id=ASIA{u16};", "AKIA{u12}"),
    (
        "aws-secret-access-key",
        "aws_secret_access_key = {b40}",
        "aws_secret_name = my-bucket-secret",
    ),
    ("aws-secret-access-key", "AWS_SECRET_ACCESS_KEY={b40}", "sha: {h40}"),
    ("aws-session-token", "aws_session_token={b200}", "session token: none"),
    ("aws-bedrock-api-key", "ABSK{b120}", "ABSK{b20}"),
    ("google-api-key", "AIza{w35}", "AIza{w12}"),
    ("google-oauth-client-secret", "GOCSPX-{w28}", "GOCSPX-client"),
    ("google-oauth-access-token", "ya29.{w120}", "ya29.short"),
    ("google-oauth-refresh-token", "1//0{w64}", "1//0 of it"),
    (
        "azure-storage-account-key",
        "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={b86}==",
        "AccountKey=<key>",
    ),
    ("azure-sas-signature", "?sv=2022-11-02&sig={a43}%3D", "?sig=none"),
    ("azure-client-secret", "{a3}8Q~{a34}", "8Q~"),
    ("azure-devops-token", "{a76}AZDO{a4}", "AZDO board"),
    ("digitalocean-token", "dop_v1_{h64}", "dop_v1_{h10}"),
    ("heroku-api-key", "HEROKU_API_KEY={uuid}", "heroku app {uuid}"),
    ("heroku-api-key", "HRKU-{w60}", "HRKU-"),
    ("alibaba-access-key-id", "LTAI5t{a18}", "LTAI"),
    ("cloudflare-api-token", "CLOUDFLARE_API_TOKEN={w40}", "cloudflare worker {h40}"),
    ("cloudflare-origin-ca-key", "v1.0-{h24}-{h146}", "v1.0-beta"),
    ("fastly-api-token", "fastly_token: {w32}", "fastly is a cdn"),
    ("fly-access-token", "fo1_{w43}", "fo1_"),
    ("scaleway-secret", "SCW{u17}", "SCW"),
    ("ibm-cloud-api-key", "ApiKey-{uuid}", "ApiKey-header"),
    ("vault-token", "hvs.{w90}", "hvs.js"),
    ("terraform-cloud-token", "{a14}.atlasv1.{a60}", "x.atlasv1.y"),
    ("doppler-token", "dp.pt.{a43}", "dp.pt.x"),
    ("onepassword-service-account", "ops_eyJ{w400}", "ops_eyJ"),
    ("onepassword-secret-key", "A3-{u6}-{u11}-{u5}-{u5}-{u5}", "A3-paper"),
    ("infracost-api-key", "ico-{a32}", "ico-png"),
    ("pulumi-access-token", "pul-{h40}", "pul-up"),
    ("tailscale-key", "tskey-auth-{a12}CNTRL-{a30}", "tskey-"),
    ("planetscale-token", "pscale_tkn_{w43}", "pscale_"),
    ("github-token", "ghp_{a36}", "ghp_{a12}"),
    ("github-token", "ghs_{a36}", "ghs_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    ("github-token", "ghs_eyJ{w40}.{w80}.{w43}", "ghs_"),
    ("github-fine-grained-token", "github_pat_{a22}_{a59}", "github_pat_x"),
    ("gitlab-token", "glpat-{w20}", "glpat-x"),
    ("gitlab-runner-registration", "GR1348941{w20}", "GR1348941"),
    ("bitbucket-token", "ATBB{a32}", "ATBB"),
    ("atlassian-api-token", "ATATT3xFfGF0{w160}={h8}", "ATATT3"),
    ("npm-token", "npm_{a36}", "npm_config_registry"),
    ("pypi-token", "pypi-AgEIcHlwaS5vcmc{w150}", "pypi-publish-action"),
    ("crates-io-token", "cio{a32}", "cio"),
    ("rubygems-token", "rubygems_{h48}", "rubygems_version"),
    ("nuget-api-key", "oy2{l43}", "oy2"),
    ("docker-token", "dckr_pat_{w27}", "dckr_pat_"),
    ("clojars-token", "CLOJARS_{h60}", "CLOJARS_USERNAME"),
    ("jfrog-token", "AKCp{a69}", "AKCp"),
    ("circleci-token", "CCIPAT_{a22}_{h40}", "CCIPAT_"),
    ("buildkite-token", "bkua_{l40}", "bkua_"),
    ("sourcegraph-token", "sgp_{h16}_{h40}", "sgp_"),
    ("sonarqube-token", "squ_{h40}", "squ_"),
    ("gitea-token", "gta_{a40}", "gta_"),
    ("postman-api-key", "PMAK-{h24}-{h34}", "PMAK-"),
    ("snyk-token", "snyk_uat.{l8}.{w60}", "snyk_test"),
    ("vercel-token", "vcp_{a56}", "vcp_"),
    ("vercel-token", "VERCEL_TOKEN={a24}", "VERCEL_URL=my-app.vercel.app"),
    ("netlify-token", "nfp_{a36}", "nfp_"),
    ("netlify-token", "NETLIFY_AUTH_TOKEN={w43}", "NETLIFY_SITE_ID={uuid}"),
    ("supabase-key", "sbp_{h40}", "sbp_"),
    ("prefect-token", "pnu_{a36}", "pnu_"),
    ("readme-api-key", "rdme_{l70}", "rdme_"),
    ("anthropic-api-key", "sk-ant-api03-{w93}AA", "sk-ant-"),
    ("openrouter-api-key", "sk-or-v1-{h64}", "sk-or-"),
    ("openai-api-key", "sk-{a48}", "sk-learn"),
    ("openai-api-key", "sk-proj-{w120}", "task-{a30}"),
    ("openai-api-key", "sk-svcacct-{w60}", "sk-proj-"),
    ("huggingface-token", "hf_{a34}", "hf_hub_download"),
    ("replicate-api-token", "r8_{a37}", "r8_"),
    ("groq-api-key", "gsk_{a52}", "gsk_"),
    ("xai-api-key", "xai-{a80}", "xai-"),
    ("perplexity-api-key", "pplx-{a48}", "pplx-"),
    ("fireworks-api-key", "fw_{a24}", "fw_update_required"),
    ("nvidia-api-key", "nvapi-{w64}", "nvapi-"),
    ("langsmith-api-key", "lsv2_pt_{h32}_{h10}", "lsv2_"),
    ("tavily-api-key", "tvly-{a32}", "tvly-"),
    ("databricks-token", "dapi{h32}", "dapi"),
    ("pinecone-api-key", "pcsk_{a6}_{a60}", "pcsk_"),
    ("elevenlabs-api-key", "sk_{h48}", "sk_"),
    ("cohere-or-mistral-key", "COHERE_API_KEY={a40}", "a coherent key"),
    ("snowflake-token", "snowflake_token={w60}", "snowflake account"),
    ("wandb-api-key", "wandb_v1_{a76}", "wandb_v1_"),
    ("neon-api-key", "napi_{l64}", "napi_create_function"),
    ("clickhouse-cloud-secret", "4b1d{a38}", "4b1d"),
    ("systemprompt-api-key", "sp_live_k7f3_{h64}", "sp_live_x"),
    ("slack-token", "xoxb-{d12}-{d13}-{a24}", "xoxb-your-token-here"),
    ("slack-token", "xapp-1-A{u10}-{d13}-{h64}", "xapp-"),
    (
        "slack-webhook",
        "https://hooks.slack.com/services/T{u9}/B{u9}/{a24}",
        "hooks.slack.com/services",
    ),
    ("discord-webhook", "https://discord.com/api/webhooks/{d18}/{w68}", "/api/webhooks/"),
    ("telegram-bot-token", "{d10}:AA{w33}", "12:AA"),
    ("twilio-key", "SK{h32}", "SK"),
    ("twilio-auth-token", "TWILIO_AUTH_TOKEN={h32}", "twilio message {h32}"),
    ("sendgrid-api-key", "SG.{w22}.{w43}", "SG.x.y"),
    ("mailgun-key", "key-{h32}", "key-value"),
    ("mailgun-key", "mailgun_api_key={h32}-{h8}-{h8}", "mailgun is a service"),
    ("mailchimp-api-key", "{h32}-us12", "about-us1"),
    ("mandrill-api-key", "md-{a22}", "md-5"),
    ("brevo-api-key", "xkeysib-{h64}-{a16}", "xkeysib-"),
    ("resend-api-key", "re_{a8}_{a24}", "re_export"),
    ("postmark-token", "POSTMARK_SERVER_TOKEN={uuid}", "postmark {uuid}"),
    ("messagebird-key", "live_{a25}", "live_"),
    ("stripe-key", "sk_live_{a24}", "sk_live_"),
    ("stripe-key", "rk_test_{a24}", "pk_live_{a24}"),
    ("stripe-webhook-secret", "whsec_{a32}", "whsec_"),
    ("square-token", "EAAA{w60}", "EAAA"),
    ("square-token", "sq0atp-{w22}", "sq0atp-"),
    ("paypal-braintree-token", "access_token$production${l16}${h32}", "access_token$production"),
    ("paypal-client-secret", "paypal_client_secret={w80}", "paypal is"),
    ("shopify-token", "shpat_{h32}", "shpat_"),
    ("adyen-api-key", "AQEyhmfx{b120}", "AQE"),
    ("flutterwave-key", "FLWSECK_TEST-{h32}-X", "FLWSECK"),
    ("razorpay-key", "rzp_live_{a14}", "rzp_live_"),
    ("plaid-token", "access-production-{uuid}", "access-control"),
    ("facebook-access-token", "EAAB{a160}", "EAAB"),
    ("datadog-key", "DD_API_KEY={h32}", "datadog trace {h32}"),
    ("datadog-key", "ddpat_{a40}", "ddpat_"),
    ("new-relic-key", "NRAK-{u27}", "NRAK-"),
    ("new-relic-key", "new_relic_license_key: {h40}", "new relic commit {h40}"),
    ("grafana-token", "glsa_{a32}_{h8}", "glsa_"),
    ("grafana-token", "glc_{b100}", "glc_"),
    ("sentry-token", "sntrys_{b120}", "sntrys_"),
    ("sentry-token", "SENTRY_AUTH_TOKEN={h64}", "sentry release {h40}"),
    ("pagerduty-token", "PAGERDUTY_TOKEN={w20}", "pagerduty incident"),
    ("dynatrace-token", "dt0c01.{u24}.{u64}", "dt0c01."),
    ("honeycomb-key", "hcaik_{l58}", "hcaik_"),
    ("posthog-key", "phx_{a43}", "phx_"),
    ("launchdarkly-key", "sdk-{uuid}", "sdk-core"),
    ("linear-api-key", "lin_api_{a40}", "lin_api_"),
    ("notion-token", "ntn_{d11}{a35}", "ntn_"),
    ("notion-token", "secret_{a43}", "secret_name_of_the_thing"),
    ("airtable-token", "pat{a14}.{h64}", "patch"),
    ("figma-token", "figd_{w40}", "figd_"),
    ("asana-token", "1/1{d15}:{h32}", "1/12"),
    ("contentful-token", "CFPAT-{w43}", "CFPAT-"),
    ("hubspot-token", "pat-na1-{uuid}", "pat-native"),
    ("intercom-token", "dG9rO{b54}=", "dG9rO"),
    ("typeform-token", "tfp_{w44}_{a14}", "tfp_"),
    ("algolia-admin-key", "ALGOLIA_ADMIN_KEY={h32}", "algolia index {h32}"),
    ("okta-api-token", "OKTA_API_TOKEN=00{w40}", "okta domain"),
    ("auth0-client-secret", "AUTH0_CLIENT_SECRET={w64}", "auth0 domain"),
    ("duffel-token", "duffel_test_{w43}", "duffel_"),
    ("easypost-token", "EZAK{a54}", "EZAK"),
    ("frameio-token", "fio-u-{w64}", "fio-u-"),
    ("shippo-token", "shippo_live_{h40}", "shippo_"),
    ("mapbox-secret-token", "sk.eyJ{w60}.{w22}", "sk.eyJ"),
    ("dropbox-token", "sl.{w136}", "sl."),
    ("databento-key", "db-{a29}", "db-migrate"),
    ("open-vsx-token", "ovsxp_{w36}", "ovsxp_"),
    ("json-web-token", "eyJ{w30}.eyJ{w60}.{w43}", "eyJ{w30}"),
    ("age-secret-key", "AGE-SECRET-KEY-1{u58}", "AGE-SECRET-KEY-1"),
    (
        "private-key",
        "-----BEGIN RSA PRIVATE KEY-----\n{b64}\n{b64}\n-----END RSA PRIVATE KEY-----",
        "text.starts_with(\"-----BEGIN RSA PRIVATE KEY-----\") && text.ends_with(END)",
    ),
    (
        "private-key",
        "-----BEGIN OPENSSH PRIVATE KEY-----\\n{b70}\\n-----END OPENSSH PRIVATE KEY-----\\n",
        "-----BEGIN CERTIFICATE-----\n{b64}\n-----END CERTIFICATE-----",
    ),
    (
        "private-key",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 2\n\n{b64}",
        "-----BEGIN PUBLIC KEY-----\n{b64}",
    ),
    (
        "private-key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n{b64}",
        "grep -r 'BEGIN .*PRIVATE KEY' .",
    ),
    (
        "private-key",
        "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{b48}",
        "PuTTY-User-Key-File-3: is a header",
    ),
    (
        "url-credentials",
        "postgres://app:{a12}@db.internal:5432/app",
        "postgres://user:password@host/db",
    ),
    ("url-credentials", "redis://:{a10}@cache:6379", "https://example.org:8080/a@b"),
    ("url-credentials", "https://bob:{a8}@git.example.org/x.git", "https://$USER:$PASS@host"),
    ("authorization-header", "Authorization: Bearer {a40}", "Authorization: Bearer $TOKEN"),
    ("basic-auth", "Authorization: Basic YWRtaW46aHVudGVyMjI=", "Basic information about it"),
    ("discord-bot-token", "MTIzNDU2Nzg5MDEyMzQ1Njc4.{w6}.{w38}", "MTIz.x.y"),
    ("generic-secret", "api_key = \"{a32}\"", "api_key_id = \"{a32}\""),
    ("generic-secret", "client_secret: {h40}", "commit: {h40}"),
    ("generic-secret", "my API key is {a24}, use it", "the order number is {a24}"),
    ("generic-secret", "run --token {a30}", "the secret: keep it simple"),
    ("generic-password", "PASSWORD=hunter2", "PASSWORD=$1"),
    ("generic-password", "db_password: \"s3cr3t!pw\"", "password: String"),
    ("generic-password", "the password is Tr0ub4dor&3", "the password is required"),
    ("generic-password", "Server=db;User Id=sa;Password=Str0ng!Pass;", "password = user.password2"),
    ("generic-password", "PGPASSWORD=kx82hf psql", "if password == other_password"),
];

#[test]
fn every_rule_finds_its_examples_and_leaves_its_counter_examples() {
    let scanner = scanner();
    let mut dice = Dice(1);
    let mut wrong = Vec::new();
    for (rule, example, counter_example) in EXAMPLES {
        for _ in 0..20 {
            let text = dice.fill(example).text;
            match scanner.scan_text(&text) {
                Some(finding) if *finding.rule == **rule => {}
                other => wrong.push(format!("{rule}: {text} gives {:?}", other.map(|f| f.rule))),
            }
            let text = dice.fill(counter_example).text;
            if let Some(finding) = scanner.scan_text(&text) {
                wrong.push(format!("{rule}: {text} must give none, not {}", finding.rule));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_has_an_example() {
    let tested: Vec<_> = EXAMPLES.iter().map(|(rule, ..)| *rule).collect();
    let missing: Vec<_> =
        Scanner::rule_ids().filter(|id| *id != "scan-budget" && !tested.contains(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(tested.iter().all(|id| Scanner::rule_ids().any(|known| known == *id)));
}

#[test]
fn redacting_an_example_leaves_nothing_of_it() {
    let scanner = scanner();
    let mut dice = Dice(2);
    for (rule, example, _) in EXAMPLES {
        let filled = dice.fill(example);
        let text = format!("before {} after", filled.text);
        let clean = scanner.redact(&text);
        assert!(clean.contains("[redacted:"), "{rule}: {clean}");
        for part in filled.parts.iter().filter(|part| part.len() >= 6) {
            assert!(!clean.contains(&**part), "{rule}: {clean}");
        }
        assert!(scanner.scan_text(&clean).is_none(), "{rule}: {clean}");
    }
}

#[test]
fn patterns_and_literals_fit_each_other() {
    for rule in rules::all() {
        if let rule::Trigger::Literals(literals) = rule.trigger {
            assert!(!literals.is_empty() && literals.iter().all(|l| l.len() >= 2), "{}", rule.id);
        }
        let pattern = regex_automata::meta::Regex::new(rule.pattern);
        assert!(pattern.is_ok_and(|p| !p.is_match("")) || rule.pattern.is_empty(), "{}", rule.id);
    }
}

/// A small generator, so that a failure repeats.
pub(super) struct Dice(pub(super) u64);

/// What [`Dice::fill`] drew.
pub(super) struct Filled {
    pub(super) text: String,
    pub(super) parts: Vec<String>,
}

impl Dice {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.next() % limit
    }

    fn next(&mut self) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap()
    }

    /// Fills the holes of a template; long parts hold digits and letters.
    pub(super) fn fill(&mut self, template: &str) -> Filled {
        let mut filled = Filled { text: String::new(), parts: Vec::new() };
        let mut rest = template;
        while let Some((plain, tail)) = rest.split_once('{') {
            let (hole, tail) = tail.split_once('}').unwrap();
            filled.text.push_str(plain);
            let part = self.part(hole);
            filled.text.push_str(&part);
            filled.parts.push(part);
            rest = tail;
        }
        filled.text.push_str(rest);
        filled
    }

    fn part(&mut self, hole: &str) -> String {
        if hole == "uuid" {
            return ["h8", "h4", "h4", "h4", "h12"].map(|hole| self.part(hole)).join("-");
        }
        let (class, count) = hole.split_at(1);
        let alphabet: &[u8] = match class {
            "a" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            "h" => b"0123456789abcdef",
            "u" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            "l" => b"abcdefghijklmnopqrstuvwxyz0123456789",
            "d" => b"0123456789",
            "b" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            "w" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            other => panic!("no class `{other}`"),
        };
        let count: usize = count.parse().unwrap();
        loop {
            let part: String =
                (0..count).map(|_| char::from(alphabet[self.next() % alphabet.len()])).collect();
            let digits = part.bytes().filter(u8::is_ascii_digit).count();
            let letters = part.bytes().filter(u8::is_ascii_alphabetic).count();
            if count < 8 || class == "d" || (digits >= 2 && letters >= 2) {
                return part;
            }
        }
    }
}
