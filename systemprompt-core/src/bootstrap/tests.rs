use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::config::{Environment, Profile, STARTER_PROFILE, SecretRef};

const KEY: &str = "0123456789abcdef0123456789abcdef";

struct Installation {
    folder: tempfile::TempDir,
}

impl Installation {
    fn new(profile: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("profile.yaml"), profile).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self, environment: Environment) -> Result<Config, BootstrapError> {
        let profile = ProfileBootstrap::load(self.path("profile.yaml"), environment)?;
        finish(profile)
    }

    fn fails(&self, environment: Environment) -> String {
        self.start(environment).expect_err("should not start").to_string()
    }
}

fn finish(profile: ProfileBootstrap) -> Result<Config, BootstrapError> {
    let secrets = SecretsBootstrap::resolve(profile)?;
    let credentials = CredentialsBootstrap::prepare(secrets)?;
    Ok(Config::validate(credentials)?)
}

fn write(path: &Path, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_start_makes_a_key_and_the_second_finds_it() {
    let installation = Installation::new(STARTER_PROFILE);
    let first = installation.start(Environment::empty()).unwrap();
    let path = installation.path("fingerprint.key");
    assert_eq!(mode(&path), 0o600);
    let key = first.fingerprint_key().expose().clone();
    assert_eq!(key.len(), 64);
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{key}\n"));
    assert!(first.warnings().is_empty());
    assert_eq!(first.data_folder(), installation.folder.path());
    assert_eq!(fs::read_dir(installation.folder.path()).unwrap().count(), 4, "no draft is left");

    for other in ["audit.key", "custody.key"] {
        assert_eq!(mode(&installation.path(other)), 0o600);
    }

    let second = installation.start(Environment::empty()).unwrap();
    assert_eq!(second.fingerprint_key().expose(), &key);
    assert_eq!(second.audit_key().expose(), first.audit_key().expose());
    assert_ne!(second.audit_key().expose(), &key);
    let custody = |config: &Config| config.custody_key().unwrap().expose().clone();
    assert_eq!(custody(&first), custody(&second));
    assert!(custody(&first) != key && &custody(&first) != first.audit_key().expose());
    assert!(!format!("{second:?}").contains(&key));
}

#[test]
fn a_signing_key_that_is_lost_is_not_replaced() {
    let installation = Installation::new(STARTER_PROFILE);
    let first = installation.start(Environment::empty()).unwrap();
    let database = first.profile().database.url.path().unwrap().to_owned();
    fs::write(&database, "").unwrap();
    fs::write(installation.path("audit.pub"), "a public key").unwrap();
    installation.start(Environment::empty()).unwrap();
    let key = installation.path("audit.key");
    fs::rename(&key, installation.path("kept")).unwrap();

    let error = installation.fails(Environment::empty());
    assert!(error.contains("audit.key` is gone") && error.contains("put it back"), "{error}");
    assert!(!key.exists());

    // Of a database that is gone, too, there is nothing to go on with.
    fs::rename(&database, installation.path("moved.db")).unwrap();
    installation.start(Environment::empty()).unwrap();
    fs::rename(installation.path("moved.db"), &database).unwrap();
    installation.start(Environment::empty()).unwrap();
}

#[test]
fn starts_at_the_same_time_agree_on_one_key() {
    let installation = Installation::new(STARTER_PROFILE);
    let keys: Vec<String> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..8).map(|_| scope.spawn(|| installation.start(Environment::empty()))).collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap().unwrap().fingerprint_key().expose().clone())
            .collect()
    });
    assert!(keys.iter().all(|key| key == &keys[0]));
}

#[test]
fn a_key_from_the_environment_leaves_no_file() {
    let installation =
        Installation::new("profile: p\nsecrets:\n  fingerprint_key: {env: FINGERPRINT_KEY}\n");
    let config = installation.start(Environment::empty().with("FINGERPRINT_KEY", KEY)).unwrap();
    assert_eq!(config.fingerprint_key().expose(), KEY);
    assert!(!installation.path("fingerprint.key").exists());

    let error = installation.fails(Environment::empty());
    assert!(
        error.ends_with(
            "profile.yaml:3:3: `secrets.fingerprint_key`: the environment variable \
             `FINGERPRINT_KEY` is not set"
        ),
        "{error}"
    );
    let error = installation.fails(Environment::empty().with("FINGERPRINT_KEY", "short-one"));
    assert!(error.contains("shorter than 16 bytes") && !error.contains("short-one"), "{error}");
    let error = installation.fails(Environment::empty().with("FINGERPRINT_KEY", " \n"));
    assert!(error.contains("the secret is empty"), "{error}");
}

#[test]
fn a_key_from_a_file_is_held_against_its_mode() {
    let installation = Installation::new("profile: p\nsecrets: {fingerprint_key: {file: k}}\n");
    let path = installation.path("k");
    assert!(installation.fails(Environment::empty()).contains("cannot be read"));

    write(&path, &format!("{KEY}\r\n"), 0o600);
    let config = installation.start(Environment::empty()).unwrap();
    assert_eq!(config.fingerprint_key().expose(), KEY);
    assert!(config.warnings().is_empty());

    write(&path, KEY, 0o444);
    let config = installation.start(Environment::empty()).unwrap();
    assert!(config.warnings()[0].contains("may be read by others"));

    write(&path, KEY, 0o660);
    assert!(installation.fails(Environment::empty()).contains("may be changed by others"));
    write(&path, "\n", 0o600);
    assert!(installation.fails(Environment::empty()).contains("the secret is empty"));
    write(&path, &"x".repeat(70_000), 0o600);
    assert!(installation.fails(Environment::empty()).contains("longer than 65536 bytes"));
}

#[test]
fn the_password_of_a_server_is_found_and_the_data_folder_is_that_of_the_profile() {
    let text = "profile: p\ndatabase:\n  url: postgres://u@h/db\n  password: {env: PW}\n";
    let installation = Installation::new(text);
    let error = installation.fails(Environment::empty());
    assert!(error.contains("`database.password`: the environment variable `PW`"), "{error}");
    let config = installation.start(Environment::empty().with("PW", "hunter2")).unwrap();
    assert_eq!(config.database_password().unwrap().expose(), "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(installation.path("fingerprint.key").exists());
}

#[test]
fn keys_of_providers_are_looked_for_at_the_start() {
    let installation = Installation::new(
        "profile: p\nmodels:\n  providers:\n    a: {kind: anthropic, key: {env: MODEL_KEY}}\n    \
         b: {kind: openai, key: 'secret://openai'}\n",
    );
    let error = installation.fails(Environment::empty());
    assert!(
        error.ends_with(
            "profile.yaml:4:26: `models.providers.a.key`: the environment variable `MODEL_KEY` is not set"
        ),
        "{error}"
    );
    installation.start(Environment::empty().with("MODEL_KEY", "k")).unwrap();
}

#[test]
fn a_damaged_key_is_not_replaced() {
    let installation = Installation::new(STARTER_PROFILE);
    write(&installation.path("fingerprint.key"), "", 0o600);
    let error = installation.fails(Environment::empty());
    assert!(error.contains("cannot be used: the secret is empty"), "{error}");
    assert_eq!(fs::read(installation.path("fingerprint.key")).unwrap(), b"");
}

#[test]
fn the_data_folder_takes_the_database_unless_it_has_a_place() {
    let installation = Installation::new(STARTER_PROFILE);
    let start = || {
        let path = installation.path("profile.yaml");
        let profile = ProfileBootstrap::load(path, Environment::empty()).unwrap();
        finish(profile.with_data_folder(installation.path("data/deep"))).unwrap()
    };
    let config = start();
    let database = installation.path("data/deep/systemprompt.db");
    assert_eq!(config.profile().database.url.path().unwrap(), database);
    assert_eq!(config.data_folder(), installation.path("data/deep"));
    assert_eq!(mode(config.data_folder()), 0o700);
    assert_eq!(config.reload().unwrap().profile, *config.profile());

    let named = format!("{STARTER_PROFILE}\ndatabase: {{url: 'sqlite://systemprompt.db'}}\n");
    fs::write(installation.path("profile.yaml"), named).unwrap();
    let config = start();
    assert_eq!(config.profile().database.url.path().unwrap(), installation.path("systemprompt.db"));
    assert!(installation.path("data/deep/fingerprint.key").exists());
}

#[test]
fn a_profile_made_in_code_is_checked_too() {
    let mut profile = Profile::new("p".parse().unwrap());
    profile.secrets.fingerprint_key = Some(SecretRef::Env("KEY".into()));
    let folder = tempfile::tempdir().unwrap();
    let environment = || Environment::empty().with("KEY", KEY);
    let start = |profile| {
        let profile = ProfileBootstrap::from_profile(profile, environment())?;
        finish(profile.with_data_folder(folder.path()))
    };
    let config = start(profile.clone()).unwrap();
    assert_eq!(config.file(), None);
    assert!(config.reload().is_err());
    assert_eq!(
        config.profile().database.url.path().unwrap(),
        folder.path().join("systemprompt.db")
    );

    profile.server.max_connections = 0;
    let error = start(profile).unwrap_err().to_string();
    assert_eq!(error, "<profile>: `server.max_connections`: must be 1 to 1000000, not 0");
}

#[test]
fn a_reload_reads_the_file_again() {
    let installation = Installation::new(STARTER_PROFILE);
    let config = installation.start(Environment::empty()).unwrap();
    assert_eq!(config.file(), Some(installation.path("profile.yaml").as_path()));
    assert_eq!(config.reload().unwrap().profile, *config.profile());
    fs::write(installation.path("profile.yaml"), "profile: other").unwrap();
    assert_eq!(config.reload().unwrap().profile.profile.as_str(), "other");
    assert_eq!(config.profile().profile.as_str(), "default");
    fs::write(installation.path("profile.yaml"), "").unwrap();
    assert!(config.reload().is_err());
}

#[test]
fn the_folder_of_a_mistyped_database_is_not_made() {
    let installation =
        Installation::new("profile: p\ndatabase: {url: 'sqlite://typo/systemprompt.db'}\n");
    let error = installation.fails(Environment::empty());
    assert!(error.contains("typo` of the database does not exist"), "{error}");
    assert!(!installation.path("typo").exists());
}
