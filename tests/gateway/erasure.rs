//! A person is erased from the log of a gateway, and old events go, with nothing but the command line.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::{Gateway, built, verdict};

fn systemprompt(data: &Path, arguments: &[&str]) -> Output {
    Command::new(built("", "systemprompt"))
        .env("SYSTEMPROMPT_CONFIG", data.join("profile.yaml"))
        .args(arguments)
        .output()
        .unwrap()
}

fn answer(data: &Path, arguments: &[&str]) -> Value {
    let output = systemprompt(data, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A key encryption key in a file of its own.
fn key(folder: &Path) -> PathBuf {
    let path = folder.join("audit-kek");
    std::fs::write(&path, "5a".repeat(32)).unwrap();
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, mode).unwrap();
    }
    path
}

/// An identity, and a key encryption key that age 1.1.1 has encrypted to it.
const AGE_IDENTITY: &str =
    "AGE-SECRET-KEY-1S38YZ36WDQKL6D2FKAD4KGGMS3LSWU858QEGMEX52M64X3NWUCASA223ND\n";
const AGE_FILE: &str = "-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBWN0FQaXJhMy92SlRGN2d2
QzVMZ1NRSWxSOCtKS3JFTm44d3lOdk5VK2pZCldJS2ttTFhkSTVVOGs0cmpUM2px
SW85SFNIYlFzNDVLcFdQc0xnbUxmWTAKLS0tIEJLWnlNSDNwM0FlNnNEZ0FDa1du
Y1pnRHIvcXVDWlhPbEZCVVltWEJ5aEkK4sG40lsSg8aMlRR7/wROsNmPQxfYKWBI
b7l03RA4m7V8027MX+Wwto+e1hPVuV8iMiAt5O6tlKE+IFjs4EvUH8datqP7REjF
IzBFJIZeepQ2BYruQ5BE+kE6fnyl3Aj9Hg==
-----END AGE ENCRYPTED FILE-----
";

#[tokio::test]
async fn a_key_in_an_age_file_encrypts_and_a_damaged_one_is_named() {
    let mut first = Gateway::fresh();
    let data = first.data().to_owned();
    first.stop();
    let profile = data.join("profile.yaml");
    let text = std::fs::read_to_string(&profile).unwrap();
    let age = "age: {file: kek.age, identity: {file: identity.txt}}";
    std::fs::write(&profile, format!("{text}\naudit:\n  encryption: {{key: {{{age}}}}}\n"))
        .unwrap();
    std::fs::write(data.join("identity.txt"), AGE_IDENTITY).unwrap();
    std::fs::write(data.join("kek.age"), AGE_FILE.replace("AGE", "EGA")).unwrap();
    let refused = Gateway::try_on(&data).err().unwrap();
    assert!(refused.contains("audit.encryption.key.age.file"), "{refused}");
    assert!(!refused.contains("AGE-SECRET-KEY-1S"), "{refused}");

    std::fs::write(data.join("kek.age"), AGE_FILE).unwrap();
    let gateway = Gateway::on(&data);
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({ "path": "a.md" })).await), "allow");
    let read = answer(&data, &["audit", "decisions", "--user", "user", "--json"]);
    assert_eq!(read["decisions"].as_array().unwrap().len(), 1);
    let mut database = gateway.database().await;
    let stored = "SELECT user_id FROM audit_events WHERE tool = 'Read'";
    let stored: String = sqlx::query_scalar(stored).fetch_one(&mut database).await.unwrap();
    assert!(stored.starts_with("subject-"), "{stored}");
}

#[tokio::test]
async fn a_person_is_erased_and_the_log_still_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(folder.path());
    let gateway = Gateway::edited(|profile| {
        assert!(!profile.contains("\naudit:"), "the starter profile has a section of its own");
        let key = key.display();
        format!(
            "{profile}\naudit:\n  encryption: {{key: {{file: {key}}}}}\n  retention: {{age: 1h}}\n"
        )
    });
    let data = gateway.data().to_owned();
    for number in 0..5 {
        let arguments = json!({ "path": format!("{number}.md") });
        assert_eq!(verdict(&gateway.ask("user", "Read", arguments).await), "allow");
    }
    let read = answer(&data, &["audit", "decisions", "--user", "user", "--json"]);
    let decisions = read["decisions"].as_array().unwrap();
    assert_eq!(decisions.len(), 5);
    assert!(decisions[0]["evaluation"]["checks"].is_array(), "{:#}", decisions[0]);

    // Not without `--yes`, and not in the name of who is erased.
    assert!(!systemprompt(&data, &["audit", "erase", "--subject", "user"]).status.success());
    let named = ["audit", "erase", "--subject", "user", "--by", "user", "--yes"];
    assert!(!systemprompt(&data, &named).status.success());
    let rewrapped = answer(&data, &["audit", "rewrap", "--json"]);
    assert!(rewrapped["keys"].as_u64().unwrap() >= 1, "{rewrapped}");
    let erase = ["audit", "erase", "--subject", "user", "--by", "dpo", "--yes", "--json"];
    let erased = answer(&data, &erase);
    let pseudonym = erased["pseudonyms"][0].as_str().unwrap();
    let read = answer(&data, &["audit", "decisions", "--user", "user", "--json"]);
    assert_eq!(read["decisions"].as_array().unwrap().len(), 0);
    let read = answer(&data, &["audit", "decisions", "--user", pseudonym, "--json"]);
    assert_eq!(read["decisions"][0]["detail"]["sealed"], "erased");
    let said = answer(&data, &["audit", "events", "--kind", "subject_erased", "--json"]);
    assert_eq!(said["events"][0]["detail"]["by"], "dpo");

    // The server goes on, with a new key for who comes back.
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({ "path": "a.md" })).await), "allow");
    let read = answer(&data, &["audit", "decisions", "--user", "user", "--json"]);
    assert_eq!(read["decisions"].as_array().unwrap().len(), 1);
    let pruned = answer(&data, &["audit", "prune", "--dry-run", "--json"]);
    assert_eq!(pruned["logs"], json!([]));
    let report = answer(&data, &["audit", "verify", "--json"]);
    assert_eq!((&report["integrity"], &report["completeness"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn bodies_of_models_are_recorded_encrypted_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(folder.path());
    let mut first = Gateway::fresh();
    let data = first.data().to_owned();
    first.stop();
    let profile = data.join("profile.yaml");
    let text = std::fs::read_to_string(&profile).unwrap();
    let text = text.replacen("\nmodels:\n", "\nmodels:\n  record_bodies: all\n", 1);
    std::fs::write(&profile, &text).unwrap();
    let refused = Gateway::try_on(&data).err().unwrap();
    assert!(refused.contains("`models.record_bodies`: needs `audit.encryption`"), "{refused}");

    let key = key.display();
    let text = format!("{text}\naudit:\n  encryption: {{key: {{file: {key}}}}}\n");
    std::fs::write(&profile, text).unwrap();
    let mut gateway = Gateway::on(&data);
    let asked = json!({
        "model": "echo", "max_tokens": 100,
        "messages": [{ "role": "user", "content": "the diagnosis of a patient" }],
    });
    let (status, answered) =
        crate::harness::answer(gateway.post("/v1/messages", "user").json(&asked)).await;
    assert_eq!(status, 200, "{answered}");
    let events = answer(&data, &["audit", "events", "--kind", "ai_request", "--json"]);
    let record = &events["events"][0]["detail"];
    let id = record["request_id"].as_str().unwrap();
    let bodies = answer(&data, &["audit", "body", id, "--json"]);
    for (body, digest) in [("request", "request_sha256"), ("answer", "answer_sha256")] {
        let text = bodies[body]["text"].as_str().unwrap();
        assert!(text.contains("the diagnosis of a patient"), "{bodies}");
        assert_eq!(bodies[body]["sha256"], record[digest]);
    }
    let shown = systemprompt(&data, &["audit", "body", id]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("the diagnosis of a patient"));
    let listed = systemprompt(&data, &["audit", "events", "--json", "--limit", "1000"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("ai_request_bodies") && !listed.contains("diagnosis"), "{listed}");
    let exported = systemprompt(&data, &["audit", "export"]);
    let exported = String::from_utf8_lossy(&exported.stdout).into_owned();
    assert!(exported.contains("\"left_out\""), "{exported}");
    for file in std::fs::read_dir(&data).unwrap() {
        let Ok(bytes) = std::fs::read(file.unwrap().path()) else { continue };
        assert!(!bytes.windows(9).any(|part| part == b"diagnosis"), "it is in a file in clear");
    }

    answer(&data, &["audit", "erase", "--subject", "user", "--by", "dpo", "--yes", "--json"]);
    let erased = systemprompt(&data, &["audit", "body", id]);
    let why = String::from_utf8_lossy(&erased.stderr).into_owned();
    assert!(!erased.status.success() && why.contains("the caller was erased"), "{why}");
    let unknown = systemprompt(&data, &["audit", "body", "019ab000-0000-7000-8000-000000000000"]);
    let why = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(!unknown.status.success() && why.contains("no bodies are recorded"), "{why}");
    gateway.stop();
    let verified = systemprompt(&data, &["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}
