//! Clouds and what runs on them.

use super::Rule;
use crate::secret::rule::Lead;

pub(super) const RULES: &[Rule] = &[
    // AWS, "IAM identifiers": unique id prefixes of key ids; the id alone is enough to act on.
    Rule::new(
        "aws-access-key-id",
        "AWS",
        &["AKIA", "ASIA", "ABIA", "ACCA"],
        r"(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
    )
    .word()
    .closed()
    .dull(),
    Rule::named(
        "aws-secret-access-key",
        "AWS",
        &["aws", "secret_access_key", "secretaccesskey"],
        r"[A-Za-z0-9/+]{40}",
    ),
    Rule::named("aws-session-token", "AWS", &["aws", "session_token"], r"[A-Za-z0-9/+=]{100,}"),
    Rule::new("aws-bedrock-api-key", "AWS", &["ABSK"], r"ABSK[A-Za-z0-9+/]{100,}={0,2}").word(),
    // Google Cloud.
    Rule::new("google-api-key", "Google", &["AIza"], r"AIza[A-Za-z0-9_-]{35}"),
    Rule::new("google-oauth-client-secret", "Google", &["GOCSPX-"], r"GOCSPX-[A-Za-z0-9_-]{24,40}"),
    Rule::new("google-oauth-access-token", "Google", &["ya29."], r"ya29\.[A-Za-z0-9_-]{20,}"),
    Rule::new("google-oauth-refresh-token", "Google", &["1//0"], r"1//0[A-Za-z0-9_-]{40,}").word(),
    // Microsoft Azure.
    Rule::new(
        "azure-storage-account-key",
        "Azure",
        &["AccountKey=", "SharedAccessKey="],
        r"(AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}={0,2}",
    ),
    Rule::new(
        "azure-sas-signature",
        "Azure",
        &["sig="],
        r"sig=[A-Za-z0-9%+/]{40,}(=|%3[dD])",
    )
    .word(),
    Rule::new(
        "azure-client-secret",
        "Azure",
        &["Q~"],
        r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
    )
    .lead(Lead::Bytes(4))
    .word(),
    Rule::new(
        "azure-devops-token",
        "Azure",
        &["AZDO"],
        r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
    )
    .lead(Lead::Bytes(76)),
    // Others.
    Rule::new(
        "digitalocean-token",
        "DigitalOcean",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        r"do[opr]_v1_[a-f0-9]{64}",
    ),
    Rule::new("heroku-api-key", "Heroku", &["HRKU-"], r"HRKU-[A-Za-z0-9_-]{30,}"),
    Rule::named(
        "heroku-api-key",
        "Heroku",
        &["heroku"],
        r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    ),
    Rule::new(
        "alibaba-access-key-id",
        "Alibaba Cloud",
        &["LTAI"],
        r"LTAI[A-Za-z0-9]{17,21}",
    )
    .word()
    .closed()
    .digit(),
    Rule::named("cloudflare-api-token", "Cloudflare", &["cloudflare", "cf_api"], r"([A-Za-z0-9_-]{40}|[0-9a-f]{37})"),
    Rule::new(
        "cloudflare-origin-ca-key",
        "Cloudflare",
        &["v1.0-"],
        r"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}",
    )
    .word(),
    Rule::named("fastly-api-token", "Fastly", &["fastly"], r"[A-Za-z0-9_-]{32}"),
    Rule::new("fly-access-token", "Fly.io", &["fo1_", "fm1r_", "fm2_"], r"f(o1|m1r|m2)_[A-Za-z0-9+/_=-]{40,}").word(),
    Rule::new("scaleway-secret", "Scaleway", &["SCW"], r"SCW[A-Z0-9]{17}").word().closed().digit(),
    Rule::new("ibm-cloud-api-key", "IBM Cloud", &["ApiKey-"], r"ApiKey-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    Rule::new(
        "vault-token",
        "HashiCorp",
        &["hvs.", "hvb.", "hvr."],
        r"hv[sbr]\.[A-Za-z0-9_-]{20,}",
    ),
    Rule::new(
        "terraform-cloud-token",
        "HashiCorp",
        &[".atlasv1."],
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{50,80}",
    )
    .lead(Lead::Bytes(14)),
    Rule::new(
        "doppler-token",
        "Doppler",
        &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
        r"dp\.(pt|ct|sa|scim|audit|st(\.[a-z0-9_-]{2,35})?)\.[A-Za-z0-9]{40,44}",
    ),
    Rule::new("onepassword-service-account", "1Password", &["ops_eyJ"], r"ops_eyJ[A-Za-z0-9+/_=-]{200,}"),
    Rule::new("onepassword-secret-key", "1Password", &["A3-"], r"A3-[A-Z0-9]{6}-([A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}").word(),
    Rule::new("infracost-api-key", "Infracost", &["ico-"], r"ico-[A-Za-z0-9]{32}").word().closed(),
    Rule::new("pulumi-access-token", "Pulumi", &["pul-"], r"pul-[a-f0-9]{40}").word(),
    Rule::new("tailscale-key", "Tailscale", &["tskey-"], r"tskey-[a-z]{2,12}-[A-Za-z0-9_-]{16,}"),
    Rule::new("planetscale-token", "PlanetScale", &["pscale_"], r"pscale_(tkn|oauth|pw)_[A-Za-z0-9_=.-]{32,64}"),
];
