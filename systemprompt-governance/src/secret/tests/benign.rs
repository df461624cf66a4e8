//! What people and programs write every day holds no secret.

use super::*;

const LINES: &str = r#"
the secret: keep it simple
The password must have at least 8 characters, one digit and one symbol.
password: required
Password: ********
"password": "string"
password: &str,
let password = user.password.clone();
const token = await getToken(userId, 3600);
token := strings.TrimPrefix(header, "Bearer ")
if (token === undefined) { throw new Error("missing token"); }
Authorization: Bearer <token>
Authorization: Bearer $TOKEN
curl -H "Authorization: Bearer ${API_TOKEN}" https://api.example.com/v1/items
api_key = os.environ["SERVICE_API_KEY_2"]
api_key: process.env.OPENAI_API_KEY
apiKey: config.apiKey ?? undefined,
SECRET_KEY = env("DJANGO_SECRET_KEY")
client_secret: ${CLIENT_SECRET}
client_secret: {{ .Values.oauth2.clientSecret }}
export GITHUB_TOKEN=$(gh auth token)
aws_secret_access_key = <your secret access key>
AWS_ACCESS_KEY_ID=AKIA...
secretName: my-service-tls-2024
secretKeyRef: { name: database-credentials-v2, key: password }
kubectl create secret generic app-config-v2 --from-file=config.json
public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@host"
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7vbqajDhA+17HA/4xU2x4bq5vn9kJrGgkq0lIuR1mFNCxhQ me@laptop
commit 8f14e45fceea167a5a36dedd4bea2543c0ffee11
Author: Jane Doe <jane@example.com>
index 83db48f..bf2a1c9 100644
git checkout 1a79a4d60de6718e8e5b326e338ae533 -- src/lib.rs
HEAD is now at 356a192 Fix the parser
trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7
traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
id: 550e8400-e29b-41d4-a716-446655440000
{"request_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "session_id": "018f3b5c-9a9b-7def-8e12-1234567890ab"}
"integrity": "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
resolved "https://registry.yarnpkg.com/lodash/-/lodash-4.17.21.tgz#679591c564c3bffaae8454cf0b3df370c3d6911c"
integrity sha1-c0VAZnFMMpFdVzSVMgpLVBdlGSs=
checksum = "6e4de3bc4ea267985becf712dc6d9eed8b04c953b3fcfb339ebc87acd9804901"
source = "registry+https://github.com/rust-lang/crates.io-index"
github.com/stretchr/testify v1.8.4 h1:CcVxjf3Q8PM0mHUKJCdn+eZZtm5yQwehR5yeSVQQcUk=
golang.org/x/text v0.14.0/go.mod h1:18ZOQIKpY8NJVqYksKHtTdi31H5itFRjB5/qKTNYzSU=
    --hash=sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 \
"numpy-1.26.4-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
FROM rust:1.94-slim@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
uses: actions/checkout@b4ffde65f46336ab88eb53be808477a3936bae11 # v4.1.1
<img src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==">
background: url(data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7);
-----BEGIN CERTIFICATE-----
MIIBkTCB+wIJAKHHIG11111111MA0GCSqGSIb3DQEBCwUAMBExDzANBgNVBAMMBnVudXNl
-----END CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
if pem.startswith("-----BEGIN PRIVATE KEY-----"):
grep -rn "BEGIN RSA PRIVATE KEY" .
const HEADER: &str = "-----BEGIN EC PRIVATE KEY-----";
https://example.com/path/to/page?utm_source=newsletter2&utm_campaign=spring2024
https://example.com:8443/a/b/c@v1.2.3/index.html
git@github.com:rust-lang/rust.git
postgres://user:password@localhost:5432/app
postgresql://${DB_USER}:${DB_PASSWORD}@${DB_HOST}/app
mysql://<user>:<password>@localhost/app
jdbc:postgresql://localhost:5432/app
s3://my-bucket/data/2024/01/15/part-00000-a1b2c3d4.snappy.parquet
arn:aws:iam::123456789012:role/service-role/MyLambdaRole-1a2b3c4d
arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db/password-AbCdEf
/usr/local/lib/python3.12/site-packages/sklearn/ensemble/_forest.py
node_modules/.pnpm/@babel+core@7.23.9/node_modules/@babel/core/lib/index.js
pip install scikit-learn==1.4.0 torch==2.2.0+cu121
import sklearn.model_selection as sk_model_selection2024
from hf_hub_download_utils import hf_hub_download_with_retries_v2
fw_update_required_before_version_2 = True
const re_escape_characters_pattern2 = /[.*+?^${}()|[\]\\]/g;
public static final String KEY_ALGORITHM = "PBEWithHmacSHA256AndAES_256";
private static final long serialVersionUID = 8683452581122892189L;
token_type: "bearer", expires_in: 3600
max_tokens: 4096, temperature: 0.7, top_p: 1
"usage": {"prompt_tokens": 1234, "completion_tokens": 567, "total_tokens": 1801}
"next_page_token": "CAUQAA1234567890abcdefGHIJ"
nextPageToken=EAAaB1BUOkNBVVFBQTEyMzQ1Njc4OTA
continuation_token: "eyJvZmZzZXQiOjEwMCwibGltaXQiOjUwfQ=="
etag: W/"5f8a0c3e91d7b264a1b2c3d4e5f60718"
If-None-Match: "33a64df551425fcc55e4d42a148795d9f25f89d4"
primary_key = "user_id_2024_partition"
partition_key: "tenant-1234-region-eu-west-1"
cache_key = f"{user_id}:{page}:{hash(query)}"
foreign key (account_id) references accounts(id)
password_hash VARCHAR(255) NOT NULL,
ALTER TABLE users ADD COLUMN password_reset_token2 TEXT;
assert_eq!(hash("password"), "5f4dcc3b5aa765d61d8327deb882cf99");
0x5FbDB2315678afecb367f032d93F642f64180aa3
0000000000 65535 f trailer << /Size 22 /Root 1 0 R >>
version = "1.2.3-beta.4+build.20240115.a1b2c3d"
2024-01-15T10:15:30.123456Z INFO request{method=GET uri=/api/v1/users/42 version=HTTP/1.1}: finished latency=12ms status=200
192.168.1.10 - - [15/Jan/2024:10:15:30 +0000] "GET /static/app.3f2a1b9c.js HTTP/1.1" 200 51234
Jan 15 10:15:30 host sshd[1234]: Accepted publickey for git from 10.0.0.5 port 51234 ssh2: ED25519 SHA256:uNiVztksCsDhcc0u9e8BrWCRP8eZLMyWvRwM0vJ0mCE
!function(e,t){"object"==typeof exports?module.exports=t():e.lib=t()}(this,function(){return function(e){var t={};function n(r){if(t[r])return t[r].exports}}});
var a=document.querySelectorAll(".btn-primary2"),b=a.length;for(;b--;)a[b].addEventListener("click",handler3);
message Person { optional string name = 1; int32 id = 2; repeated PhoneNumber phones = 4; }
field_1: 150 field_2 { nested_3: "testing" }
SELECT id, name FROM users WHERE token_id = $1 AND created_at > '2024-01-01';
Das Passwort ist falsch. Bitte versuchen Sie es erneut.
Le mot de passe doit contenir au moins 8 caractères.
パスワードは8文字以上で入力してください。
密码必须至少包含8个字符
Введите пароль еще раз
Basic authentication is described in RFC 7617; bearer tokens in RFC 6750.
Basic dXNlcg==
The bearer of this letter is entitled to 20% off.
Secretary of State; secretariat2024; passengers: 123; compassionate2
passenger_name: "O'Brien2", bypass: true, compass: N45E
pwd
/home/user1/projects/app2
cd "$(pwd)/src2" && ls
PWD=/home/user1/projects/app
OLDPWD=/srv/app/releases/20240115101530
keyboard: qwerty12345 layout: us-intl-2
author: a1b2c3d4e5f6g7h8i9j0
authority: "login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47"
tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased-v2")
secret santa draw: Anna->Ben, Ben->Cleo
task-1234567890-abcdefghij-klmnopqrst
disk-0a1b2c3d4e5f6a7b8c9d-snapshot
vol-0a1b2c3d4e5f6a7b8 i-0123456789abcdef0 subnet-0bb1c79de3EXAMPLE
us-east-1_AbCdEfGhI
CVE-2024-21626 GHSA-xr7r-f8xq-vfvv RUSTSEC-2023-0071
ISBN 978-3-16-148410-0, DOI 10.1000/182, phone +1-555-0100-1234
[![Build](https://img.shields.io/github/actions/workflow/status/a/b/ci.yml?branch=main)](https://github.com/a/b/actions)
Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore.
"#;

#[test]
fn everyday_lines_hold_no_secret() {
    let scanner = scanner();
    let mut wrong = Vec::new();
    for line in LINES.lines() {
        if let Some(finding) = scanner.scan_text(line) {
            wrong.push(format!("{}: {line}", finding.rule));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    let whole = scanner.redact(LINES);
    let changed = whole.lines().filter(|line| line.contains("[redacted:"));
    assert_eq!(changed.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn everyday_documents_hold_no_secret() {
    let documents = [
        r#"{"type": "object", "properties": {"password": {"type": "string", "minLength": 8}}}"#,
        r#"{"max_tokens": 1024, "token_count": "1234567890", "next_token": "a1b2c3d4e5f6a7b8c9d0"}"#,
        r#"{"old_string": "password: String,", "new_string": "password: SecretString,"}"#,
        r#"{"command": "git show 8f14e45fceea167a5a36dedd4bea2543c0ffee11 --stat"}"#,
        r#"{"key": "users/42/avatar-2024.png", "value": "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"}"#,
        r#"{"api_key": "${OPENAI_API_KEY}", "secret": "secret://github/token-2"}"#,
        r#"{"token": "550e8400-e29b-41d4-a716-446655440000", "password": null, "secret": ""}"#,
        r#"{"password": "correct horse battery staple is the classic example 1"}"#,
        r#"{"name": "sha256", "value": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}"#,
    ];
    for document in documents {
        let found = scanner().find_all(&arguments(document));
        assert!(found.is_empty(), "{document}: {:?}", found.first());
    }
}

/// The sources of this crate: programs full of the words a scanner looks for.
#[test]
fn our_own_sources_hold_no_secret() {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let (mut lines, mut wrong) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && path.file_name().is_some_and(|name| name != "tests.rs")
            {
                let source = std::fs::read_to_string(&path).unwrap();
                let program = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
                lines += program.lines().count();
                let found = program.lines().filter(|line| scanner().scan_text(line).is_some());
                wrong.extend(found.map(|line| format!("{}: {line}", path.display())));
            }
        }
    }
    assert!(lines > 2_000, "{lines} lines");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn values_are_judged_by_the_name_the_document_gives_them() {
    let random = "Zk3vQ9tL2mXw8RbN5yHd4";
    for (document, rule, path) in [
        (format!(r#"{{"apiKey": "{random}"}}"#), "generic-secret", "$.apiKey"),
        (r#"{"db": {"password": "hunter22!"}}"#.into(), "generic-password", "$.db.password"),
        (format!(r#"{{"secrets": ["x", "{random}"]}}"#), "generic-secret", "$.secrets[1]"),
        (format!(r#"["run", "--token", "{random}"]"#), "generic-secret", "$[2]"),
        (
            r#"[{"name": "DB_PASSWORD", "value": "hunter22!"}]"#.into(),
            "generic-password",
            "$[0].value",
        ),
        (format!(r#"{{"value": "{random}", "name": "API_TOKEN"}}"#), "generic-secret", "$.value"),
    ] {
        let finding = scanner().scan_arguments(&arguments(&document)).expect(&document);
        assert_eq!((&*finding.rule, finding.location.as_str()), (rule, path));
    }
}

#[test]
fn a_password_goes_as_a_whole_with_what_is_found_in_it() {
    let password = format!("a!{}{}-9z!", "AKIA", "Z7Q4M2X9W5T8R3KD");
    let document = arguments(&format!(r#"{{"password": "{password}"}}"#));
    let spots = crate::secret::spots(&scanner(), document.root());
    assert_eq!(spots.iter().map(|spot| spot.span()).collect::<Vec<_>>(), [Some(0..password.len())]);
    let rules: Vec<_> = spots[0].found.iter().map(|found| &*found.finding.rule).collect();
    assert_eq!(rules, ["generic-password", "aws-access-key-id"]);
}

#[test]
fn a_disabled_rule_finds_nothing_and_the_others_still_do() {
    let scanner = Scanner::builder()
        .fingerprint_key(&[7; 32])
        .disable(["generic-password", "private-key"])
        .build()
        .unwrap();
    assert!(scanner.scan_text("PASSWORD=hunter2").is_none());
    assert!(scanner.scan_text("postgres://app:hunter2@db/app").is_some());
}

#[test]
fn a_fingerprint_knows_a_secret_again_under_one_key_only() {
    let text = |place: &str| format!("{place} PASSWORD=hunter2");
    let finding = scanner().scan_text(&text("here")).unwrap();
    assert_eq!(finding.fingerprint, scanner().scan_text(&text("there")).unwrap().fingerprint);
    assert_eq!(finding.fingerprint.len(), 32);
    let other = Scanner::builder().fingerprint_key(&[8; 32]).build().unwrap();
    assert_ne!(finding.fingerprint, other.scan_text(&text("here")).unwrap().fingerprint);
}

#[test]
fn a_text_that_overworks_the_patterns_is_reported() {
    let text = "sk-eyJ".repeat(40_000);
    assert_eq!(&*scanner().scan_text(&text).unwrap().rule, "scan-budget");
    assert_eq!(scanner().redact(&text), "[redacted:scan-budget]");
}

#[test]
fn a_dull_secret_is_still_one_and_a_form_to_fill_in_is_none() {
    for (prefix, unit, count) in [("ghp_", "A", 36), ("AKIA", "Q", 16), ("sk-ant-api03-", "a1", 40)]
    {
        let text = format!("use {prefix}{}", unit.repeat(count));
        assert!(scanner().scan_text(&text).is_some(), "{prefix}");
        let blank = format!("use {prefix}{}", "x".repeat(count));
        assert!(scanner().scan_text(&blank).is_none(), "{prefix}");
    }
    let cut = ["-----BEGIN RSA PRIVATE", " KEY-----\nabc\n-----END RSA PRIVATE KEY-----"].concat();
    assert_eq!(scanner().redact(&cut), "[redacted:private-key]");
}
