//! Makes a database of the SQL files in a folder, prints its URL, and keeps it until the standard input
//! ends: `scratch_database <folder>`. The files are run again while any of them can be, so that their
//! order does not matter.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a tool for scripts")]

use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = std::env::args_os().nth(1).expect("a folder");
    let database = systemprompt_test_postgres::database().await;
    let options: sqlx::postgres::PgConnectOptions = database.url().parse().expect("a URL");
    let mut connection = options.connect().await.expect("the database");
    let files = std::fs::read_dir(folder).expect("the folder");
    let mut left: Vec<String> = files
        .map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("SQL"))
        .collect();
    while !left.is_empty() {
        let before = left.len();
        let mut failed = Vec::new();
        let mut error = None;
        for sql in left {
            if let Err(refused) = run(&mut connection, &sql).await {
                error = Some(refused);
                failed.push(sql);
            }
        }
        assert!(failed.len() < before, "{error:?}");
        left = failed;
    }
    println!("{}", database.url());
    let _ = std::io::stdin().read_line(&mut String::new());
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ())
}
