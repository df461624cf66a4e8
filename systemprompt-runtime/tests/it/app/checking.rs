use systemprompt_runtime::check_profile;

use super::*;

/// What is said of the starter profile with `more` at its end.
fn check(more: &str, environment: Environment) -> Result<(), String> {
    let installation = Installation::new();
    let path = installation.profile();
    let text = fs::read_to_string(&path).unwrap() + more;
    fs::write(&path, text).unwrap();
    let profile = ProfileBootstrap::load(&path, environment).map_err(|error| error.to_string())?;
    check_profile(&profile, no_extensions()).map(drop).map_err(|error| error.to_string())
}

fn fails(more: &str, environment: Environment) -> String {
    check(more, environment).expect_err("the profile is wrong")
}

/// Every line begins with file, line and column.
fn assert_placed(error: &str) {
    for line in error.lines() {
        let place = line.split_once("profile.yaml:").expect(line).1;
        let mut numbers = place.split(':').take(2);
        assert!(numbers.all(|number| number.parse::<usize>().is_ok()), "{line}");
    }
}

#[test]
fn a_secret_that_is_not_there_is_a_fault() {
    let key = "\nsecrets:\n  fingerprint_key: {env: FINGERPRINTS}\n";
    let error = fails(key, Environment::empty());
    assert!(error.contains("`FINGERPRINTS` is not set"), "{error}");
    assert_placed(&error);
    check(key, Environment::empty().with("FINGERPRINTS", "0123456789abcdef")).unwrap();
    let error = fails("\nsecrets:\n  fingerprint_key: {file: missing.key}\n", Environment::empty());
    assert!(error.contains("missing.key` cannot be read"), "{error}");
}

const ISSUER: &str = "
identity:
  issuers:
    - issuer: https://id.example.com
      algorithms: [RS256]
      jwks: {file: keys.json}
      audiences: {api: [gateway]}
      tenant: acme
";

#[tokio::test]
async fn a_key_set_that_is_not_there_is_a_fault() {
    let error = fails(ISSUER, Environment::empty());
    assert!(error.contains("`identity.issuers[0].jwks.file`: the key set"), "{error}");
    assert_placed(&error);
    let at_a_url = ISSUER.replace("file: keys.json", "url: 'https://id.example.com/keys'");
    check(&at_a_url, Environment::empty()).unwrap();

    let installation = Installation::new();
    installation.edit(|text| text + ISSUER);
    let error = installation.start().await.unwrap_err().to_string();
    assert!(error.contains("keys.json` cannot be read"), "{error}");
    assert_placed(&error);
    fs::write(installation.data().join("keys.json"), "{\"keys\": 1}").unwrap();
    let error = installation.start().await.unwrap_err().to_string();
    assert!(error.contains("no list `keys`"), "{error}");
}

#[tokio::test]
async fn all_faults_are_said_at_once_with_their_place() {
    let installation = Installation::new();
    installation.edit(|text| {
        text.replacen("scopes: [admin]", "scopes: [adminn]", 1)
            + "\nextensions:\n  disabled: [zz]\n  config:\n    xx: {a: 1}\n    yy: {b: 2}\n"
    });
    let profile = ProfileBootstrap::load(installation.profile(), Environment::empty()).unwrap();
    let checked = check_profile(&profile, no_extensions()).unwrap_err().to_string();
    let started = installation.start().await.unwrap_err().to_string();
    for error in [checked, started] {
        for path in [
            "`governance.agents[0].scopes[0]`",
            "`extensions.disabled[0]`",
            "`extensions.config.xx`",
            "`extensions.config.yy`",
        ] {
            assert_eq!(error.matches(path).count(), 1, "{path} in {error}");
        }
        assert_placed(&error);
    }
}

#[test]
fn an_agent_that_nobody_may_be_is_a_fault() {
    let installation = Installation::new();
    installation.edit(|text| text.replace("  agents:\n", "  agents:\n    - id: nobody\n"));
    let profile = ProfileBootstrap::load(installation.profile(), Environment::empty()).unwrap();
    let error = check_profile(&profile, no_extensions()).unwrap_err().to_string();
    assert!(error.contains("`governance.agents[0]`: nobody may act as this agent"), "{error}");
    assert_placed(&error);
}

#[tokio::test]
async fn a_provider_that_no_extension_brings_is_a_fault() {
    let mine = |text: String| {
        text.replace("  providers:\n", "  providers:\n    house: {kind: extension}\n")
    };
    let installation = Installation::new();
    installation.edit(mine);
    let profile = ProfileBootstrap::load(installation.profile(), Environment::empty()).unwrap();
    let checked = check_profile(&profile, no_extensions()).unwrap_err().to_string();
    let started = installation.start().await.unwrap_err().to_string();
    for error in [checked, started] {
        let told = "`models.providers.house`: no extension brings a provider of this name";
        assert!(error.contains(told), "{error}");
        assert_placed(&error);
    }
}
