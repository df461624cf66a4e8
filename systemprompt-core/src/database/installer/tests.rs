use std::error::Error as _;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::database::DatabaseOptions;
use crate::extension::{Migration, SchemaConflict, SchemaDefinition};

/// Runs each of the tests named on every backend.
macro_rules! on_both {
    ($($(#[$attribute:meta])+ $test:ident;)+) => {
        mod on_sqlite {
            $($(#[$attribute])+ async fn $test() {
                super::$test(super::Place::new().await).await;
            })+
        }

        #[cfg(feature = "postgres")]
        mod on_postgres {
            $($(#[$attribute])+ async fn $test() {
                super::$test(super::Place::postgres().await).await;
            })+
        }
    };
}

const NOW: i64 = 1_795_378_500_000_000;

struct Place {
    _folder: tempfile::TempDir,
    #[cfg(feature = "postgres")]
    _database: Option<systemprompt_test_postgres::TestDatabase>,
    url: String,
    database: DbPool,
    clock: ManualClock,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("host.db").display());
        let database = open(&url).await;
        let clock = ManualClock::at(Timestamp::from_micros(NOW));
        Self {
            _folder: folder,
            #[cfg(feature = "postgres")]
            _database: None,
            url,
            database,
            clock,
        }
    }

    #[cfg(feature = "postgres")]
    async fn postgres() -> Self {
        let server = systemprompt_test_postgres::database().await;
        let (url, database) = (server.url(), open(&server.url()).await);
        Self { _database: Some(server), url, database, ..Self::new().await }
    }

    async fn run(&self, sql: &str) {
        let mut connection = self.database.connect().await.unwrap();
        ledger::run(connection.driver(), sql).await.unwrap();
    }

    async fn apply(&self, owners: &[SchemaOwner]) -> Result<Vec<SchemaStep>, SchemaError> {
        SchemaInstaller::new(owners)?.apply(&self.database, &self.clock).await
    }

    async fn status(&self, owners: &[SchemaOwner]) -> Vec<(String, StepState)> {
        let installer = SchemaInstaller::new(owners).unwrap();
        let steps = installer.status(&self.database).await.unwrap();
        steps.into_iter().map(|step| (step.name, step.state)).collect()
    }

    async fn has(&self, name: &str) -> bool {
        let mut connection = self.database.connect().await.unwrap();
        ledger::has_relation(connection.driver(), name).await.unwrap()
    }
}

async fn open(url: &str) -> DbPool {
    DbPool::open(&DatabaseOptions::new(url.to_owned()).create(true)).await.unwrap()
}

fn notes() -> SchemaOwner {
    SchemaOwner::new("notes")
        .definition(SchemaDefinition::new("Notes", "CREATE TABLE Notes (text TEXT NOT NULL);"))
}

fn tags() -> SchemaOwner {
    SchemaOwner::new("tags")
        .definition(SchemaDefinition::new("tags", "CREATE TABLE tags (name TEXT NOT NULL);"))
        .migration(Migration::new("0001_colour", "ALTER TABLE tags ADD COLUMN colour TEXT;"))
}

fn names(steps: &[SchemaStep]) -> Vec<&str> {
    steps.iter().map(|step| step.name.as_str()).collect()
}

on_both! {
    #[tokio::test]
    installs_in_order_and_records_it;
    #[tokio::test]
    a_second_time_does_nothing_and_new_things_are_added;
    #[tokio::test]
    reading_leaves_a_fresh_database_alone;
    #[tokio::test]
    a_changed_text_is_drift_and_nothing_is_installed;
    #[tokio::test]
    what_is_no_longer_brought_shows_as_removed_and_stays;
    #[tokio::test]
    a_new_migration_before_an_installed_one_is_refused;
    #[tokio::test]
    one_bad_script_undoes_everything;
    #[tokio::test]
    a_definition_must_make_its_table;
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    of_several_that_start_together_one_installs;
    #[tokio::test]
    migrations_are_undone_from_the_last;
}

async fn installs_in_order_and_records_it(place: Place) {
    let applied = place.apply(&[notes(), tags()]).await.unwrap();
    assert_eq!(names(&applied), ["notes", "tags", "0001_colour"]);
    let mut connection = place.database.connect().await.unwrap();
    let rows = ledger::read(connection.driver()).await.unwrap();
    let seen: Vec<_> =
        rows.iter().map(|row| (row.owner.as_str(), row.kind, row.position)).collect();
    let (definition, migration) = (StepKind::Definition, StepKind::Migration);
    assert_eq!(seen, [("notes", definition, 1), ("tags", definition, 2), ("tags", migration, 3)]);
    // sha256sum of the text of the definition
    assert_eq!(
        rows[0].checksum,
        "263579cd53530ea449c982ca44aa7521eba2e46744b190d020ea0a72852a68fc"
    );
    assert_eq!(rows[0].applied_at.as_micros(), NOW);
    place.run("INSERT INTO tags (name, colour) VALUES ('a', 'b')").await;
}

async fn a_second_time_does_nothing_and_new_things_are_added(place: Place) {
    place.apply(&[tags()]).await.unwrap();
    assert!(place.apply(&[tags()]).await.unwrap().is_empty());
    let more =
        tags().migration(Migration::new("0002_drop", "ALTER TABLE tags DROP COLUMN colour;"));
    let plan = SchemaInstaller::new(&[notes(), more.clone()]).unwrap();
    assert_eq!(names(&plan.plan(&place.database).await.unwrap()), ["notes", "0002_drop"]);
    assert!(!place.has("notes").await, "a plan writes nothing");
    assert_eq!(names(&place.apply(&[notes(), more]).await.unwrap()), ["notes", "0002_drop"]);
}

async fn reading_leaves_a_fresh_database_alone(place: Place) {
    assert_eq!(place.status(&[notes()]).await, [("notes".to_owned(), StepState::Pending)]);
    let installer = SchemaInstaller::new(&[notes()]).unwrap();
    assert_eq!(installer.plan(&place.database).await.unwrap().len(), 1);
    assert!(!place.has("systemprompt_schema").await);
}

async fn a_changed_text_is_drift_and_nothing_is_installed(place: Place) {
    place.apply(&[notes(), tags()]).await.unwrap();
    let changed = SchemaOwner::new("notes")
        .definition(SchemaDefinition::new("notes", "CREATE TABLE notes (text BLOB);"))
        .migration(Migration::new("0001", "CREATE TABLE more (x INTEGER);"));
    let error = place.apply(&[changed.clone(), tags()]).await.unwrap_err();
    assert!(
        matches!(&error, SchemaError::Drift { owner, kind: StepKind::Definition, name }
            if owner == "notes" && name == "notes"),
        "{error}"
    );
    assert!(!place.has("more").await);
    let states = place.status(&[changed, tags()]).await;
    assert_eq!(states[0], ("notes".to_owned(), StepState::Drifted));
    assert_eq!(states[1], ("0001".to_owned(), StepState::Pending));

    let migration = SchemaOwner::new("tags")
        .definition(tags().definitions()[0].clone())
        .migration(Migration::new("0001_colour", "ALTER TABLE tags ADD COLUMN color TEXT;"));
    let error = place.apply(&[notes(), migration]).await.unwrap_err();
    assert!(matches!(error, SchemaError::Drift { kind: StepKind::Migration, .. }), "{error}");
}

#[tokio::test]
async fn other_line_ends_and_another_case_of_the_name_are_no_drift() {
    let place = Place::new().await;
    let with = |name: &'static str, text: &'static str| {
        [SchemaOwner::new("notes").definition(SchemaDefinition::new(name, text))]
    };
    place.apply(&with("notes", "CREATE TABLE notes (\n x\n);\n")).await.unwrap();
    let same = with("NOTES", "CREATE TABLE notes (\r\n x\r\n);\r\n");
    assert!(place.apply(&same).await.unwrap().is_empty());
}

async fn what_is_no_longer_brought_shows_as_removed_and_stays(place: Place) {
    place.apply(&[notes(), tags()]).await.unwrap();
    let states = place.status(&[notes()]).await;
    assert!(matches!(states[0].1, StepState::Applied { position: 1, .. }));
    let removed = [("tags", StepState::Removed), ("0001_colour", StepState::Removed)];
    assert_eq!(states[1..], removed.map(|(name, state)| (name.to_owned(), state)));
    assert!(place.apply(&[notes()]).await.unwrap().is_empty());
    assert!(place.has("tags").await);
}

async fn a_new_migration_before_an_installed_one_is_refused(place: Place) {
    place.apply(&[tags()]).await.unwrap();
    let squeezed = SchemaOwner::new("tags")
        .definition(tags().definitions()[0].clone())
        .migration(Migration::new("0000_early", "CREATE TABLE early (x INTEGER);"))
        .migration(tags().migrations()[0].clone());
    let error = place.apply(&[squeezed]).await.unwrap_err();
    assert!(
        matches!(&error, SchemaError::OutOfOrder { name, installed, .. }
            if name == "0000_early" && installed == "0001_colour"),
        "{error}"
    );
}

async fn one_bad_script_undoes_everything(place: Place) {
    let bad = tags()
        .migration(Migration::new("0002_bad", "CREATE TABLE half (x INTEGER); CREATE NONSENSE;"));
    let error = place.apply(&[notes(), bad]).await.unwrap_err();
    assert!(error.to_string().contains("`0002_bad` of `tags`"), "{error}");
    assert!(error.source().is_some());
    for table in ["notes", "tags", "half", "systemprompt_schema"] {
        assert!(!place.has(table).await, "{table}");
    }
    place.apply(&[notes(), tags()]).await.unwrap();
}

#[test]
fn a_script_that_leaves_the_transaction_is_refused() {
    let owner =
        SchemaOwner::new("rogue").migration(Migration::new("0001", "COMMIT; CREATE TABLE x (a);"));
    let installer = SchemaInstaller::new(&[notes(), owner]).unwrap();
    let error = installer.check(Backend::Sqlite).unwrap_err();
    assert!(matches!(error, SchemaError::Forbidden { statement: "COMMIT", .. }), "{error}");
}

async fn a_definition_must_make_its_table(place: Place) {
    let owner = SchemaOwner::new("notes")
        .definition(SchemaDefinition::new("notes", "CREATE TABLE noted (x INTEGER);"));
    let error = place.apply(&[owner]).await.unwrap_err();
    assert!(matches!(error, SchemaError::TableNotMade { .. }), "{error}");
    assert!(!place.has("noted").await);
    let view = SchemaOwner::new("notes")
        .definition(SchemaDefinition::new("one", "CREATE VIEW one AS SELECT 1 AS x;"));
    place.apply(&[view]).await.unwrap();
}

#[tokio::test]
async fn a_text_for_the_backend_wins_over_the_portable_one() {
    let place = Place::new().await;
    let portable = SchemaDefinition::new("a", "no SQL at all")
        .sqlite("CREATE TABLE a (x INTEGER);")
        .postgres("not for here");
    place.apply(&[SchemaOwner::new("a").definition(portable)]).await.unwrap();
    let elsewhere = SchemaDefinition::per_backend("b").postgres("CREATE TABLE b (x int)");
    let installer = SchemaInstaller::new(&[SchemaOwner::new("b").definition(elsewhere)]).unwrap();
    installer.check(Backend::Postgres).unwrap();
    let error = installer.plan(&place.database).await.unwrap_err();
    assert!(matches!(error, SchemaError::NoSqlForBackend { backend: "sqlite", .. }), "{error}");
}

#[tokio::test]
async fn conflicts_are_seen_before_anything_is_read() {
    let define = |owner: &'static str, table: &'static str| {
        SchemaOwner::new(owner).definition(SchemaDefinition::new(table, "SELECT 1"))
    };
    let conflict = |owners: &[SchemaOwner]| match SchemaInstaller::new(owners) {
        Err(SchemaError::Conflict(conflict)) => conflict,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        conflict(&[define("a", "Same"), define("b", "same")]),
        SchemaConflict::TableOwnedTwice {
            table: "same".to_owned(),
            first: "a".to_owned(),
            second: "b".to_owned(),
        }
    );
    let twice = [define("a", "x"), define("a", "y")];
    assert!(matches!(conflict(&twice), SchemaConflict::DuplicateOwner { .. }));
    for table in ["", "1a", "a b", "a;b", "sqlite_a", "Systemprompt_Schema", &"a".repeat(64)] {
        let owner =
            SchemaOwner::new("a").definition(SchemaDefinition::new(table.to_owned(), "SELECT 1"));
        assert!(matches!(conflict(&[owner]), SchemaConflict::TableName { .. }), "{table}");
    }
    let migration = Migration::new("0001", "SELECT 1");
    let owner = SchemaOwner::new("a").migration(migration.clone()).migration(migration);
    assert!(matches!(conflict(&[owner]), SchemaConflict::DuplicateMigration { .. }));
}

async fn of_several_that_start_together_one_installs(place: Place) {
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let url = place.url.clone();
            tokio::spawn(async move {
                let clock = ManualClock::at(Timestamp::from_micros(NOW));
                let installer = SchemaInstaller::new(&[notes(), tags()]).unwrap();
                installer.apply(&open(&url).await, &clock).await.unwrap().len()
            })
        })
        .collect();
    let mut installed = Vec::new();
    for start in starts {
        installed.push(start.await.unwrap());
    }
    installed.sort_unstable();
    assert_eq!(installed, [0, 0, 0, 0, 0, 0, 0, 3]);
}

async fn migrations_are_undone_from_the_last(place: Place) {
    let owner = tags()
        .migration(
            Migration::new("0002_size", "ALTER TABLE tags ADD COLUMN size INTEGER;")
                .down("ALTER TABLE tags DROP COLUMN size;"),
        )
        .migration(
            Migration::new("0003_more", "CREATE TABLE more (x INTEGER);").down("DROP TABLE more;"),
        );
    place.apply(&[notes(), owner.clone()]).await.unwrap();
    let installer = SchemaInstaller::new(&[notes(), owner]).unwrap();
    let undone = installer.down(&place.database, "tags", 1).await.unwrap();
    assert_eq!(names(&undone), ["0003_more"]);
    assert!(!place.has("more").await);
    let error = installer.down(&place.database, "tags", 2).await.unwrap_err();
    assert!(matches!(&error, SchemaError::NoDown { name, .. } if name == "0001_colour"), "{error}");
    let pending = installer.plan(&place.database).await.unwrap();
    assert_eq!(names(&pending), ["0003_more"], "all or nothing");
    assert_eq!(names(&installer.down(&place.database, "tags", 1).await.unwrap()), ["0002_size"]);
    assert_eq!(installer.apply(&place.database, &place.clock).await.unwrap().len(), 2);
    assert!(installer.down(&place.database, "notes", 9).await.unwrap().is_empty());
    let error = installer.down(&place.database, "nobody", 1).await.unwrap_err();
    assert!(error.to_string().contains("those that do are `notes`, `tags`"), "{error}");
}
